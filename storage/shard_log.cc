#include "storage/shard_log.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/block.h"
#include "storage/clock.h"
#include "storage/fixed_ints.h"
#include "storage/keys.h"
#include "storage/shard_table.h"
#include "storage/status_macros.h"
#include "storage/store.h"
#include "storage/time_partitions.h"

namespace trireme {
namespace {

// RocksDB's own words name a file; a reader wants to know whose records.
absl::Status NameShard(const absl::Status& status, ShardKey shard,
                       const PartitionView& partition, LogIndex index) {
  if (status.ok()) return status;
  return absl::Status(
      status.code(),
      absl::StrCat(status.message(), " (reading stream ", shard.stream.value(),
                   ", shard ", shard.shard.value(), " from counter ",
                   MakeCounter(index, 0), " in ", partition.family->name(),
                   ")"));
}

// The blocks of one shard in one partition.
class BlockCursor {
 public:
  BlockCursor(const Store& store, const PartitionView& partition, GroupId group,
              ShardKey shard)
      : partition_(partition),
        group_(group),
        shard_(shard),
        iterator_(store.NewIterator(
            partition.family, ShardBlocksKey(group, shard).PrefixEnd())) {}

  // To the first block whose entry has this index or a higher one.
  absl::StatusOr<std::optional<BlockView>> Seek(LogIndex index) {
    sought_ = index;
    iterator_->Seek(BlockKey({group_, shard_, MakeCounter(index, 0)}).view());
    return Current();
  }
  absl::StatusOr<std::optional<BlockView>> Next() {
    iterator_->Next();
    return Current();
  }

 private:
  absl::StatusOr<std::optional<BlockView>> Current() {
    if (!iterator_->Valid()) {
      RETURN_IF_ERROR(
          NameShard(iterator_->status(), shard_, partition_, sought_));
      return std::optional<BlockView>();
    }
    ASSIGN_OR_RETURN(const BlockView block,
                     VerifyBlock(iterator_->key(), iterator_->value()));
    return std::optional<BlockView>(block);
  }

  const PartitionView& partition_;
  const GroupId group_;
  const ShardKey shard_;
  LogIndex sought_ = 0;
  const std::unique_ptr<Store::Iterator> iterator_;
};

}  // namespace

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
  }
};

absl::StatusOr<std::vector<Block>> ShardLog::Read(GroupId group, ShardKey shard,
                                                  Counter from,
                                                  size_t bytes_max,
                                                  int64_t horizon_ms) const {
  Reading reading;
  reading.group = group;
  reading.shard = shard;
  reading.from = from;
  reading.bytes_max = bytes_max;
  reading.horizon_ms = horizon_ms;
  auto partition = partitions_->FirstFrom(group, CounterIndex(from));
  while (partition && !reading.full) {
    if (partition->last_stamp_ms >= horizon_ms)
      RETURN_IF_ERROR(store_->NoteRead(ReadPartition(*partition, &reading)));
    partition = partitions_->After(group, partition->number);
  }
  return std::move(reading.blocks);
}

absl::Status ShardLog::ReadPartition(const PartitionView& partition,
                                     Reading* reading) const {
  BlockCursor cursor(*store_, partition, reading->group, reading->shard);
  ASSIGN_OR_RETURN(std::optional<BlockView> block,
                   cursor.Seek(CounterIndex(reading->from)));
  if (block && block->arrival_ms < reading->horizon_ms) {
    // Hours of expired blocks may follow: jump over them by the time index.
    ASSIGN_OR_RETURN(
        const std::optional<IndexRange> second,
        FindSecond(partition, reading->group, reading->horizon_ms));
    if (!second) return absl::OkStatus();
    const LogIndex index = std::max(second->begin, CounterIndex(reading->from));
    ASSIGN_OR_RETURN(block, cursor.Seek(index));
  }
  while (block && !reading->full) {
    const bool wanted = block->last() >= reading->from &&
                        block->arrival_ms >= reading->horizon_ms;
    if (wanted) reading->Add(*block);
    if (reading->full) break;
    ASSIGN_OR_RETURN(block, cursor.Next());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<ShardLog::IndexRange>> ShardLog::FindSecond(
    const PartitionView& partition, GroupId group, int64_t time_ms) const {
  const uint64_t second = UnixSecondOf(time_ms);
  const auto rows =
      store_->NewIterator(partition.family, GroupTimesKey(group).PrefixEnd());
  IndexRange range;
  range.end = partition.last_index + 1;
  bool found = false;
  for (rows->Seek(TimeKey({group, second}).view()); rows->Valid();
       rows->Next()) {
    const std::optional<SecondId> id = DecodeTimeKey(rows->key());
    if (!id || rows->value().size() != sizeof(LogIndex))
      return absl::DataLossError("malformed row of a time index");
    const auto index = LoadLittle<LogIndex>(rows->value().data());
    if (!found) range.begin = index;
    found = true;
    if (id->second > second) {
      range.end = index;
      break;
    }
  }
  RETURN_IF_ERROR(rows->status());
  if (!found) return std::optional<IndexRange>();
  return std::optional<IndexRange>(range);
}

absl::StatusOr<std::optional<Counter>> ShardLog::FindTimeInPartition(
    const PartitionView& partition, GroupId group, ShardKey shard,
    int64_t time_ms) const {
  ASSIGN_OR_RETURN(const std::optional<IndexRange> second,
                   FindSecond(partition, group, time_ms));
  if (!second) return std::optional<Counter>();
  // Along the log stamps never decrease, so the first block in time is found
  // by halving the second's indexes.
  BlockCursor cursor(*store_, partition, group, shard);
  LogIndex begin = second->begin;
  LogIndex end = second->end;
  while (begin < end) {
    const LogIndex middle = begin + (end - begin) / 2;
    ASSIGN_OR_RETURN(const std::optional<BlockView> block, cursor.Seek(middle));
    if (block && block->arrival_ms < time_ms) {
      begin = CounterIndex(block->id.first) + 1;
    } else {
      end = middle;
    }
  }
  ASSIGN_OR_RETURN(const std::optional<BlockView> block, cursor.Seek(begin));
  if (!block || block->arrival_ms < time_ms) return std::optional<Counter>();
  return std::optional<Counter>(block->id.first);
}

absl::StatusOr<Counter> ShardLog::FindTime(GroupId group, ShardKey shard,
                                           int64_t time_ms) const {
  // Before the search: what arrives meanwhile comes at this counter or later.
  const Counter next = shards_->State(group, shard).next;
  for (auto partition = partitions_->FirstFrom(group, 0); partition;
       partition = partitions_->After(group, partition->number)) {
    if (partition->last_stamp_ms < time_ms) continue;
    const absl::StatusOr<std::optional<Counter>> found =
        FindTimeInPartition(*partition, group, shard, time_ms);
    RETURN_IF_ERROR(store_->NoteRead(found.status()));
    if (found->has_value()) return **found;
  }
  return next;
}

}  // namespace trireme
