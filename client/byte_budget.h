// How much a producer has taken and not yet settled. Put waits here while it
// is full; Flush waits here until all that came before it is settled. Any
// thread.
#ifndef TRIREME_CLIENT_BYTE_BUDGET_H_
#define TRIREME_CLIENT_BYTE_BUDGET_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace trireme::client {

class ByteBudget {
 public:
  ByteBudget(uint64_t bytes_max, uint64_t count_max)
      : bytes_max_(bytes_max), count_max_(count_max) {}

  // A record is of the half that was current when it came. Each Flush makes the
  // other half current and waits until this one is empty.
  using Half = uint8_t;  // 0 or 1.
  using Counts = std::array<uint64_t, 2>;

  // Waits for room, and tells the record's half; none when closed. A record of
  // any size is taken while less than the budget is there.
  std::optional<Half> Acquire(uint64_t bytes) {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(this, &ByteBudget::HasRoomOrClosed));
    return Take(bytes);
  }
  // None when there is no room, or closed.
  std::optional<Half> TryAcquire(uint64_t bytes) {
    absl::MutexLock lock(&mu_);
    if (!HasRoomOrClosed()) return std::nullopt;
    return Take(bytes);
  }
  // Of so many records of each half.
  void Release(uint64_t bytes, const Counts& records) {
    absl::MutexLock lock(&mu_);
    bytes_ -= bytes;
    records_[0] -= records[0];
    records_[1] -= records[1];
    count_ -= records[0] + records[1];
  }
  // Those who wait, and all who come later, get none.
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
  // Waits until nothing is here, or `stop` says so, which is asked when
  // something comes or goes.
  void WaitUntilEmpty(absl::Time deadline, absl::FunctionRef<bool()> stop) {
    absl::MutexLock lock(&mu_);
    const auto is_over = [&]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
      return count_ == 0 || stop();
    };
    mu_.AwaitWithDeadline(absl::Condition(&is_over), deadline);
  }
  // Waits until all that came before is released, whatever comes meanwhile.
  void Flush() {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(this, &ByteBudget::NotFlushing));
    flushing_ = true;
    current_ ^= 1;
    mu_.Await(absl::Condition(this, &ByteBudget::OtherHalfEmpty));
    flushing_ = false;
  }

 private:
  std::optional<Half> Take(uint64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (closed_) return std::nullopt;
    bytes_ += bytes;
    ++records_[current_];
    ++count_;
    return current_;
  }
  bool HasRoomOrClosed() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return closed_ || (bytes_ < bytes_max_ && count_ < count_max_);
  }
  bool NotFlushing() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return !flushing_;
  }
  bool OtherHalfEmpty() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return records_[current_ ^ 1] == 0;
  }

  // Set at construction.
  const uint64_t bytes_max_;
  const uint64_t count_max_;

  mutable absl::Mutex mu_;
  uint64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  Counts records_ ABSL_GUARDED_BY(mu_) = {};
  Half current_ ABSL_GUARDED_BY(mu_) = 0;
  bool flushing_ ABSL_GUARDED_BY(mu_) = false;
  std::atomic<uint64_t> count_ = 0;  // Of both halves; changed under the lock.
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_BYTE_BUDGET_H_
