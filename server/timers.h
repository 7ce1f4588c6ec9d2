// Timers runs callbacks at their time on one thread: heartbeats and ends of
// subscriptions, retries of the stream life cycle. Callbacks must be short and
// must hold what they use (weakly, when it may be gone).
//
// Owned by a Node. Nothing survives a crash.
#ifndef TRIREME_SERVER_TIMERS_H_
#define TRIREME_SERVER_TIMERS_H_

#include <cstdint>
#include <map>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "storage/clock.h"
#include "storage/monotonic_event.h"

namespace trireme {

class Timers {
 public:
  explicit Timers(Clock* clock) : clock_(clock) {}
  ~Timers();

  // Starts the thread. Without it RunDue does the work (tests).
  void Start();
  // No callback runs after this returns.
  void Stop();

  // Runs `callback` once, `delay` from now or a little later.
  void After(absl::Duration delay, absl::AnyInvocable<void()> callback);
  // Runs what is due; false when nothing was.
  bool RunDue();

 private:
  void Run();

  // Set at construction.
  Clock* const clock_;
  std::thread thread_;

  MonotonicEvent changed_;  // The first callback's time, or stopping_.

  absl::Mutex mu_;
  // By due time, then in the order they were made.
  std::map<std::pair<absl::Duration, uint64_t>, absl::AnyInvocable<void()>>
      queue_ ABSL_GUARDED_BY(mu_);
  uint64_t next_id_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_TIMERS_H_
