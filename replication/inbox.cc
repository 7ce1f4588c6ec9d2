#include "replication/inbox.h"

#include <utility>

namespace trireme {

void Inbox::Push(InboxEvent event) {
  bool is_first = false;
  {
    absl::MutexLock lock(&mu_);
    if (stopping_) return;
    is_first = events_.empty();
    events_.push_back(std::move(event));
  }
  if (is_first) arrived_.Set();
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
  arrived_.WaitFor(timeout);
  absl::MutexLock lock(&mu_);
  return !stopping_;
}

std::vector<InboxEvent> Inbox::TakeAll() {
  // Before taking: what comes afterwards sets it again.
  arrived_.Reset();
  absl::MutexLock lock(&mu_);
  return std::exchange(events_, {});
}

void Inbox::Stop() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  arrived_.Set();
}

}  // namespace trireme
