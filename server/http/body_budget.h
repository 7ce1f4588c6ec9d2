// BodyBudget counts the bytes of all request bodies in memory. Thread-safe.
#ifndef TRIREME_SERVER_HTTP_BODY_BUDGET_H_
#define TRIREME_SERVER_HTTP_BODY_BUDGET_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace trireme {

class BodyBudget {
 public:
  explicit BodyBudget(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // False, and nothing taken, when there is no room. An eighth is kept for
  // small bodies: a few large ones that come slowly do not stop the others.
  bool Take(uint64_t bytes, bool is_small) {
    const uint64_t room = is_small ? bytes_max_ : bytes_max_ - bytes_max_ / 8;
    if (bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= room) {
      return true;
    }
    Return(bytes);
    return false;
  }
  void Return(uint64_t bytes) {
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  }

 private:
  const uint64_t bytes_max_;
  std::atomic<uint64_t> bytes_ = 0;
};

// One body's part of the budget, given back with it.
class BodyCharge {
 public:
  explicit BodyCharge(std::shared_ptr<BodyBudget> budget)
      : budget_(std::move(budget)) {}
  BodyCharge(BodyCharge&& other) noexcept
      : budget_(std::move(other.budget_)),
        bytes_(std::exchange(other.bytes_, 0)) {}
  BodyCharge& operator=(BodyCharge&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~BodyCharge() {
    if (bytes_ > 0) budget_->Return(bytes_);
  }

  bool Grow(uint64_t bytes) {
    if (!budget_->Take(bytes, bytes_ + bytes <= kSmallBytesMax)) return false;
    bytes_ += bytes;
    return true;
  }

 private:
  static constexpr uint64_t kSmallBytesMax = 64 << 10;

  std::shared_ptr<BodyBudget> budget_;
  uint64_t bytes_ = 0;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_BODY_BUDGET_H_
