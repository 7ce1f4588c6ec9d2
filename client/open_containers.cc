#include "client/open_containers.h"

#include <algorithm>
#include <utility>

namespace trireme::client {

bool OpenContainers::IsTooLarge(const ProducerRecord& record) const {
  return Aggregate().BytesWith(record) > limits_.aggregate_bytes_max;
}

bool OpenContainers::Add(UserPut& put, const ShardMap::Shard& shard,
                         uint64_t& number, std::deque<Container>& sealed) {
  // One that lives shorter is not to expire here.
  const absl::Time put_at = put.member.put_at;
  const absl::Time seal_at =
      put_at +
      std::min(limits_.buffered_time_max, (put.member.expires - put_at) / 2);
  auto open = open_.find(shard.range.first);
  if (open == open_.end() || !open->second.Join(put, limits_)) {
    if (numbered_ && number == 0) return false;
    if (open != open_.end()) Seal(open, sealed);
    if (IsTooLarge(put.record)) {
      Container& alone = sealed.emplace_back(std::move(put), shard);
      alone.number = std::exchange(number, 0);
      alone.Seal();
      return true;
    }
    open = open_.emplace(shard.range.first, Container(std::move(put), shard))
               .first;
    open->second.number = std::exchange(number, 0);
  }
  Container& container = open->second;
  container.seal_at = std::min(container.seal_at, seal_at);
  seal_at_ = std::min(seal_at_, seal_at);
  if (container.members().size() >= limits_.aggregate_records_max) {
    Seal(open, sealed);
  }
  return true;
}

void OpenContainers::Seal(ByShard::iterator open,
                          std::deque<Container>& sealed) {
  open->second.Seal();
  sealed.push_back(std::move(open->second));
  open_.erase(open);
}

void OpenContainers::SealDue(absl::Time now, std::deque<Container>& sealed) {
  if (now < seal_at_) return;
  seal_at_ = absl::InfiniteFuture();
  for (auto open = open_.begin(); open != open_.end();) {
    const auto here = open++;
    if (here->second.seal_at <= now) {
      Seal(here, sealed);
    } else {
      seal_at_ = std::min(seal_at_, here->second.seal_at);
    }
  }
}

absl::Time OpenContainers::GiveUpExpired(absl::Time now, Outcomes& outcomes) {
  absl::Time expires = absl::InfiniteFuture();
  for (auto open = open_.begin(); open != open_.end();) {
    const auto here = open++;
    if (here->second.GiveUpExpired(now, absl::OkStatus(), outcomes)) {
      expires = std::min(expires, here->second.expires());
    } else {
      open_.erase(here);
    }
  }
  return expires;
}

}  // namespace trireme::client
