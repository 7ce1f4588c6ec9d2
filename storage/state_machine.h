// StateMachine applies committed entries to the node's RocksDB: records to
// shard logs, commands to the catalogue and the groups' shard tables, each
// atomically with its group's applied index (docs/storage-format.md).
//
// Owned by a Node. Apply runs on the applier thread; reading is thread-safe.
// After a crash the store holds every group's state at its durable index, and
// the entries behind it are applied again from the segment log.
#ifndef TRIREME_STORAGE_STATE_MACHINE_H_
#define TRIREME_STORAGE_STATE_MACHINE_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "storage/block.h"
#include "storage/catalog.h"
#include "storage/claims.h"
#include "storage/consumer_group.h"
#include "storage/ids.h"
#include "storage/item_table_set.h"
#include "storage/lease_table.h"
#include "storage/partition_table.h"
#include "storage/producers.h"
#include "storage/replicated_state.h"
#include "storage/shard_log.h"
#include "storage/shard_table.h"
#include "storage/state_transfer.h"
#include "storage/store.h"

namespace trireme {

namespace v1 {
class ClaimShardsCommand;
class Command;
class GroupCommand;
class TableCommand;
}  // namespace v1
struct DecodedPayload;
struct GroupRowChange;
struct ShardBatch;

struct StateMachineOptions {
  uint32_t group_count = 9;  // The meta group included; at least 2.
  // Applied bytes held in memory: a flush is due at half of it, so that what
  // is being flushed and what arrives meanwhile fit.
  uint64_t memtable_bytes_max = 256u << 20;
  uint64_t cache_bytes = 64u << 20;
  // Asked while Open waits for space on a full disk; once true, Open fails.
  std::function<bool()> stop_opening;
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

  // True when there was no store yet and Open made one.
  bool created() const { return created_; }

  const Catalog& catalog() const;
  const LeaseTable& leases() const { return leases_; }
  const ItemTableSet& tables() const { return tables_; }
  const ShardLog& shard_log() const;
  // Thread-safe, from memory.
  ShardState GetShardState(GroupId group, ShardKey shard) const;
  // What is known of those who put to the shard exactly once. Reads the store.
  absl::StatusOr<std::vector<ProducerRow>> ProducersOf(GroupId group,
                                                       ShardKey shard) const;

  // Drops time partitions whose every record is older than its stream's
  // retention at `now_ms`. Called now and then by the node's upkeep thread,
  // even while a flush waits for space: this may make some. kDiskFull when
  // there is not even space to note it down.
  absl::Status DropExpired(int64_t now_ms);
  // True when DropExpired would drop something.
  bool HasExpired(int64_t now_ms);
  // Moves what outlives one partition, since the retention of its stream was
  // raised, to partitions that are longer, so that the partition can go.
  // Flushes; called by whoever may wait for that, as long as HasRaised.
  absl::Status KeepRaised(int64_t now_ms);
  // True when KeepRaised would move something.
  bool HasRaised(int64_t now_ms);
  // True when so much is applied but not flushed that a flush should start.
  bool FlushDue() const;
  // True while what is applied cannot be flushed because the disk is full.
  bool waits_for_space() const { return store_->waits_for_space(); }
  // For the node's end: a Flush() that waits for space fails, now and later.
  void StopWaiting() { store_->StopWaiting(); }
  // DataLoss once a read has met damaged records.
  absl::Status damage() const { return store_->damage(); }
  uint64_t bytes_on_disk() const;
  size_t partition_count() const { return partitions_->partition_count(); }

 private:
  StateMachine(std::unique_ptr<Store> store,
               const StateMachineOptions& options);

  // --- state_machine_open.cc ---
  absl::Status Load();
  absl::Status CheckFormat();
  absl::Status LoadPositions();
  absl::Status LoadShards();
  absl::Status LoadStreams();
  absl::Status LoadClaims();
  absl::Status LoadProducers();
  absl::Status LoadAccount();
  absl::Status LoadGroups();
  absl::Status LoadTables();
  absl::Status ResumePartitions();

