#include "storage/shard_table.h"

#include <algorithm>

#include "trireme/v1/command.pb.h"

namespace trireme {

std::string EncodeShardRecord(const ShardRecord& record) {
  v1::ShardStateRow row;
  row.set_created_s(record.created_s);
  row.set_next_counter(record.next);
  row.set_last_arrival_ms(record.last_arrival_ms);
  if (record.end) row.set_end_counter(*record.end);
  row.set_dropped(record.dropped);
  row.set_retention_hours(record.retention_hours);
  row.set_not_opened(!record.opened);
  return row.SerializeAsString();
}

absl::StatusOr<ShardRecord> DecodeShardRecord(absl::string_view bytes) {
  v1::ShardStateRow row;
  if (!row.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return absl::DataLossError("malformed row of a shard");
  ShardRecord record;
  record.created_s = row.created_s();
  record.next = row.next_counter();
  record.last_arrival_ms = row.last_arrival_ms();
  if (row.has_end_counter()) record.end = row.end_counter();
  record.dropped = row.dropped();
  record.retention_hours = row.retention_hours();
  record.opened = !row.not_opened();
  return record;
}

std::optional<ShardRecord> ShardTable::Find(GroupId group,
                                            ShardKey shard) const {
  absl::MutexLock lock(&mu_);
  const auto shards = groups_.find(group);
  if (shards == groups_.end()) return std::nullopt;
  const auto found = shards->second.find(shard);
  if (found == shards->second.end()) return std::nullopt;
  return found->second;
}

ShardState ShardTable::State(GroupId group, ShardKey shard) const {
  ShardState state;
  const std::optional<ShardRecord> record = Find(group, shard);
  if (!record) return state;
  state.exists = record->exists();
  state.next = record->next;
  state.last_arrival_ms = record->last_arrival_ms;
  state.end = record->end;
  return state;
}

std::vector<ShardChange> ShardTable::List(GroupId group) const {
  std::vector<ShardChange> shards;
  {
    absl::MutexLock lock(&mu_);
    const auto found = groups_.find(group);
    if (found == groups_.end()) return shards;
    shards.reserve(found->second.size());
    for (const auto& [shard, record] : found->second)
      shards.push_back({shard, record});
  }
  std::sort(shards.begin(), shards.end(),
            [](const ShardChange& a, const ShardChange& b) {
              return a.shard < b.shard;
            });
  return shards;
}

uint32_t ShardTable::RetentionHoursMax() const {
  uint32_t hours = 24;
  absl::MutexLock lock(&mu_);
  for (const auto& [group, shards] : groups_) {
    for (const auto& [shard, record] : shards) {
      if (record.exists()) hours = std::max(hours, record.retention_hours);
    }
  }
  return hours;
}

void ShardTable::Publish(GroupId group, std::span<const ShardChange> changes) {
  if (changes.empty()) return;
  absl::MutexLock lock(&mu_);
  auto& shards = groups_[group];
  for (const ShardChange& change : changes)
    shards[change.shard] = change.record;
}

}  // namespace trireme
