#include "replication/read_barriers.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/errors.h"

namespace trireme {

std::optional<uint64_t> ReadBarriers::TakeQuestion(absl::Duration now,
                                                   uint64_t next_question) {
  if (asked_.empty()) {
    if (waiting_.empty()) return std::nullopt;
    asked_.swap(waiting_);
  } else if (now < asked_at_ + ask_again_) {
    return std::nullopt;
  }
  // Asking again is safe: the answer can only be later, hence fresher.
  question_ = next_question;
  asked_at_ = now;
  return question_;
}

void ReadBarriers::OnIndex(uint64_t question, LogIndex index) {
  if (question != question_) return;
  for (PendingBarrier& barrier : std::exchange(asked_, {})) {
    confirmed_.push_back({index, std::move(barrier)});
  }
}

void ReadBarriers::OnFailed(uint64_t question) {
  if (question != question_) return;
  for (PendingBarrier& barrier : std::exchange(asked_, {})) {
    waiting_.push_back(std::move(barrier));
  }
}

std::vector<PendingBarrier> ReadBarriers::TakeReleased(LogIndex handed) {
  std::vector<PendingBarrier> released;
  std::erase_if(confirmed_, [&](Confirmed& confirmed) {
    if (confirmed.index > handed) return false;
    released.push_back(std::move(confirmed.barrier));
    return true;
  });
  return released;
}

void ReadBarriers::Expire(absl::Duration now) {
  const auto expire = [&](PendingBarrier& barrier) {
    if (barrier.deadline > now) return false;
    barrier.done(MakeError(
        ErrorReason::kNoLeader,
        absl::StrCat("group ", group_.value(),
                     " has no leader that confirmed in time what is newest")));
    return true;
  };
  std::erase_if(waiting_, expire);
  std::erase_if(asked_, expire);
  std::erase_if(confirmed_, [&](Confirmed& confirmed) {
    return expire(confirmed.barrier);
  });
}

}  // namespace trireme
