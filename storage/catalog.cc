#include "storage/catalog.h"

#include <algorithm>
#include <utility>

#include "storage/check.h"
#include "storage/retention.h"

namespace trireme {

absl::string_view StreamStatusName(StreamStatus status) {
  switch (status) {
    case StreamStatus::kCreating:
      return "CREATING";
    case StreamStatus::kDeleting:
      return "DELETING";
    case StreamStatus::kActive:
      return "ACTIVE";
    case StreamStatus::kUpdating:
      return "UPDATING";
  }
  return "UNKNOWN";
}

const Shard* Stream::FindShard(ShardIndex index) const {
  const auto at = std::lower_bound(shards.begin(), shards.end(), index,
                                   [](const Shard& shard, ShardIndex wanted) {
                                     return shard.index < wanted;
                                   });
  return at != shards.end() && at->index == index ? &*at : nullptr;
}

const Shard& Stream::ShardFor(HashKey key) const {
  // The last open shard that starts at or before the key.
  const auto after = std::upper_bound(
      open.begin(), open.end(), key, [this](HashKey wanted, uint32_t position) {
        return wanted < shards[position].range.start;
      });
  CHECK(after != open.begin(), "open shards do not cover the hash key space");
  return shards[*std::prev(after)];
}

int64_t Stream::TrimHorizonMs(absl::Time now) const {
  return std::max(trimmed_until_ms,
                  absl::ToUnixMillis(now) - HoursToMs(retention_hours));
}

bool Stream::IsExpired(const Shard& shard, absl::Time now) const {
  return shard.end.has_value() &&
         static_cast<int64_t>(shard.closed_s + 1) * 1000 + kExpirySlackMs <
             TrimHorizonMs(now);
}

std::shared_ptr<const Stream> Catalog::Find(absl::string_view name) const {
  absl::MutexLock lock(&mu_);
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

std::shared_ptr<const Stream> Catalog::Find(StreamId id) const {
  absl::MutexLock lock(&mu_);
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const Stream>> Catalog::List(
    absl::string_view after, size_t limit) const {
  std::vector<std::shared_ptr<const Stream>> streams;
  absl::MutexLock lock(&mu_);
  for (auto at = by_name_.upper_bound(after);
       at != by_name_.end() && streams.size() < limit; ++at)
    streams.push_back(at->second);
  return streams;
}

std::vector<uint32_t> Catalog::OpenShardsByGroup(uint32_t group_count) const {
  std::vector<uint32_t> counts(group_count, 0);
  absl::MutexLock lock(&mu_);
  const auto count = [&counts](const Shard& shard) {
    if (shard.group.value() < counts.size()) ++counts[shard.group.value()];
  };
  for (const auto& [name, stream] : by_name_) {
    for (const uint32_t position : stream->open)
      count(stream->shards[position]);
    for (const Reshard& reshard : stream->reshards) {
      for (const Shard& child : reshard.children) count(child);
    }
  }
  return counts;
}

size_t Catalog::stream_count() const {
  absl::MutexLock lock(&mu_);
  return by_id_.size();
}

size_t Catalog::on_demand_stream_count() const {
  absl::MutexLock lock(&mu_);
  return static_cast<size_t>(
      std::count_if(by_id_.begin(), by_id_.end(), [](const auto& stream) {
        return stream.second->mode == StreamMode::kOnDemand;
      }));
}

AccountSettings Catalog::account() const {
  absl::MutexLock lock(&mu_);
  return account_;
}

void Catalog::Put(std::shared_ptr<const Stream> stream) {
  absl::MutexLock lock(&mu_);
  by_id_[stream->id] = stream;
  by_name_[stream->name] = std::move(stream);
}

void Catalog::Remove(StreamId id) {
  absl::MutexLock lock(&mu_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  // The name may already be a newer stream's.
  const auto named = by_name_.find(found->second->name);
  if (named != by_name_.end() && named->second->id == id) by_name_.erase(named);
  by_id_.erase(found);
}

void Catalog::PutAccount(const AccountSettings& account) {
  absl::MutexLock lock(&mu_);
  account_ = account;
}

void Catalog::Clear() {
  absl::MutexLock lock(&mu_);
  by_name_.clear();
  by_id_.clear();
  account_ = AccountSettings();
}

}  // namespace trireme
