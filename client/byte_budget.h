// How much a producer has taken and not yet settled. Put waits here while it
// is full; Flush waits here until it is empty. Any thread.
#ifndef TRIREME_CLIENT_BYTE_BUDGET_H_
#define TRIREME_CLIENT_BYTE_BUDGET_H_

#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace trireme::client {

class ByteBudget {
 public:
  ByteBudget(uint64_t bytes_max, uint64_t count_max)
      : bytes_max_(bytes_max), count_max_(count_max) {}

  // Waits for room; false when closed. A record larger than the whole budget
  // is taken when nothing else is there.
  bool Acquire(uint64_t bytes) {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(this, &ByteBudget::HasRoomOrClosed));
    return Take(bytes);
  }
  // False when there is no room, or closed.
  bool TryAcquire(uint64_t bytes) {
    absl::MutexLock lock(&mu_);
    return HasRoomOrClosed() && Take(bytes);
  }
  // Of `count` records.
  void Release(uint64_t bytes, uint64_t count) {
    absl::MutexLock lock(&mu_);
    bytes_ -= bytes;
    count_ -= count;
  }
  // Those who wait, and all who come later, get false.
  void Close() {
    absl::MutexLock lock(&mu_);
    closed_ = true;
  }
  bool closed() const {
    absl::MutexLock lock(&mu_);
    return closed_;
  }
  // Records that are here, those whose Acquire has just returned included.
  uint64_t count() const { return count_; }
  uint64_t bytes() const {
    absl::MutexLock lock(&mu_);
    return bytes_;
  }
  // Until Acquire would not wait; false when that is not so by the deadline.
  bool AwaitRoom(absl::Time deadline) {
    absl::MutexLock lock(&mu_);
    return mu_.AwaitWithDeadline(
        absl::Condition(this, &ByteBudget::HasRoomOrClosed), deadline);
  }
  void WaitUntilEmpty(absl::Duration timeout) {
    absl::MutexLock lock(&mu_);
    mu_.AwaitWithTimeout(absl::Condition(this, &ByteBudget::Empty), timeout);
  }

 private:
  bool Take(uint64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (closed_) return false;
    bytes_ += bytes;
    ++count_;
    return true;
  }
  bool HasRoomOrClosed() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return closed_ || (bytes_ < bytes_max_ && count_ < count_max_);
  }
  bool Empty() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return count_ == 0; }

  // Set at construction.
  const uint64_t bytes_max_;
  const uint64_t count_max_;

  mutable absl::Mutex mu_;
  uint64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::atomic<uint64_t> count_ = 0;  // Changed under the lock.
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_BYTE_BUDGET_H_