  // --- state_machine.cc ---
  // kDiskFull when a flush is due behind one that waits for space.
  absl::Status CheckMemory() const;
  // These add to batch_ and to the changes that are published after it.
  absl::StatusOr<ApplyResult> ApplyPayload(const CommittedEntry& entry,
                                           AppliedPosition* position)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  absl::StatusOr<ApplyResult> ApplyRecords(const CommittedEntry& entry,
                                           const DecodedPayload& payload,
                                           int64_t stamp_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  // Batches whose shards go on in partitions of the same class.
  absl::Status PutBatches(const CommittedEntry& entry, RetentionClass retention,
                          std::span<const ShardBatch* const> batches,
                          int64_t stamp_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  absl::StatusOr<ApplyResult> ApplyCommand(const CommittedEntry& entry,
                                           absl::string_view bytes,
                                           int64_t stamp_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  ApplyResult ApplyToCatalog(LogIndex index, const v1::Command& command,
                             int64_t stamp_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  ApplyResult ApplyToShards(const CommittedEntry& entry,
                            const v1::Command& command)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  ApplyResult ApplyClaims(GroupId group, const v1::ClaimShardsCommand& command,
                          int64_t stamp_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  // The shard that a batch of the entry at `index` may be written to.
  absl::StatusOr<ShardRecord> Admit(GroupId group, const ShardKey& shard,
                                    LogIndex index) const;
  // What is to be written of a batch, after its producers were heard.
  AppliedBatch Decide(const CommittedEntry& entry, const ShardBatch& batch,
                      const ShardRecord& shard, int64_t stamp_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  void PutShard(GroupId group, const ShardChange& change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  void PutStream(std::shared_ptr<const Stream> stream)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  void RemoveStream(StreamId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  void PutClaims(GroupId group, Claims claims)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  void PutNextStreamId(uint32_t id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  void PutAccount(const AccountSettings& account)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  void BeginBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  void PutPosition(GroupId group, const AppliedPosition& position)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  // Writes batch_, then shows readers the changes that are in it.
  absl::Status WriteBatch(GroupId group)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  void PublishPosition(GroupId group, const AppliedPosition& position);

  // --- state_machine_producers.cc ---
  void PutProducers(GroupId group, std::vector<PlacedProducerRow> rows)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  // Adds to batch_ what makes the rows of the group go.
  absl::Status DeleteProducers(GroupId group)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  // Makes what is in batch_ known, and adds to it that rows which mean nothing
  // any more go: a start finds what is known now, and not more.
  void ApplyProducers(GroupId group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);

  // --- state_machine_groups.cc ---
  ApplyResult ApplyToGroups(LogIndex index, const v1::GroupCommand& command)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  void PutGroups(std::vector<GroupChange> changes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  void PutGroupRows(std::span<const GroupRowChange> rows)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  void InstallGroups(const ConsumerGroups& installed)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  void PublishGroups() ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);

  // --- state_machine_tables.cc ---
  ApplyResult ApplyToTables(LogIndex index, const v1::TableCommand& command,
                            int64_t stamp_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  void PutTables(std::vector<TableChange> changes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);

  // --- state_machine_expiry.cc ---
  // Adds blocks of one group, in any order, to batch_.
  absl::Status PutBlocks(GroupId group, RetentionClass retention,
                         std::span<const BlockView* const> blocks)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  std::vector<TimePartitions::Expired> TakeExpired(int64_t now_ms)
      ABSL_LOCKS_EXCLUDED(write_mu_);
  absl::Status Drop(std::span<const TimePartitions::Expired> partitions);
  // The oldest partition of the class that no stream is kept in for long
  // enough, if any.
  std::optional<TimePartitions::Sealed> FindRaised(RetentionClass retention,
                                                   int64_t now_ms)
      ABSL_LOCKS_EXCLUDED(write_mu_);
  // Copies what is still wanted at `now_ms` of the partition.
  absl::Status Copy(const TimePartitions::Sealed& partition,
                    RetentionClass target, int64_t now_ms);
  absl::Status CopyGroup(GroupId group, const TimePartitions::Sealed& partition,
                         RetentionClass target, int64_t now_ms);
  // Blocks in the order of keys.
  absl::Status WriteCopies(GroupId group, RetentionClass target,
                           std::span<const BlockView> blocks);

  // --- state_machine_transfer.cc ---
  absl::Status InstallBlocks(GroupId group, std::span<const BlockView> blocks)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  absl::Status InstallShards(GroupId group, const GroupInstall& install)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);
  void InstallCatalog(const GroupInstall& install)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_);

  // Set at construction.
  const StateMachineOptions options_;
  const std::unique_ptr<Store> store_;
  bool created_ = false;                        // Set by Open.
  std::unique_ptr<PartitionTable> partitions_;  // Set by Open.
  ShardTable shards_;
  Catalog catalog_;
  LeaseTable leases_;
  ItemTableSet tables_;
  std::unique_ptr<ShardLog> shard_log_;  // Set by Open.

  // The writer: the applier thread mostly, sometimes a catch-up. Under it only
  // the locks inside the objects above are taken, each on its own.
  absl::Mutex write_mu_;
  Store::Batch batch_ ABSL_GUARDED_BY(write_mu_);
  std::vector<ShardChange> shard_changes_ ABSL_GUARDED_BY(write_mu_);
  std::vector<std::shared_ptr<const Stream>> put_streams_
      ABSL_GUARDED_BY(write_mu_);
  std::vector<StreamId> removed_streams_ ABSL_GUARDED_BY(write_mu_);
  std::optional<Claims> put_claims_ ABSL_GUARDED_BY(write_mu_);
  // By group; what is published of them.
  std::vector<Claims> claims_ ABSL_GUARDED_BY(write_mu_);
  std::vector<PlacedProducerRow> put_producers_ ABSL_GUARDED_BY(write_mu_);
  bool replaces_producers_ ABSL_GUARDED_BY(write_mu_) = false;
  // By group. The writer's alone.
  std::vector<Producers> producers_ ABSL_GUARDED_BY(write_mu_);
  std::optional<AccountSettings> put_account_ ABSL_GUARDED_BY(write_mu_);
  std::vector<GroupChange> group_changes_ ABSL_GUARDED_BY(write_mu_);
  // Instead of what there was.
  std::optional<ConsumerGroups> installed_groups_ ABSL_GUARDED_BY(write_mu_);
  std::vector<TableChange> table_changes_ ABSL_GUARDED_BY(write_mu_);
  uint32_t next_stream_id_ ABSL_GUARDED_BY(write_mu_) = 1;
  absl::flat_hash_map<GroupId, GroupInstall> installs_
      ABSL_GUARDED_BY(write_mu_);

  mutable absl::Mutex positions_mu_;
  std::vector<AppliedPosition> applied_ ABSL_GUARDED_BY(positions_mu_);
  std::vector<AppliedPosition> durable_ ABSL_GUARDED_BY(positions_mu_);

  // One flush at a time, so that unflushed_bytes_ is what RocksDB holds in
  // memory besides what is being flushed.
  absl::Mutex flush_mu_ ABSL_ACQUIRED_BEFORE(positions_mu_);
  std::atomic<uint64_t> unflushed_bytes_ = 0;
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_STATE_MACHINE_H_
