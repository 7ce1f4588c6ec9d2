// CatchUp pulls a group's state from a peer when this replica is too far
// behind the leader's log, or empty (design.md D11): only what is missing, at
// a bounded rate, resumable. A peer that fails is followed by the next one.
//
// Owned by a Node. Start is called by the loop thread, RunOnce by the catch-up
// thread (or the simulator).
#ifndef TRIREME_REPLICATION_CATCH_UP_H_
#define TRIREME_REPLICATION_CATCH_UP_H_

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "replication/transport.h"
#include "storage/clock.h"
#include "storage/ids.h"
#include "storage/monotonic_event.h"
#include "storage/replicated_state.h"

namespace trireme {

class CatchUp {
 public:
  // At most about `bytes_per_second` is pulled; 0: no limit. `on_fatal` is
  // called with the first failure of our own disk, after which nothing more is
  // pulled: the node must stop (design.md D12).
  CatchUp(ReplicatedState* state, Transport* transport, Clock* clock,
          uint64_t bytes_per_second,
          absl::AnyInvocable<void(absl::Status)> on_fatal)
      : state_(state),
        transport_(transport),
        clock_(clock),
        bytes_per_second_(bytes_per_second),
        on_fatal_(std::move(on_fatal)) {}

  // Called once, before the first Start: a pull has ended. An error leaves
  // the group as it was; pulling again goes on from what has arrived.
  // ResourceExhausted: our disk is full. Any other: no source could give it.
  void OnPulled(
      absl::AnyInvocable<void(GroupId, absl::StatusOr<AppliedPosition>)> done) {
    on_pulled_ = std::move(done);
  }

  // `sources`: the peers to try, in this order.
  void Start(GroupId group, std::vector<NodeId> sources);

  // Blocks until there is work or Stop was called; false: stopped.
  bool WaitForWork();
  bool HasWork() const;
  // Does one pull; false when there was none.
  bool RunOnce();
  // Ends the pull under way, however slow its source is.
  void Stop();

 private:
  struct Pull {
    GroupId group;
    std::vector<NodeId> sources;
  };
  // What became of one source.
  struct Attempt {
    absl::StatusOr<AppliedPosition> position;
    bool try_next = false;  // Another source may do better.
  };

  absl::StatusOr<AppliedPosition> PullGroup(const Pull& pull);
  Attempt PullFrom(NodeId source, GroupId group);
  Attempt FailedSource(absl::Status status) const;
  Attempt FailedInstall(absl::Status status);
  // Waits until `bytes` since `started` are within the rate; false: stopped.
  bool Pace(uint64_t bytes, absl::Duration started);

  // Set at construction or before the first Start.
  ReplicatedState* const state_;
  Transport* const transport_;
  Clock* const clock_;
  const uint64_t bytes_per_second_;
  absl::AnyInvocable<void(GroupId, absl::StatusOr<AppliedPosition>)> on_pulled_;

  // Owned by the catch-up thread.
  absl::AnyInvocable<void(absl::Status)> on_fatal_;
  bool failed_ = false;

  MonotonicEvent stop_;  // Ends the pause that keeps to the rate.

  mutable absl::Mutex mu_;
  std::deque<Pull> pulls_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_CATCH_UP_H_
