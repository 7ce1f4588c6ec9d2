#include "server/shard_lineage.h"

#include "storage/sequence_number.h"

namespace trireme {

std::vector<ChildShard> ChildrenOf(const Stream& stream, ShardIndex parent) {
  std::vector<ChildShard> children;
  for (const Shard& shard : stream.shards) {
    if (shard.parent != parent && shard.adjacent_parent != parent) continue;
    ChildShard child{shard.index, {}, shard.range};
    if (shard.parent.has_value()) child.parents.push_back(*shard.parent);
    if (shard.adjacent_parent.has_value()) {
      child.parents.push_back(*shard.adjacent_parent);
    }
    children.push_back(std::move(child));
  }
  return children;
}

std::string StartingSequenceNumber(const Shard& shard) {
  return SequenceNumber{shard.created_s, shard.index, 0, shard.created_s}
      .ToString();
}

std::string EndingSequenceNumber(const Shard& shard) {
  return SequenceNumber{shard.created_s, shard.index, kCounterMax,
                        shard.closed_s}
      .ToString();
}

}  // namespace trireme
