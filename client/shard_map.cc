#include "client/shard_map.h"

#include <openssl/evp.h>

#include <array>
#include <iterator>

#include "absl/strings/numbers.h"

namespace trireme::client {
namespace {

// Read big-endian; what the service hashes keys with.
std::optional<absl::uint128> Md5(absl::string_view key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int bytes = 0;
  if (EVP_Digest(key.data(), key.size(), digest.data(), &bytes, EVP_md5(),
                 nullptr) != 1 ||
      bytes != sizeof(absl::uint128)) {
    return std::nullopt;
  }
  absl::uint128 hash = 0;
  for (unsigned int i = 0; i < bytes; ++i) hash = hash << 8 | digest[i];
  return hash;
}

std::optional<absl::uint128> Decimal(absl::string_view text) {
  absl::uint128 number = 0;
  if (!absl::SimpleAtoi(text, &number)) return std::nullopt;
  return number;
}

}  // namespace

ShardMap::ShardMap(const std::vector<v1::Shard>& shards) {
  for (const v1::Shard& shard : shards) {
    if (!shard.sequence_number_range().ending_sequence_number().empty()) {
      continue;
    }
    const auto start = Decimal(shard.hash_key_range().starting_hash_key());
    const auto end = Decimal(shard.hash_key_range().ending_hash_key());
    if (start.has_value() && end.has_value()) {
      by_start_[*start] = {*end, shard.replication_group()};
    }
  }
}

std::optional<uint32_t> ShardMap::GroupOf(
    absl::string_view partition_key,
    absl::string_view explicit_hash_key) const {
  const std::optional<absl::uint128> hash = explicit_hash_key.empty()
                                                ? Md5(partition_key)
                                                : Decimal(explicit_hash_key);
  if (!hash.has_value()) return std::nullopt;
  const auto after = by_start_.upper_bound(*hash);
  if (after == by_start_.begin()) return std::nullopt;
  const Range& range = std::prev(after)->second;
  if (*hash > range.end) return std::nullopt;
  return range.group;
}

}  // namespace trireme::client
