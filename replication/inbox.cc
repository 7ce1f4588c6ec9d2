#include "replication/inbox.h"

#include <utility>

namespace trireme {

void Inbox::Push(InboxEvent event) {
  absl::MutexLock lock(&mu_);
  if (!stopping_) events_.push_back(std::move(event));
}

bool Inbox::Admit(uint64_t bytes) {
  // A single proposal larger than all the room still passes when nothing else
  // waits, so that the limit never makes a legal record impossible.
  const uint64_t before = waiting_bytes_.fetch_add(bytes);
  if (before == 0 || before + bytes <= waiting_bytes_max_) return true;
  waiting_bytes_ -= bytes;
  return false;
}

bool Inbox::Wait(absl::Duration timeout) {
  absl::MutexLock lock(&mu_);
  const auto ready = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return stopping_ || !events_.empty();
  };
  mu_.AwaitWithTimeout(absl::Condition(&ready), timeout);
  return !stopping_;
}

std::vector<InboxEvent> Inbox::TakeAll() {
  absl::MutexLock lock(&mu_);
  return std::exchange(events_, {});
}

void Inbox::Stop() {
  absl::MutexLock lock(&mu_);
  stopping_ = true;
}

}  // namespace trireme
