#include "server/timers.h"

#include <pthread.h>

namespace trireme {

Timers::~Timers() { Stop(); }

void Timers::Start() {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "timers");
}

void Timers::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    changed_.Signal();
  }
  if (thread_.joinable()) thread_.join();
}

void Timers::After(absl::Duration delay, absl::AnyInvocable<void()> callback) {
  const absl::Duration due = clock_->MonotonicNow() + delay;
  absl::MutexLock lock(&mu_);
  const auto added =
      queue_.emplace(std::make_pair(due, next_id_++), std::move(callback));
  if (added.first == queue_.begin()) changed_.Signal();
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
    RunDue();
    const absl::Duration now = clock_->MonotonicNow();
    absl::MutexLock lock(&mu_);
    if (stopping_) return;
    if (queue_.empty()) {
      changed_.Wait(&mu_);
    } else if (queue_.begin()->first.first > now) {
      changed_.WaitWithTimeout(&mu_, queue_.begin()->first.first - now);
    }
  }
}

}  // namespace trireme
