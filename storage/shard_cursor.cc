#include "storage/shard_cursor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/clock.h"
#include "storage/fixed_ints.h"
#include "storage/keys.h"
#include "storage/status_macros.h"

namespace trireme {

absl::Status ShardCursor::Seek(Counter from) {
  from_ = from;
  Open(partitions_->FirstFrom(group_, CounterIndex(from)));
  if (partition_) RETURN_IF_ERROR(SeekIndex(CounterIndex(from)));
  return Settle();
}

absl::Status ShardCursor::Next() {
  iterator_->Next();
  RETURN_IF_ERROR(Take());
  return Settle();
}

void ShardCursor::Open(std::optional<PartitionView> partition) {
  block_.reset();
  iterator_.reset();
  partition_ = std::move(partition);
  while (partition_ && partition_->last_stamp_ms < horizon_ms_)
    partition_ = partitions_->After(group_, partition_->number);
  if (!partition_) return;
  iterator_ = store_->NewIterator(partition_->family,
                                  ShardBlocksKey(group_, shard_).PrefixEnd());
}

absl::Status ShardCursor::SeekIndex(LogIndex index) {
  sought_ = index;
  iterator_->Seek(BlockKey({group_, shard_, MakeCounter(index, 0)}).view());
  return Take();
}

absl::Status ShardCursor::Take() {
  block_.reset();
  if (!iterator_->Valid()) return NameShard(iterator_->status());
  ASSIGN_OR_RETURN(block_, VerifyBlock(iterator_->key(), iterator_->value()));
  return absl::OkStatus();
}

absl::Status ShardCursor::Settle() {
  while (partition_) {
    if (block_ && block_->arrival_ms < horizon_ms_) {
      // Hours of expired blocks may follow: jump over them by the time index.
      ASSIGN_OR_RETURN(const std::optional<IndexRange> second,
                       FindSecond(horizon_ms_));
      if (second) {
        const LogIndex here = CounterIndex(block_->id.first);
        RETURN_IF_ERROR(SeekIndex(std::max(second->begin, here)));
        while (block_ && block_->arrival_ms < horizon_ms_) {
          iterator_->Next();
          RETURN_IF_ERROR(Take());
        }
      } else {
        block_.reset();
      }
    }
    while (block_ && block_->last() < from_) {
      iterator_->Next();
      RETURN_IF_ERROR(Take());
    }
    if (block_) return absl::OkStatus();
    Open(partitions_->After(group_, partition_->number));
    if (partition_) RETURN_IF_ERROR(SeekIndex(CounterIndex(from_)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<ShardCursor::IndexRange>> ShardCursor::FindSecond(
    int64_t time_ms) const {
  const uint64_t second = UnixSecondOf(time_ms);
  const auto rows = store_->NewIterator(partition_->family,
                                        GroupTimesKey(group_).PrefixEnd());
  IndexRange range;
  range.end = partition_->last_index + 1;
  bool found = false;
  for (rows->Seek(TimeKey({group_, second}).view()); rows->Valid();
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

absl::StatusOr<std::optional<Counter>> ShardCursor::FindTime(int64_t time_ms) {
  for (Open(partitions_->FirstFrom(group_, 0)); partition_;
       Open(partitions_->After(group_, partition_->number))) {
    if (partition_->last_stamp_ms < time_ms) continue;
    RETURN_IF_ERROR(FindTimeHere(time_ms));
    if (block_) return std::optional<Counter>(block_->id.first);
  }
  return std::optional<Counter>();
}

// To the shard's first block in the partition that arrived at or after
// `time_ms`.
absl::Status ShardCursor::FindTimeHere(int64_t time_ms) {
  block_.reset();
  ASSIGN_OR_RETURN(const std::optional<IndexRange> second, FindSecond(time_ms));
  if (!second) return absl::OkStatus();
  // Along the log stamps never decrease, so the first block in time is found
  // by halving the second's indexes.
  LogIndex begin = second->begin;
  LogIndex end = second->end;
  while (begin < end) {
    const LogIndex middle = begin + (end - begin) / 2;
    RETURN_IF_ERROR(SeekIndex(middle));
    if (block_ && block_->arrival_ms < time_ms) {
      begin = CounterIndex(block_->id.first) + 1;
    } else {
      end = middle;
    }
  }
  RETURN_IF_ERROR(SeekIndex(begin));
  if (block_ && block_->arrival_ms < time_ms) block_.reset();
  return absl::OkStatus();
}

// RocksDB's own words name a file; a reader wants to know whose records.
absl::Status ShardCursor::NameShard(const absl::Status& status) const {
  if (status.ok()) return status;
  return absl::Status(
      status.code(),
      absl::StrCat(status.message(), " (reading stream ", shard_.stream.value(),
                   ", shard ", shard_.shard.value(), " from counter ",
                   MakeCounter(sought_, 0), " in ", partition_->family->name(),
                   ")"));
}

}  // namespace trireme
