#include "storage/shard_table.h"

#include <algorithm>

#include "storage/retention.h"
#include "trireme/v1/command.pb.h"

namespace trireme {

ShardPlace ShardRecord::PlaceIn(RetentionClass retention) const {
  if (retention == newest_in) return {retention, next, last_arrival_ms};
  for (const ShardPlace& place : elsewhere) {
    if (place.retention == retention) return place;
  }
  return {retention};
}

void ShardRecord::GoOnIn(RetentionClass retention) {
  if (retention == newest_in) return;
  if (next > 0) AddPlace({newest_in, next, last_arrival_ms});
  newest_in = retention;
  std::erase_if(elsewhere, [retention](const ShardPlace& place) {
    return place.retention == retention;
  });
}

void ShardRecord::AddPlace(const ShardPlace& place) {
  for (ShardPlace& known : elsewhere) {
    if (known.retention != place.retention) continue;
    known.until = std::max(known.until, place.until);
    known.last_ms = std::max(known.last_ms, place.last_ms);
    return;
  }
  elsewhere.push_back(place);
}

std::string EncodeShardRecord(const ShardRecord& record) {
  v1::ShardStateRow row;
  row.set_created_s(record.created_s);
  row.set_next_counter(record.next);
  row.set_last_arrival_ms(record.last_arrival_ms);
  if (record.end) row.set_end_counter(*record.end);
  row.set_dropped(record.dropped);
  row.set_retention_hours(record.retention_hours);
  row.set_retention_change(record.retention_change);
  row.set_not_opened(!record.opened);
  row.set_newest_in(static_cast<uint32_t>(record.newest_in));
  for (const ShardPlace& place : record.elsewhere) {
    v1::ShardPlaceRow& out = *row.add_elsewhere();
    out.set_retention_class(static_cast<uint32_t>(place.retention));
    out.set_until_counter(place.until);
    out.set_last_ms(place.last_ms);
  }
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
  record.retention_change = row.retention_change();
  record.opened = !row.not_opened();
  // Written by a version that knew one class only: 0.
  const auto newest_in = ToRetentionClass(
      row.newest_in() == 0 ? static_cast<uint32_t>(RetentionClass::kDay)
                           : row.newest_in());
  if (!newest_in) return absl::DataLossError("malformed row of a shard");
  record.newest_in = *newest_in;
  for (const v1::ShardPlaceRow& place : row.elsewhere()) {
    const auto retention = ToRetentionClass(place.retention_class());
    if (!retention) return absl::DataLossError("malformed row of a shard");
    record.AddPlace({*retention, place.until_counter(), place.last_ms()});
  }
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

absl::btree_map<uint32_t, int64_t> ShardTable::NewestByRetention(
    RetentionClass retention) const {
  absl::btree_map<uint32_t, int64_t> newest;
  absl::MutexLock lock(&mu_);
  for (const auto& [group, shards] : groups_) {
    for (const auto& [shard, record] : shards) {
      const ShardPlace place = record.PlaceIn(retention);
      if (place.until == 0 || record.dropped) continue;
      // What a catch-up brought ahead: its retention is not known yet.
      const uint32_t hours =
          record.opened ? record.retention_hours : kRetentionHoursMax;
      int64_t& last_ms = newest.try_emplace(hours, place.last_ms).first->second;
      last_ms = std::max(last_ms, place.last_ms);
    }
  }
  return newest;
}

void ShardTable::Publish(GroupId group, std::span<const ShardChange> changes) {
  if (changes.empty()) return;
  absl::MutexLock lock(&mu_);
  auto& shards = groups_[group];
  for (const ShardChange& change : changes)
    shards[change.shard] = change.record;
}

}  // namespace trireme
