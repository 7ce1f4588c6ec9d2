// Heartbeats gathers the heartbeats of consumer groups' workers that reach this
// node, of all groups, for 50 ms, and proposes them to the meta group as one
// command (docs/decisions/0010): a thousand workers cost twenty entries a
// second, not hundreds.
//
// Owned by the Broker; thread-safe. Its timer must be stopped, and Replicas
// answer no more, before it goes.
#ifndef TRIREME_SERVER_HEARTBEATS_H_
#define TRIREME_SERVER_HEARTBEATS_H_

#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/timers.h"
#include "storage/clock.h"
#include "trireme/v1/group_commands.pb.h"

namespace trireme {

class Heartbeats {
 public:
  // Whether the group has such a worker.
  using Heard = absl::AnyInvocable<void(absl::StatusOr<bool>)>;

  // All pointers must outlive this.
  Heartbeats(Replicas* replicas, Timers* timers, Clock* clock)
      : replicas_(replicas), timers_(timers), clock_(clock) {}

  // `heard` is called once it is applied on the meta group's leader. Errors: of
  // the proposal; the time is that of the one who waits longest.
  void Send(v1::Heartbeat heartbeat, absl::Duration timeout, Heard heard);

 private:
  struct Batch {
    v1::HeartbeatsCommand command;
    std::vector<Heard> heard;  // One each.
    absl::Duration deadline;   // Monotonic.
  };

  void ProposeWaiting();
  void Propose(Batch batch);

  // Set at construction.
  Replicas* const replicas_;
  Timers* const timers_;
  Clock* const clock_;

  absl::Mutex mu_;
  Batch waiting_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HEARTBEATS_H_
