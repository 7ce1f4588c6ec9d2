#include "storage/shard_log.h"

#include <algorithm>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "storage/partition_table.h"
#include "storage/shard_cursor.h"
#include "storage/shard_table.h"
#include "storage/status_macros.h"
#include "storage/store.h"

namespace trireme {

struct ShardLog::Reading {
  GroupId group;
  ShardKey shard;
  Counter from = 0;
  size_t bytes_max = 0;
  int64_t horizon_ms = 0;
  // What has been read.
  std::vector<Block> blocks;
  size_t bytes = 0;
  bool full = false;

  void Add(const BlockView& block) {
    full = !blocks.empty() && bytes + block.batch.size() > bytes_max;
    if (full) return;
    bytes += block.batch.size();
    blocks.push_back({block.id.first, block.record_count, block.arrival_ms,
                      std::string(block.batch)});
    full = bytes >= bytes_max;
    from = block.last() + 1;
  }
};

absl::StatusOr<std::vector<Block>> ShardLog::Read(GroupId group, ShardKey shard,
                                                  Counter from,
                                                  size_t bytes_max,
                                                  int64_t horizon_ms) const {
  while (true) {
    const uint64_t moves = partitions_->moves();
    Reading reading{group, shard, from, bytes_max, horizon_ms};
    RETURN_IF_ERROR(store_->NoteRead(ReadOnce(&reading)));
    if (partitions_->moves() == moves) return std::move(reading.blocks);
  }
}

absl::Status ShardLog::ReadOnce(Reading* reading) const {
  const std::optional<ShardRecord> record =
      shards_->Find(reading->group, reading->shard);
  if (!record) return absl::OkStatus();
  // Nearly always one. Several may hold parts of what is wanted, and those of
  // a block that is being moved hold it twice.
  absl::InlinedVector<ShardCursor, 1> cursors;
  for (const RetentionClass retention : kRetentionClasses) {
    if (record->PlaceIn(retention).until <= reading->from) continue;
    cursors.emplace_back(store_, &partitions_->of(retention), reading->group,
                         reading->shard, reading->horizon_ms);
    RETURN_IF_ERROR(cursors.back().Seek(reading->from));
  }
  while (!reading->full) {
    ShardCursor* oldest = nullptr;
    for (ShardCursor& cursor : cursors) {
      if (cursor.block() == nullptr) continue;
      if (oldest == nullptr ||
          cursor.block()->id.first < oldest->block()->id.first)
        oldest = &cursor;
    }
    if (oldest == nullptr) break;
    if (oldest->block()->last() >= reading->from)
      reading->Add(*oldest->block());
    if (reading->full) break;
    RETURN_IF_ERROR(oldest->Next());
  }
  return absl::OkStatus();
}

absl::StatusOr<Counter> ShardLog::FindTime(GroupId group, ShardKey shard,
                                           int64_t time_ms) const {
  while (true) {
    const uint64_t moves = partitions_->moves();
    const absl::StatusOr<Counter> found = FindTimeOnce(group, shard, time_ms);
    RETURN_IF_ERROR(store_->NoteRead(found.status()));
    if (partitions_->moves() == moves) return found;
  }
}

absl::StatusOr<Counter> ShardLog::FindTimeOnce(GroupId group, ShardKey shard,
                                               int64_t time_ms) const {
  // Before the search: what arrives meanwhile comes at this counter or later.
  const ShardRecord record =
      shards_->Find(group, shard).value_or(ShardRecord());
  Counter lowest = record.next;
  for (const RetentionClass retention : kRetentionClasses) {
    const ShardPlace place = record.PlaceIn(retention);
    if (place.until == 0 || place.last_ms < time_ms) continue;
    ShardCursor cursor(store_, &partitions_->of(retention), group, shard, 0);
    ASSIGN_OR_RETURN(const std::optional<Counter> found,
                     cursor.FindTime(time_ms));
    if (found) lowest = std::min(lowest, *found);
  }
  return lowest;
}

}  // namespace trireme
