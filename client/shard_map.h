// Which replication group a record belongs to: the open shards of a stream by
// hash key range, as one listing had them. A value; read by any thread.
#ifndef TRIREME_CLIENT_SHARD_MAP_H_
#define TRIREME_CLIENT_SHARD_MAP_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/strings/string_view.h"
#include "trireme/v1/streams.pb.h"

namespace trireme::client {

class ShardMap {
 public:
  explicit ShardMap(const std::vector<v1::Shard>& shards);

  // By the explicit hash key, or by the partition key's MD5 if that is empty.
  // None when the hash key is malformed or no open shard has it.
  std::optional<uint32_t> GroupOf(absl::string_view partition_key,
                                  absl::string_view explicit_hash_key) const;

 private:
  struct Range {
    absl::uint128 end = 0;  // Included.
    uint32_t group = 0;
  };
  std::map<absl::uint128, Range> by_start_;  // Of open shards.
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_SHARD_MAP_H_
