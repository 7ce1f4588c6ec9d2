#include "replication/inbox.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/errors.h"

namespace trireme {
namespace {

// Holds the room that commands take.
constexpr uint64_t kCommands = 0;

// Not absl::Hash, which differs with each process: a simulation must not.
// Neighbours have slots of their own.
uint64_t HolderOf(const ShardKey& shard) {
  return shard.stream.value() * 0x9e3779b97f4a7c15u + shard.shard.value();
}

}  // namespace

WaitingPlace::~WaitingPlace() {
  if (room_ == nullptr) return;
  for (const PutBatch& put : body_->puts) {
    room_->Release(HolderOf(put.shard), put.batch.size());
  }
  room_->Release(kCommands, body_->command.size());
}

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

absl::StatusOr<WaitingPlace> Inbox::Admit(
    std::shared_ptr<const ProposalBody> body) {
  const std::vector<PutBatch>& puts = body->puts;
  size_t taken = 0;
  // Its parts are not too much beside each other when nothing else waits.
  if (room_.held() == 0) {
    for (; taken < puts.size(); ++taken)
      room_.TakeAnyway(HolderOf(puts[taken].shard), puts[taken].batch.size());
  }
  while (taken < puts.size() &&
         room_.Take(HolderOf(puts[taken].shard), puts[taken].batch.size())) {
    ++taken;
  }
  if (taken == puts.size() && room_.Take(kCommands, body->command.size())) {
    return WaitingPlace(&room_, std::move(body));
  }
  for (size_t i = 0; i < taken; ++i) {
    room_.Release(HolderOf(puts[i].shard), puts[i].batch.size());
  }
  return MakeError(ErrorReason::kOverloaded,
                   absl::StrCat(room_.held(),
                                " bytes of writes wait on this node; the "
                                "limit is ",
                                room_.size(),
                                ", and for one shard what is "
                                "free, ",
                                room_.free(), "; retry later"));
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
