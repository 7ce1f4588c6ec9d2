// ShardPlaces chooses the replication groups of new shards: always one with
// the fewest shards (design.md D2).
#ifndef TRIREME_STORAGE_SHARD_PLACES_H_
#define TRIREME_STORAGE_SHARD_PLACES_H_

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "storage/ids.h"

namespace trireme {

class ShardPlaces {
 public:
  // `shards_by_group`: how many each group has now; index = group id, the meta
  // group, which gets none, included (Catalog::OpenShardsByGroup).
  explicit ShardPlaces(std::vector<uint32_t> shards_by_group)
      : shards_by_group_(std::move(shards_by_group)) {}

  // The data group with the fewest shards, the lowest of equals.
  GroupId Take() {
    const auto least =
        std::min_element(shards_by_group_.begin() + 1, shards_by_group_.end());
    ++*least;
    return GroupId(static_cast<uint32_t>(least - shards_by_group_.begin()));
  }

  // Of all groups, those taken here included.
  uint64_t shard_count() const {
    return std::accumulate(shards_by_group_.begin(), shards_by_group_.end(),
                           uint64_t{0});
  }

 private:
  std::vector<uint32_t> shards_by_group_;
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_SHARD_PLACES_H_
