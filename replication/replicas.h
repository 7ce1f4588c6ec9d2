// Replicas is what the rest of a node sees of replication: propose, read
// barrier, who leads. GroupLoop implements it; tests of the server use one
// that commits at once.
#ifndef TRIREME_REPLICATION_REPLICAS_H_
#define TRIREME_REPLICATION_REPLICAS_H_

#include <vector>

#include "replication/node_report.h"
#include "replication/proposal.h"
#include "storage/ids.h"

namespace trireme {

// Thread-safe; never blocks.
class Replicas {
 public:
  virtual ~Replicas() = default;
  virtual NodeId self() const = 0;
  // Proposes to a group wherever its leader is; see ProposalOutcome.
  virtual void Propose(Proposal proposal) = 0;
  // See Barrier in proposal.h.
  virtual void ReadBarrier(Barrier barrier) = 0;
  // The leader this node knows of; value 0: none.
  virtual NodeId LeaderOf(GroupId group) const = 0;
  // This node and what its peers reported; by node id.
  virtual std::vector<KnownNode> KnownNodes() const = 0;
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_REPLICAS_H_
