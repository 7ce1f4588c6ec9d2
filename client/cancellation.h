// One switch that ends everything a client has under way: waits return, calls
// in progress end with CANCELLED. Thrown once, never reset. Any thread.
#ifndef TRIREME_CLIENT_CANCELLATION_H_
#define TRIREME_CLIENT_CANCELLATION_H_

#include <cstdint>
#include <functional>
#include <map>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace trireme::client {

class Cancellation {
 public:
  Cancellation() = default;
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  // Runs every hook, once, on the calling thread.
  void Cancel();
  bool cancelled() const;

  // False when cancelled before the time was over.
  bool WaitFor(absl::Duration duration);

  // Has `on_cancel` called by Cancel (at once if that was before). After the
  // destructor it is not running and never will be. The hook must not destroy
  // a Hook.
  class Hook {
   public:
    Hook(Cancellation& owner, std::function<void()> on_cancel);
    ~Hook();
    Hook(const Hook&) = delete;
    Hook& operator=(const Hook&) = delete;

   private:
    Cancellation& owner_;
    uint64_t id_ = 0;
  };

 private:
  bool NotRunning() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return !running_;
  }

  mutable absl::Mutex mu_;
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  bool running_ ABSL_GUARDED_BY(mu_) = false;  // Hooks, outside the lock.
  uint64_t next_id_ ABSL_GUARDED_BY(mu_) = 1;
  std::map<uint64_t, std::function<void()>> hooks_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_CANCELLATION_H_
