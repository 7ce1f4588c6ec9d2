// NumberWindow gives a Producer's records their numbers and knows the oldest
// one that is not settled: what the service needs to write each record exactly
// once (records.proto, Producer).
//
// Owned by a Producer; thread-safe.
#ifndef TRIREME_CLIENT_NUMBER_WINDOW_H_
#define TRIREME_CLIENT_NUMBER_WINDOW_H_

#include <cstdint>
#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace trireme::client {

class NumberWindow {
 public:
  // The service's bound on how far numbers may go beyond the oldest one: those
  // that Take gives, and what lanes need to put records again.
  static constexpr size_t kSize = 61'440;
  static constexpr size_t kReserve = 4'096;

  // `first`: 1 or more.
  explicit NumberWindow(uint64_t first) : oldest_(first) {}

  // The next number; waits while the oldest one is too far behind. 0 when
  // closed.
  uint64_t Take() {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(this, &NumberWindow::HasRoomOrClosed));
    return closed_ ? 0 : Add();
  }
  // The same without waiting; 0 also when it is too far behind.
  uint64_t TryTake() {
    absl::MutexLock lock(&mu_);
    return !closed_ && settled_.size() < kSize ? Add() : 0;
  }
  // For a lane, on which others may wait: from the reserve too.
  uint64_t TakeReserved() {
    absl::MutexLock lock(&mu_);
    return !closed_ && settled_.size() < kSize + kReserve ? Add() : 0;
  }
  // Until Take would not wait; false when that is not so by the deadline.
  bool AwaitRoom(absl::Time deadline) {
    absl::MutexLock lock(&mu_);
    return mu_.AwaitWithDeadline(
        absl::Condition(this, &NumberWindow::HasRoomOrClosed), deadline);
  }
  // Its record will not be sent any more.
  void Settle(uint64_t number) {
    absl::MutexLock lock(&mu_);
    settled_[number - oldest_] = true;
    while (!settled_.empty() && settled_.front()) {
      settled_.pop_front();
      ++oldest_;
    }
  }
  uint64_t oldest() const {
    absl::MutexLock lock(&mu_);
    return oldest_;
  }
  // Those who wait, and all who come later, get 0.
  void Close() {
    absl::MutexLock lock(&mu_);
    closed_ = true;
  }

 private:
  uint64_t Add() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    settled_.push_back(false);
    return oldest_ + settled_.size() - 1;
  }
  bool HasRoomOrClosed() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return closed_ || settled_.size() < kSize;
  }

  mutable absl::Mutex mu_;
  uint64_t oldest_ ABSL_GUARDED_BY(mu_);
  std::deque<bool> settled_ ABSL_GUARDED_BY(mu_);  // From oldest_ on.
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_NUMBER_WINDOW_H_
