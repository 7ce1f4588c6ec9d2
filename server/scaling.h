// What an on-demand stream should do about its load (kinesis-contract.md §2.9):
// split the hottest shard where its load halves, or merge the coldest
// neighbours. A pure function; Autoscaler asks it.
#ifndef TRIREME_SERVER_SCALING_H_
#define TRIREME_SERVER_SCALING_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "server/load_meter.h"
#include "storage/catalog.h"
#include "storage/hash_key.h"
#include "storage/ids.h"

namespace trireme {

struct ScalingRules {
  // A shard with more of either is split: half of what a shard takes.
  double split_bytes_per_second = 512 * 1024;
  double split_records_per_second = 500;
  // Two neighbours each of which has less than half of both for `merge_after`
  // become one: so little that the merged shard stays far from being split
  // again.
  double merge_bytes_per_second = 128 * 1024;
  double merge_records_per_second = 125;
  absl::Duration merge_after = absl::Minutes(15);
  uint32_t shards_min = 4;
};

// An open shard as the rules see it.
struct MeasuredShard {
  const Shard* shard = nullptr;
  ShardLoad load;
  // Since when it has been below half of the merge rates; InfiniteFuture: it
  // is not.
  absl::Time cold_since = absl::InfiniteFuture();
};

struct ScalingPlan {
  ShardIndex shard;
  HashKey new_start = 0;               // Of a split.
  std::optional<ShardIndex> adjacent;  // Of a merge.
  std::string reason;                  // For people, with the figures.
};

// `shards`: the stream's open ones, by range. Nothing: it is fine as it is.
std::optional<ScalingPlan> PlanScaling(std::span<const MeasuredShard> shards,
                                       const ScalingRules& rules,
                                       absl::Time now);

// Where to split so that both sides have as much of the samples as possible;
// nothing when one hash key has nearly all. Without samples: in the middle.
std::optional<HashKey> SplitPoint(const HashKeyRange& range,
                                  std::vector<HashKey> samples);

// Whether its load is below half of what a merge takes.
bool IsCold(const ShardLoad& load, const ScalingRules& rules);

}  // namespace trireme

#endif  // TRIREME_SERVER_SCALING_H_
