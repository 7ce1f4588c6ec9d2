// Which shards end and which begin when a stream is resharded, as pure
// functions of the stream (kinesis-contract.md §1.7, §2.6;
// docs/decisions/0005).
#ifndef TRIREME_STORAGE_RESHARDING_H_
#define TRIREME_STORAGE_RESHARDING_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/catalog.h"
#include "storage/hash_key.h"
#include "storage/ids.h"
#include "storage/shard_places.h"

namespace trireme {

// An open shard split before `new_start`. Errors: ResourceNotFound for a shard
// the stream has not, InvalidArgument for a closed one and for a hash key that
// is not both greater than one plus the shard's first and less than its last.
absl::StatusOr<Reshard> PlanSplit(const Stream& stream, ShardIndex shard,
                                  HashKey new_start);

// Two open shards, in any order, that are neighbours. Errors: as PlanSplit.
absl::StatusOr<Reshard> PlanMerge(const Stream& stream, ShardIndex shard,
                                  ShardIndex adjacent);

// The next round of disjoint splits, or of merges, towards `target` (>= 1)
// open shards of nearly equal ranges. Empty: the stream has them.
std::vector<Reshard> PlanRound(const Stream& stream, uint32_t target);
// How many open shards the stream has at the most during these rounds.
size_t PeakShards(const Stream& stream, uint32_t target);

// Numbers and places the children of these plans and makes the stream UPDATING
// with them. `now_s`: unix seconds.
void BeginReshards(std::vector<Reshard> reshards, uint64_t now_s,
                   ShardPlaces* places, Stream* stream);

// The range that a reshard's parents have together.
HashKeyRange RangeOf(const Stream& stream, const Reshard& reshard);

}  // namespace trireme

#endif  // TRIREME_STORAGE_RESHARDING_H_
