// ShardLog reads committed records of shards back from the store's time
// partitions: from a position, from a time, to the tip (design.md D4, D7).
//
// A shard whose retention was changed has blocks in partitions of several
// classes; a reader merges them.
//
// Thread-safe; owned by the StateMachine. Blocks are written by the applier
// thread only; what is here is committed and never changes.
#ifndef TRIREME_STORAGE_SHARD_LOG_H_
#define TRIREME_STORAGE_SHARD_LOG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/ids.h"
#include "storage/payload.h"

namespace trireme {

// The records one entry brought to one shard.
struct Block {
  Counter first = 0;  // Counter of its first record; the others follow by one.
  uint32_t record_count = 0;
  int64_t arrival_ms = 0;  // Unix milliseconds; never decreases along a shard.
  std::string batch;       // See record.h; its checksum has been verified.

  Counter last() const { return first + record_count - 1; }
};

// Where a shard's log stands on this node.
struct ShardState {
  bool exists = false;          // Opened here and not dropped.
  Counter next = 0;             // One beyond the newest record's counter.
  int64_t last_arrival_ms = 0;  // Of the newest record; 0 when there is none.
  std::optional<Counter> end;   // Set once sealed: no record is at or beyond.
};

class ShardTable;
class PartitionTable;
class Store;

class ShardLog {
 public:
  // All must outlive the object.
  ShardLog(const Store* store, const PartitionTable* partitions,
           const ShardTable* shards)
      : store_(store), partitions_(partitions), shards_(shards) {}

  // Blocks of `shard` that hold records with counter >= `from`, oldest first,
  // until `bytes_max` of batches (at least one block when there is any). The
  // first block may begin before `from`. Records older than the retention
  // horizon are skipped. DataLoss when a block is damaged.
  absl::StatusOr<std::vector<Block>> Read(GroupId group, ShardKey shard,
                                          Counter from, size_t bytes_max,
                                          int64_t horizon_ms) const;

  // The lowest counter whose record arrived at or after `time_ms`, or the
  // shard's next counter when there is none yet.
  absl::StatusOr<Counter> FindTime(GroupId group, ShardKey shard,
                                   int64_t time_ms) const;

 private:
  struct Reading;
  // Both may miss a block that is moved to another class meanwhile.
  absl::Status ReadOnce(Reading* reading) const;
  absl::StatusOr<Counter> FindTimeOnce(GroupId group, ShardKey shard,
                                       int64_t time_ms) const;

  // Set at construction.
  const Store* const store_;
  const PartitionTable* const partitions_;
  const ShardTable* const shards_;
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_SHARD_LOG_H_
