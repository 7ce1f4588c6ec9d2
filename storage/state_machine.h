// StateMachine applies committed entries to the node's RocksDB: records to
// shard logs, commands to the catalogue and the groups' shard tables, each
// atomically with its group's applied index (docs/storage-format.md).
//
// Owned by a Node. Apply runs on the applier thread; reading is thread-safe.
// After a crash the store holds every group's state at its durable index, and
// the entries behind it are applied again from the segment log.
#ifndef TRIREME_STORAGE_STATE_MACHINE_H_
#define TRIREME_STORAGE_STATE_MACHINE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/catalog.h"
#include "storage/ids.h"
#include "storage/replicated_state.h"
#include "storage/shard_log.h"

namespace trireme {

struct StateMachineOptions {
  uint32_t group_count = 9;                  // The meta group included.
  uint64_t memtable_bytes_max = 256u << 20;  // Flushed beyond this.
  uint64_t cache_bytes = 64u << 20;
  // Time partitions of streams with up to a day of retention (design.md D4).
  int64_t partition_ms = 15 * 60 * 1000;
  uint64_t partition_bytes_max = 4ull << 30;
};

class StateMachine : public ReplicatedState {
 public:
  static absl::StatusOr<std::unique_ptr<StateMachine>> Open(
      const std::string& directory, const StateMachineOptions& options);
  ~StateMachine() override;

  // ReplicatedState
  absl::StatusOr<ApplyResult> Apply(const CommittedEntry& entry) override;
  AppliedPosition Applied(GroupId group) const override;
  AppliedPosition Durable(GroupId group) const override;
  absl::Status Flush() override;
  absl::StatusOr<std::string> DescribeHeld(GroupId group) override;
  absl::StatusOr<std::unique_ptr<StateSource>> OpenSource(
      GroupId group, absl::string_view held) override;
  absl::Status InstallChunk(GroupId group, absl::string_view chunk) override;
  absl::Status FinishInstall(GroupId group,
                             const AppliedPosition& position) override;

  const Catalog& catalog() const;
  const ShardLog& shard_log() const;
  // Thread-safe, from memory.
  ShardState GetShardState(GroupId group, ShardKey shard) const;

  // Drops time partitions whose every record is older than its stream's
  // retention at `now_ms`. Called now and then by the node's upkeep thread.
  absl::Status DropExpired(int64_t now_ms);
  // True when so much is applied but not flushed that a flush should start.
  bool FlushDue() const;
  uint64_t bytes_on_disk() const;

 private:
  class Tables;
  StateMachine();
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_STATE_MACHINE_H_
