// ShardCursor goes along the blocks of one shard in one class of time
// partitions, oldest first, from partition to partition.
//
// A value on a reader's stack; not thread-safe.
#ifndef TRIREME_STORAGE_SHARD_CURSOR_H_
#define TRIREME_STORAGE_SHARD_CURSOR_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/block.h"
#include "storage/ids.h"
#include "storage/store.h"
#include "storage/time_partitions.h"

namespace trireme {

class ShardCursor {
 public:
  // Blocks that arrived before `horizon_ms` are skipped. What is pointed to
  // must outlive the cursor.
  ShardCursor(const Store* store, const TimePartitions* partitions,
              GroupId group, ShardKey shard, int64_t horizon_ms)
      : store_(store),
        partitions_(partitions),
        group_(group),
        shard_(shard),
        horizon_ms_(horizon_ms) {}

  // To the first block with records at or beyond `from`. Errors of this and
  // Next: DataLoss, naming shard and partition, for a damaged block.
  absl::Status Seek(Counter from);
  absl::Status Next();
  // Null at the end. Good until the next move.
  const BlockView* block() const { return block_ ? &*block_ : nullptr; }

  // The lowest counter whose record arrived at or after `time_ms`; nothing
  // when there is none here. Moves the cursor.
  absl::StatusOr<std::optional<Counter>> FindTime(int64_t time_ms);

 private:
  // Log indexes of the group: from `begin` to before `end`.
  struct IndexRange {
    LogIndex begin = 0;
    LogIndex end = 0;
  };

  void Open(std::optional<PartitionView> partition);
  // To the first block of the partition whose entry has this index or more.
  absl::Status SeekIndex(LogIndex index);
  absl::Status Take();
  // Out of partitions that have no more, into the next, over what is expired.
  absl::Status Settle();
  // Where in the group's log the second of `time_ms` lies, or would lie, in
  // the partition. Nothing when all of the partition is older.
  absl::StatusOr<std::optional<IndexRange>> FindSecond(int64_t time_ms) const;
  absl::Status FindTimeHere(int64_t time_ms);
  absl::Status NameShard(const absl::Status& status) const;

  // Set at construction.
  const Store* const store_;
  const TimePartitions* const partitions_;
  const GroupId group_;
  const ShardKey shard_;
  const int64_t horizon_ms_;

  Counter from_ = 0;
  LogIndex sought_ = 0;                        // For error messages.
  std::optional<PartitionView> partition_;     // Nothing: at the end.
  std::unique_ptr<Store::Iterator> iterator_;  // In the partition.
  std::optional<BlockView> block_;
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_SHARD_CURSOR_H_
