// ClusterClock is this node's view of the cluster's time: the median of the
// nodes' wall clocks, so that one clock that is wrong, by an hour or by a day,
// moves nothing beyond where the two others stand. All that is decided by the
// time of day goes by it: stamps, retention, how old tokens are
// (docs/architecture.md, "Time").
//
// Owned by a GroupLoop, which tells it what peers say in every envelope.
// Thread-safe. Nothing survives a crash.
#ifndef TRIREME_REPLICATION_CLUSTER_CLOCK_H_
#define TRIREME_REPLICATION_CLUSTER_CLOCK_H_

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "storage/clock.h"
#include "storage/ids.h"

namespace trireme {

class ClusterClock final : public Clock {
 public:
  // `own` must outlive the clock.
  explicit ClusterClock(const Clock* own) : own_(own) {}

  // A peer's own clock showed `time` a moment ago.
  void OnPeerTime(NodeId peer, absl::Time time);

  // The median of the clocks heard of and our own; of two the earlier one,
  // which keeps records longer. Before a peer has spoken it is our own: a
  // leader, and a read behind a barrier, have heard from one.
  absl::Time WallNow() const override;
  absl::Duration MonotonicNow() const override { return own_->MonotonicNow(); }

 private:
  const Clock* const own_;  // Set at construction.

  mutable absl::Mutex mu_;
  // The moment at which our monotonic clock stood at zero, by the peer's wall
  // clock: a peer that fell silent goes on counting.
  absl::flat_hash_map<NodeId, absl::Time> peer_epochs_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_CLUSTER_CLOCK_H_
