#include "client/cancellation.h"

#include <utility>

namespace trireme::client {

void Cancellation::Cancel() {
  std::map<uint64_t, std::function<void()>> hooks;
  {
    absl::MutexLock lock(&mu_);
    if (cancelled_) return;
    cancelled_ = true;
    running_ = true;
    hooks = hooks_;
  }
  // Outside the lock, since hooks take locks of their own; a Hook's destructor
  // waits for running_ instead.
  for (auto& [id, on_cancel] : hooks) on_cancel();
  absl::MutexLock lock(&mu_);
  running_ = false;
}

bool Cancellation::cancelled() const {
  absl::MutexLock lock(&mu_);
  return cancelled_;
}

bool Cancellation::WaitFor(absl::Duration duration) {
  absl::MutexLock lock(&mu_);
  return !mu_.AwaitWithTimeout(absl::Condition(&cancelled_), duration);
}

Cancellation::Hook::Hook(Cancellation& owner, std::function<void()> on_cancel)
    : owner_(owner) {
  {
    absl::MutexLock lock(&owner_.mu_);
    if (!owner_.cancelled_) {
      id_ = owner_.next_id_++;
      owner_.hooks_.emplace(id_, std::move(on_cancel));
      return;
    }
  }
  on_cancel();
}

Cancellation::Hook::~Hook() {
  absl::MutexLock lock(&owner_.mu_);
  owner_.mu_.Await(absl::Condition(&owner_, &Cancellation::NotRunning));
  owner_.hooks_.erase(id_);
}

}  // namespace trireme::client
