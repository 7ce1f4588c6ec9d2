// Where records lie in a stream: the hashes of their keys, and the ranges of
// these that shards have (kinesis-contract.md §2.1).
#ifndef TRIREME_CLIENT_HASH_KEY_H_
#define TRIREME_CLIENT_HASH_KEY_H_

#include <array>
#include <optional>
#include <string>

#include "absl/numeric/int128.h"
#include "absl/strings/string_view.h"
#include "trireme/v1/records.pb.h"

namespace trireme::client {

using HashKey = absl::uint128;

// Both ends are included.
struct HashKeyRange {
  HashKey first = 0;
  HashKey last = absl::Uint128Max();

  bool Contains(HashKey key) const { return first <= key && key <= last; }
  friend bool operator==(const HashKeyRange&, const HashKeyRange&) = default;
};

using Md5Digest = std::array<char, 16>;

// None where OpenSSL is told to refuse MD5.
std::optional<Md5Digest> Md5(absl::string_view bytes);

// The explicit hash key, or the partition key's MD5 if that is empty. None when
// the explicit one is malformed.
std::optional<HashKey> HashKeyOf(absl::string_view partition_key,
                                 absl::string_view explicit_hash_key);

// Decimal.
std::optional<HashKey> ParseHashKey(absl::string_view text);
std::string HashKeyText(HashKey key);
std::optional<HashKeyRange> ParseHashKeyRange(const v1::HashKeyRange& range);

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_HASH_KEY_H_
