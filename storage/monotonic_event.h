// MonotonicEvent is a flag that one thread sets and another waits for, for a
// time that the monotonic clock measures. Timeouts of absl::Mutex follow the
// wall clock (in the version of Debian 12): when that is set back an hour
// during a wait of half a second, the wait takes an hour (design.md D6).
//
// Thread-safe.
#ifndef TRIREME_STORAGE_MONOTONIC_EVENT_H_
#define TRIREME_STORAGE_MONOTONIC_EVENT_H_

#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"

namespace trireme {

class MonotonicEvent {
 public:
  void Set();
  void Reset();
  // True as soon as it is set, false when `timeout` has passed before.
  bool WaitFor(absl::Duration timeout);

 private:
  // The standard library's own, for their clock.
  std::mutex mu_;
  std::condition_variable changed_;
  bool is_set_ = false;  // Guarded by mu_.
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_MONOTONIC_EVENT_H_
