// Producers is what a data group knows of those who put to its shards exactly
// once (docs/decisions/0009): of each producer and shard its epoch and which of
// the numbers that it may still send again are written, and where. So a record
// that is sent again is written once, whichever node or leader takes it.
//
// A value, built from rows (producer_row.h) in the order in which they came,
// and the same again from those that are left. Not thread-safe.
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

// A shard that holds so much takes no more, but in the place of the producer
// that has been idle longest, if that is for kProducerIdleMinMs: it refuses
// what it does not know (kLimitExceeded). An entry may take it beyond.
inline constexpr size_t kShardProducersMax = 10'000;
inline constexpr size_t kShardNumbersMax = 262'144;
inline constexpr int64_t kProducerIdleMinMs = 10 * 60'000;
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

  // A new row, after all of the same shard with a lower id. Whoever has been
  // idle for too long, by its stamp, is forgotten.
  void Add(PlacedProducerRow row);
  // One that was there before, when all that are left are put together again.
  void Restore(PlacedProducerRow row);
  void Drop(ShardKey shard);
  bool Knows(ShardKey shard) const { return shards_.contains(shard); }

  // Rows that mean nothing any more, since the last call: they are to go, or
  // what is put together again from rows would not be the same.
  struct DeadRow {
    ShardKey shard;
    ProducerRowId id;

    friend bool operator==(const DeadRow&, const DeadRow&) = default;
  };
  std::vector<DeadRow> TakeDead();

  friend bool operator==(const Producers&, const Producers&) = default;

 private:
  // Where a number's record stands: in a row of its producer.
  struct Place {
    ProducerRowId row;
    uint32_t position = 0;

    friend bool operator==(const Place&, const Place&) = default;
  };
  struct Row {
    int64_t stamp_ms = 0;
    ShardIndex shard;
    uint64_t shard_created_s = 0;
    LogIndex index = 0;
    size_t live = 0;  // Numbers that point here.

    SequenceNumber NumberAt(uint32_t position) const;
    friend bool operator==(const Row&, const Row&) = default;
  };
  struct Producer {
    uint64_t epoch = 0;
    uint64_t oldest_number = 0;
    absl::btree_map<ProducerRowId, Row> rows;  // Never empty.
    absl::btree_map<uint64_t, Place> numbers;  // From oldest_number on.

    friend bool operator==(const Producer&, const Producer&) = default;
  };
  struct Shard {
    absl::flat_hash_map<std::string, Producer> producers;
    absl::btree_map<ProducerRowId, std::string> by_newest_row;
    size_t numbers = 0;  // Of all producers.

    friend bool operator==(const Shard&, const Shard&) = default;
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

}  // namespace trireme

#endif  // TRIREME_STORAGE_PRODUCERS_H_
