// Which shard and replication group a record belongs to: the shards of a stream
// by hash key range, as one listing had them. A value; read by any thread.
#ifndef TRIREME_CLIENT_SHARD_MAP_H_
#define TRIREME_CLIENT_SHARD_MAP_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "client/hash_key.h"
#include "trireme/v1/streams.pb.h"

namespace trireme::client {

class ShardMap {
 public:
  // `listed`: all shards of a stream.
  explicit ShardMap(const v1::ListShardsResponse& listed);

  struct Shard {
    std::string stream_id;
    std::string id;
    HashKeyRange range;
    uint32_t group = 0;
  };
  // Another one of the stream's name has another.
  const std::string& stream_id() const { return stream_id_; }
  // The open shard that has the key; null: none has. Lives as long as the map.
  const Shard* ShardOf(HashKey key) const;
  // By the explicit hash key, or by the partition key's MD5 if that is empty.
  // None when the hash key is malformed or no open shard has it.
  std::optional<uint32_t> GroupOf(absl::string_view partition_key,
                                  absl::string_view explicit_hash_key) const;
  // Of a closed shard too.
  std::optional<HashKeyRange> RangeOf(absl::string_view shard_id) const;

 private:
  std::string stream_id_;
  std::map<HashKey, Shard> by_start_;  // Open shards.
  absl::flat_hash_map<std::string, HashKeyRange> ranges_;
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_SHARD_MAP_H_
