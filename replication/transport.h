// The transport seam: how a node speaks to its peers. gRPC between processes
// (grpc_transport.h), direct calls inside one process (local_transport.h), a
// faulty network in the simulator.
#ifndef TRIREME_REPLICATION_TRANSPORT_H_
#define TRIREME_REPLICATION_TRANSPORT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "replication/node_report.h"
#include "replication/proposal.h"
#include "replication/raft/message.h"
#include "storage/ids.h"
#include "storage/replicated_state.h"

namespace trireme {

// A proposal taken by a node that does not lead the group (design.md D8).
struct ForwardedProposal {
  uint64_t request = 0;  // The sender's number for it.
  GroupId group;
  // In which the sender knows the receiver to lead. In any other the receiver
  // bounces it, and so everything sent after it: order is kept.
  Term term = 0;
  std::shared_ptr<const ProposalBody> body;
  absl::Duration timeout;
};
struct ForwardedOutcome {
  uint64_t request = 0;
  ProposalOutcome outcome;
};
// Asks a leader for a confirmed read index.
struct ForwardedRead {
  uint64_t request = 0;
  GroupId group;
};
struct ForwardedReadIndex {
  uint64_t request = 0;
  GroupId group;
  absl::StatusOr<LogIndex> index;
};

// Everything one turn of the loop has for one peer.
struct Envelope {
  NodeId from;
  uint64_t incarnation = 0;
  // The sender's own wall clock as it sent this; past: it did not say.
  absl::Time sent_at = absl::InfinitePast();
  std::vector<std::pair<GroupId, raft::Message>> messages;
  std::vector<ForwardedProposal> proposals;
  std::vector<ForwardedOutcome> outcomes;
  std::vector<ForwardedRead> reads;
  std::vector<ForwardedReadIndex> read_indexes;
  std::shared_ptr<const NodeReport> report;

  bool empty() const {
    return messages.empty() && proposals.empty() && outcomes.empty() &&
           reads.empty() && read_indexes.empty() && report == nullptr;
  }
};

// Takes what peers send. Thread-safe; never blocks.
class EnvelopeReceiver {
 public:
  virtual ~EnvelopeReceiver() = default;
  virtual void Receive(Envelope envelope) = 0;
  // What was sent to `peer` lately may be lost.
  virtual void ConnectionLost(NodeId peer) = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;
  // Sends in order, as far as the connection holds; never blocks. False when
  // nothing of it will arrive (not connected, or too much is waiting).
  virtual bool Send(NodeId to, Envelope envelope) = 0;
  // The state of `group` from a peer, for a replica too far behind. Blocks;
  // called on the catch-up thread.
  virtual absl::StatusOr<std::unique_ptr<StateSource>> PullState(
      NodeId from, GroupId group, absl::string_view held) = 0;
  // Pulls under way and later ones fail soon, also those that wait for a peer.
  // Nothing where they never wait.
  virtual void StopPulls() {}
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_TRANSPORT_H_
