// Catalog is the meta group's table of streams, shards and settings, in memory
// on every node and in RocksDB under the meta group's applied index.
//
// Owned by the StateMachine, written by the applier thread, read by anyone:
// a found stream is an immutable value that stays as it was when found.
// Survives a crash through the store and the log; see docs/architecture.md.
#ifndef TRIREME_STORAGE_CATALOG_H_
#define TRIREME_STORAGE_CATALOG_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "storage/account_settings.h"
#include "storage/consumers.h"
#include "storage/daily_changes.h"
#include "storage/hash_key.h"
#include "storage/ids.h"
#include "storage/shard_metrics.h"

namespace trireme {

// Written to disk; never renumber.
enum class StreamStatus : uint8_t {
  kCreating = 1,
  kDeleting = 2,
  kActive = 3,
  kUpdating = 4,
};

// As clients see it, e.g. "ACTIVE".
absl::string_view StreamStatusName(StreamStatus status);

// Who decides how many shards a stream has. Written to disk; never renumber.
enum class StreamMode : uint8_t { kProvisioned = 0, kOnDemand = 1 };

// Who decides which shard a record goes to: its keys, or, of an on-demand
// stream, the service. Written to disk; never renumber.
enum class RecordDistribution : uint8_t { kUserPartitionKey = 0, kAuto = 1 };

// What an on-demand stream is to be ready for.
struct WarmThroughput {
  uint32_t target_mibps = 0;   // MiB a second.
  uint32_t current_mibps = 0;  // What it was ready for when last ACTIVE.

  friend bool operator==(const WarmThroughput&,
                         const WarmThroughput&) = default;
};

// Names and values that users give a resource.
using Tags = absl::btree_map<std::string, std::string>;

struct Shard {
  ShardIndex index;
  GroupId group;
  HashKeyRange range;
  uint64_t created_s = 0;  // Unix seconds; part of its sequence numbers.
  std::optional<ShardIndex> parent;
  std::optional<ShardIndex> adjacent_parent;
  // The counter of its end, once closed.
  std::optional<Counter> end;
  uint64_t closed_s = 0;  // Unix seconds, when closed.
};

// Written to disk; never renumber.
enum class ScalingAction : uint8_t {
  kSplitShard = 1,
  kMergeShards = 2,
  kUpdateShardCount = 3,
};

// What an on-demand stream did about its load by itself.
struct ScalingDecision {
  absl::Time decided;
  ScalingAction action = ScalingAction::kSplitShard;
  std::vector<ShardIndex> shards;  // That ended; none of a new shard count.
  std::string reason;              // For people, with the figures.
};
inline constexpr size_t kScalingDecisionsKept = 100;

// One shard, or two neighbours, that end, and the shards that take over their
// range: a split or a merge under way (docs/decisions/0005).
struct Reshard {
  std::vector<ShardIndex> parents;  // Of a merge, the first is ShardToMerge.
  std::vector<Shard> children;      // By range; not in Stream::shards yet.
};

struct Stream {
  StreamId id;
  std::string name;
  StreamStatus status = StreamStatus::kCreating;
  absl::Time created;
  uint32_t retention_hours = 24;
  uint32_t retention_hours_next = 0;  // While it is being changed; 0: no.
  uint32_t retention_change = 0;      // The number of the newest change.
  // Records that arrived before had expired when the retention was raised, and
  // do not come back.
  int64_t trimmed_until_ms = 0;
  uint64_t record_bytes_max = 1u << 20;
  std::vector<Shard> shards;        // By index, ascending.
  std::vector<uint32_t> open;       // Positions in `shards` of the open ones,
                                    // by start of their hash key range.
  std::vector<Reshard> reshards;    // Under way together, while UPDATING.
  std::vector<Shard> forgotten;     // Expired; their groups may not know yet.
  uint32_t shard_count_target = 0;  // Of an UpdateShardCount; 0: none.
  Tags tags;
  Consumers consumers;
  std::string policy;  // JSON, as it was given; empty: none.
  ShardMetrics shard_metrics;
  std::string kms_key_id;  // As it was given; empty: not encrypted.
  StreamMode mode = StreamMode::kProvisioned;
  RecordDistribution distribution = RecordDistribution::kUserPartitionKey;
  std::optional<WarmThroughput> warm;  // Nothing: none was asked for.
  DailyChanges daily_changes;
  std::vector<ScalingDecision> scaling_decisions;  // The newest, by age.

  const Shard* FindShard(ShardIndex index) const;
  // The open shard that owns `key`. Open shards cover the whole space.
  const Shard& ShardFor(HashKey key) const;
  // Records that arrived before this, in Unix milliseconds, have expired.
  int64_t TrimHorizonMs(absl::Time now) const;
  // Closed, and all its records have expired.
  bool IsExpired(const Shard& shard, absl::Time now) const;
};

class Catalog {
 public:
  // Null when there is none of this name (a DELETING one is still found).
  std::shared_ptr<const Stream> Find(absl::string_view name) const;
  std::shared_ptr<const Stream> Find(StreamId id) const;
  // Up to `limit` streams by name, strictly after `after`.
  std::vector<std::shared_ptr<const Stream>> List(absl::string_view after,
                                                  size_t limit) const;
  // Shards per group that are open, or about to be, for placing new ones;
  // index = group id.
  std::vector<uint32_t> OpenShardsByGroup(uint32_t group_count) const;
  size_t stream_count() const;
  size_t on_demand_stream_count() const;
  AccountSettings account() const;

  // Applier thread. Put replaces a stream of the same id.
  void Put(std::shared_ptr<const Stream> stream);
  void Remove(StreamId id);
  void PutAccount(const AccountSettings& account);
  void Clear();

 private:
  mutable absl::Mutex mu_;
  absl::btree_map<std::string, std::shared_ptr<const Stream>> by_name_
      ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<StreamId, std::shared_ptr<const Stream>> by_id_
      ABSL_GUARDED_BY(mu_);
  AccountSettings account_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_CATALOG_H_
