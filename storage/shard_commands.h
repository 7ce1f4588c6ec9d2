// What commands to a data group do to its shards, as a pure function of the
// shard table, the producers and the command: every replica decides the same.
// The StateMachine writes and publishes the decision.
#ifndef TRIREME_STORAGE_SHARD_COMMANDS_H_
#define TRIREME_STORAGE_SHARD_COMMANDS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "storage/ids.h"
#include "storage/producers.h"
#include "storage/shard_table.h"

namespace trireme {

namespace v1 {
class Command;
}

struct ShardDecision {
  absl::Status status;  // Not OK: nothing changes.
  std::string reply;
  std::vector<ShardChange> changes;
  std::vector<PlacedProducerRow> producers;  // Rows to add.
};

// ResourceNotFound.
absl::Status ShardNotOpen(const ShardKey& shard);

// True for commands to the group of the shards.
bool IsShardCommand(const v1::Command& command);
// All of them but ClaimShards, which touches no shard (claims.h). `index` is
// the command's place in the group's log: the end of what it seals.
ShardDecision DecideShardCommand(const ShardTable& shards,
                                 const Producers& producers, GroupId group,
                                 LogIndex index, const v1::Command& command);

}  // namespace trireme

#endif  // TRIREME_STORAGE_SHARD_COMMANDS_H_
