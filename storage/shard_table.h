// ShardTable knows every shard of this node's groups, in memory: whether it is
// open, where its log ends, when it was sealed. The same stands in rows of the
// store, written in the same batches as the records.
//
// Thread-safe. Owned by the StateMachine, which publishes a change here after
// it was written to the store: a counter seen here can be read.
#ifndef TRIREME_STORAGE_SHARD_TABLE_H_
#define TRIREME_STORAGE_SHARD_TABLE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "storage/ids.h"
#include "storage/keys.h"
#include "storage/shard_log.h"

namespace trireme {

// What one class of time partitions holds of a shard.
struct ShardPlace {
  RetentionClass retention = RetentionClass::kDay;
  Counter until = 0;    // One beyond its newest block there.
  int64_t last_ms = 0;  // When that arrived.

  friend bool operator==(const ShardPlace&, const ShardPlace&) = default;
};

struct ShardRecord {
  uint64_t created_s = 0;
  Counter next = 0;  // One beyond the newest record.
  int64_t last_arrival_ms = 0;
  std::optional<Counter> end;  // Sealed there.
  // False while only catch-up has brought blocks of it (FinishInstall opens).
  bool opened = false;
  bool dropped = false;  // Stays, so that a late OpenShards cannot revive it.
  uint32_t retention_hours = 24;
  uint32_t retention_change = 0;  // Which change of the stream made it so.
  // Where this node's blocks of it are: the newest, and others if its retention
  // was changed. Not the same on other nodes.
  RetentionClass newest_in = RetentionClass::kDay;
  std::vector<ShardPlace> elsewhere;  // Each class once.

  bool exists() const { return opened && !dropped; }
  // Until 0: never any.
  ShardPlace PlaceIn(RetentionClass retention) const;
  // Before its next block is written to `retention`.
  void GoOnIn(RetentionClass retention);
  // Blocks of it were copied to `place`.
  void AddPlace(const ShardPlace& place);
  friend bool operator==(const ShardRecord&, const ShardRecord&) = default;
};

struct ShardChange {
  ShardKey shard;
  ShardRecord record;
};

// The value of a shard's row. Decode gives DataLoss for what is not one.
std::string EncodeShardRecord(const ShardRecord& record);
absl::StatusOr<ShardRecord> DecodeShardRecord(absl::string_view row);

class ShardTable {
 public:
  std::optional<ShardRecord> Find(GroupId group, ShardKey shard) const;
  ShardState State(GroupId group, ShardKey shard) const;
  // All of a group, by shard.
  std::vector<ShardChange> List(GroupId group) const;
  // Who wants what a class of partitions holds: of all shards with the same
  // retention, when the newest block there arrived.
  absl::btree_map<uint32_t, int64_t> NewestByRetention(
      RetentionClass retention) const;

  void Publish(GroupId group, std::span<const ShardChange> changes);

 private:
  mutable absl::Mutex mu_;
  absl::flat_hash_map<GroupId, absl::flat_hash_map<ShardKey, ShardRecord>>
      groups_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_SHARD_TABLE_H_
