#include "storage/monotonic_event.h"

namespace trireme {

void MonotonicEvent::Set() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    is_set_ = true;
  }
  changed_.notify_all();
}

void MonotonicEvent::Reset() {
  const std::lock_guard<std::mutex> lock(mu_);
  is_set_ = false;
}

bool MonotonicEvent::WaitFor(absl::Duration timeout) {
  std::unique_lock<std::mutex> lock(mu_);
  const auto set = [this] { return is_set_; };
  if (timeout == absl::InfiniteDuration()) {
    changed_.wait(lock, set);
    return true;
  }
  return changed_.wait_for(lock, absl::ToChronoNanoseconds(timeout), set);
}

}  // namespace trireme
