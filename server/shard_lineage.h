// What a shard's row says about its numbers and its relatives, as clients see
// it (kinesis-contract.md §2.2, §2.6).
#ifndef TRIREME_SERVER_SHARD_LINEAGE_H_
#define TRIREME_SERVER_SHARD_LINEAGE_H_

#include <string>
#include <vector>

#include "storage/catalog.h"
#include "storage/hash_key.h"
#include "storage/ids.h"

namespace trireme {

struct ChildShard {
  ShardIndex shard;
  std::vector<ShardIndex> parents;
  HashKeyRange range;
};

// The shards that took over the range of `parent`; empty while it is open.
std::vector<ChildShard> ChildrenOf(const Stream& stream, ShardIndex parent);

// No record has it, but it is a valid position: the shard's begin.
std::string StartingSequenceNumber(const Shard& shard);
// Of a closed shard: above all its records.
std::string EndingSequenceNumber(const Shard& shard);

}  // namespace trireme

#endif  // TRIREME_SERVER_SHARD_LINEAGE_H_
