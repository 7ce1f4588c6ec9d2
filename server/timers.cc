#include "server/timers.h"

#include "storage/named_thread.h"

namespace trireme {

Timers::~Timers() { Stop(); }

void Timers::Start() {
  thread_ = NamedThread("timers", [this] { Run(); });
}

void Timers::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  changed_.Set();
  if (thread_.joinable()) thread_.join();
}

void Timers::After(absl::Duration delay, absl::AnyInvocable<void()> callback) {
  const absl::Duration due = clock_->MonotonicNow() + delay;
  bool is_first = false;
  {
    absl::MutexLock lock(&mu_);
    const auto added =
        queue_.emplace(std::make_pair(due, next_id_++), std::move(callback));
    is_first = added.first == queue_.begin();
  }
  if (is_first) changed_.Set();
}

bool Timers::RunDue() {
  bool ran = false;
  for (;;) {
    absl::AnyInvocable<void()> callback;
    {
      const absl::Duration now = clock_->MonotonicNow();
      absl::MutexLock lock(&mu_);
      if (stopping_ || queue_.empty()) return ran;
      const auto first = queue_.begin();
      if (first->first.first > now) return ran;
      callback = std::move(first->second);
      queue_.erase(first);
    }
    callback();
    ran = true;
  }
}

void Timers::Run() {
  for (;;) {
    // Before looking: what comes afterwards sets it again.
    changed_.Reset();
    RunDue();
    absl::Duration delay = absl::InfiniteDuration();
    {
      absl::MutexLock lock(&mu_);
      if (stopping_) return;
      if (!queue_.empty()) {
        delay = queue_.begin()->first.first - clock_->MonotonicNow();
      }
    }
    if (delay > absl::ZeroDuration()) changed_.WaitFor(delay);
  }
}

}  // namespace trireme
