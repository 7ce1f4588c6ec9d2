// Formation decides whether a node with a new disk founds the cluster or
// rejoins it (docs/replication.md, "Forming a cluster"): an empty disk that
// once was a member's must not vote as if it had never promised anything.
//
// Owned by a Node until it is formed. Describe is thread-safe; Round is called
// by one thread. The outcome survives a crash in the identity file.
#ifndef TRIREME_REPLICATION_FORMATION_H_
#define TRIREME_REPLICATION_FORMATION_H_

#include <map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "replication/identity.h"

namespace trireme {

class Formation {
 public:
  // `nodes` are all members, this node included.
  Formation(Identity identity, std::vector<NodeId> nodes);

  // What a peer that asks is told.
  Identity Describe() const;

  // Asks every peer once. A node is formed
  //  - as a founder, when two rounds, one begun after the other had ended,
  //    found all peers unformed with the same incarnations: at the moment in
  //    between nobody had promised anything;
  //  - as a founder too, when a formed peer names this very disk among the
  //    founders;
  //  - as one that rejoins, when a formed peer names another disk.
  // True when the identity is formed now; the caller saves it before use.
  // FailedPrecondition when a peer's configuration does not fit ours.
  absl::StatusOr<bool> Round(
      absl::FunctionRef<absl::StatusOr<Identity>(NodeId)> ask);

 private:
  // Set at construction.
  const std::vector<NodeId> nodes_;

  mutable absl::Mutex mu_;
  Identity identity_ ABSL_GUARDED_BY(mu_);
  // Owned by the caller of Round: incarnations of the last complete round.
  std::map<NodeId, uint64_t> last_round_;
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_FORMATION_H_
