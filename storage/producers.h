// Producers is what a data group knows of those who put to its shards exactly
// once (docs/decisions/0009): of each producer and shard its epoch and which of
// the numbers that it may still send again are written, and where. So a record
// that is sent again is written once, whichever node or leader takes it.
//
// A value, built from rows (producer_row.h) in the order in which they came:
// equal rows make equal values, on every replica. Not thread-safe.
#ifndef TRIREME_STORAGE_PRODUCERS_H_
#define TRIREME_STORAGE_PRODUCERS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "storage/entry_payload.h"
#include "storage/ids.h"
#include "storage/producer_row.h"
#include "storage/replicated_state.h"

namespace trireme {

// What a shard holds at most. A producer beyond it takes the place of the one
// that has been idle longest, if that is for kProducerIdleMinMs; else it is
// refused (kLimitExceeded).
inline constexpr size_t kShardProducersMax = 10'000;
inline constexpr size_t kShardNumbersMax = 131'072;
inline constexpr int64_t kProducerIdleMinMs = 3'600'000;
// A producer that is idle for longer may be forgotten.
inline constexpr int64_t kProducerIdleMaxMs = 24 * 3'600'000;

class Producers {
 public:
  // Where a batch is going to stand.
  struct BatchPlace {
    LogIndex index = 0;
    int64_t stamp_ms = 0;
    uint64_t shard_created_s = 0;
  };
  // The batch as it is to be written, and the rows that come with it.
  struct Decision {
    AppliedBatch batch;
    std::vector<PlacedProducerRow> rows;
  };
  Decision Decide(const ShardBatch& batch, const BatchPlace& place) const;

  // After all rows of the same shard with a lower id.
  void Add(PlacedProducerRow row);
  void Drop(ShardKey shard);
  bool Knows(ShardKey shard) const { return shards_.contains(shard); }

  // Rows that mean nothing any more, since the last call; they do no harm.
  struct DeadRow {
    ShardKey shard;
    ProducerRowId id;
  };
  std::vector<DeadRow> TakeDead();

 private:
  // Where a number's record stands: in a row of its producer.
  struct Place {
    ProducerRowId row;
    uint32_t position = 0;
  };
  struct Row {
    int64_t stamp_ms = 0;
    ShardIndex shard;
    uint64_t shard_created_s = 0;
    LogIndex index = 0;
    size_t live = 0;  // Numbers that point here.

    SequenceNumber NumberAt(uint32_t position) const;
  };
  struct Producer {
    uint64_t epoch = 0;
    uint64_t oldest_number = 0;
    absl::btree_map<ProducerRowId, Row> rows;  // Never empty.
    absl::btree_map<uint64_t, Place> numbers;  // From oldest_number on.
  };
  struct Shard {
    absl::flat_hash_map<std::string, Producer> producers;
    absl::btree_map<ProducerRowId, std::string> by_newest_row;
    size_t numbers = 0;  // Of all producers.
  };
  class BatchDecider;

  const Shard* FindShard(ShardKey shard) const;
  // Forgets what is below oldest_number, and rows that nothing points to.
  void Trim(ShardKey key, Shard& shard, Producer& producer);
  // Forgets who has been idle for too long, or is in the way.
  void Evict(ShardKey key, Shard& shard, int64_t now_ms);

  absl::flat_hash_map<ShardKey, Shard> shards_;
  std::vector<DeadRow> dead_;
};

// What parents' rows become in their child, from row {index, 0} on: with the
// newest epoch and the highest oldest number of each producer in all of them.
std::vector<PlacedProducerRow> ImportedRows(ShardKey child, LogIndex index,
                                            std::vector<ProducerRow> rows);

}  // namespace trireme

#endif  // TRIREME_STORAGE_PRODUCERS_H_
