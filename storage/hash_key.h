// The 128-bit space that shards divide among themselves: MD5 of a partition
// key, or an explicit hash key (kinesis-contract.md §2.1).
#ifndef TRIREME_STORAGE_HASH_KEY_H_
#define TRIREME_STORAGE_HASH_KEY_H_

#include <string>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace trireme {

using HashKey = absl::uint128;

// MD5 over the key's UTF-8 bytes, read big-endian.
HashKey HashPartitionKey(absl::string_view partition_key);
// Decimal, 0..2^128-1, no sign or leading zeros. InvalidArgument otherwise,
// with the service's own text.
absl::StatusOr<HashKey> ParseExplicitHashKey(absl::string_view text);
std::string HashKeyToString(HashKey key);  // Decimal.

// As stored and in commands: 16 bytes, big-endian. False for other lengths.
std::string HashKeyToBytes(HashKey key);
bool HashKeyFromBytes(absl::string_view bytes, HashKey* key);

// Both ends included.
struct HashKeyRange {
  HashKey start = 0;
  HashKey end = 0;

  bool Contains(HashKey key) const { return start <= key && key <= end; }
  friend bool operator==(const HashKeyRange&, const HashKeyRange&) = default;
};

// The ranges of a stream created with `shard_count` (>= 1) shards: shard i
// starts at i * floor(2^128 / shard_count), the last one ends at 2^128-1.
std::vector<HashKeyRange> DivideHashKeySpace(uint32_t shard_count);

}  // namespace trireme

#endif  // TRIREME_STORAGE_HASH_KEY_H_
