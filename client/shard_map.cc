#include "client/shard_map.h"

#include <iterator>

namespace trireme::client {

ShardMap::ShardMap(const v1::ListShardsResponse& listed)
    : stream_id_(listed.stream_id()) {
  for (const v1::Shard& shard : listed.shards()) {
    const auto range = ParseHashKeyRange(shard.hash_key_range());
    if (!range.has_value()) continue;
    ranges_[shard.shard_id()] = *range;
    if (shard.sequence_number_range().ending_sequence_number().empty()) {
      by_start_[range->first] = {stream_id_, shard.shard_id(), *range,
                                 shard.replication_group()};
    }
  }
}

const ShardMap::Shard* ShardMap::ShardOf(HashKey key) const {
  const auto after = by_start_.upper_bound(key);
  if (after == by_start_.begin()) return nullptr;
  const Shard& shard = std::prev(after)->second;
  return shard.range.Contains(key) ? &shard : nullptr;
}

std::optional<uint32_t> ShardMap::GroupOf(
    absl::string_view partition_key,
    absl::string_view explicit_hash_key) const {
  const auto key = HashKeyOf(partition_key, explicit_hash_key);
  const Shard* const shard = key.has_value() ? ShardOf(*key) : nullptr;
  if (shard == nullptr) return std::nullopt;
  return shard->group;
}

std::optional<HashKeyRange> ShardMap::RangeOf(
    absl::string_view shard_id) const {
  const auto found = ranges_.find(shard_id);
  if (found == ranges_.end()) return std::nullopt;
  return found->second;
}

}  // namespace trireme::client
