// SimState stands for the state machine in simulations: per group the list of
// applied entries and what commands have made of it: a bit per shard that says
// whether it is sealed, or, for the product's own commands, its tables. It
// forgets what was not flushed when its node crashes, and is pulled in chunks
// like the real one. While its disk is full nothing is flushed, and it takes
// only so much more.
//
// Owned by a SimNode; lives through its crashes.
#ifndef TRIREME_TESTS_SIM_SIM_STATE_H_
#define TRIREME_TESTS_SIM_SIM_STATE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/lease_table.h"
#include "storage/replicated_state.h"
#include "tests/sim/fault_disk.h"
#include "tests/sim/random.h"
#include "tests/sim/sim_history.h"
#include "tests/sim/sim_tables.h"

namespace trireme::sim {

class SimState : public ReplicatedState {
 public:
  SimState(NodeId node, uint32_t group_count, History* history,
           bool product_commands = false)
      : node_(node),
        product_commands_(product_commands),
        history_(history),
        groups_(group_count) {}
  // The disk it lies on, asked whether it is full; without one it never is.
  void LieOn(FaultDisk* disk) { disk_ = disk; }
  // So many items of a group that are not flushed, while the disk is full.
  void HoldAtMost(size_t items) { unflushed_items_max_ = items; }

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

  // With the product's commands: what they have made of the group so far.
  const SimTables& TablesOf(GroupId group) const;
  // As StateMachine's.
  std::vector<ProducerRow> ProducersOf(GroupId group, ShardKey shard) const;
  // The meta group's streams, as TablesOf has them.
  const Catalog& catalog() const { return catalog_; }
  // And its consumer groups.
  const LeaseTable& leases() const { return leases_; }

  // The node has crashed: back to what is durable.
  void Crash(Random* random);
  // The next Apply finds the disk broken.
  void FailNextApply() { fails_next_apply_ = true; }
  void EndFaults() { fails_next_apply_ = false; }
  // Compares all that is held with what was committed.
  void CheckAll() const;

 private:
  struct Item {
    Term term = 0;
    Payload payload;       // Null for entries of the core's own.
    int64_t stamp_ms = 0;  // The highest up to here.
    uint32_t sealed = 0;   // Bits of shards, after this entry.
    SimTablesPtr tables;   // After this entry; null: empty.
  };
  struct Group {
    std::vector<Item> items;  // Applied; by index - 1.
    LogIndex durable = 0;
    LogIndex installed = 0;
    std::vector<Item> staged;  // Pulled, follows `items`, not yet its own.
  };
  class Source;

  // Full, and nothing more of the group fits into memory.
  bool MustWait(const Group& group) const;
  bool DiskIsFull() const;
  static AppliedPosition PositionAt(const Group& group, LogIndex index);
  // What the state becomes when one more entry is applied.
  Item Follow(const Item* before, GroupId group, const CommittedEntry& entry,
              ApplyResult* result) const;
  void FollowCommand(absl::string_view command, const SimEntryPlace& place,
                     Item* item, ApplyResult* result) const;
  AppliedBatch FollowStamped(const ShardBatch& batch, LogIndex index,
                             Item* item) const;
  absl::Status Admit(const Item& item, ShardKey shard) const;
  // After the meta group's state has changed.
  void ShowMetaState();

  // Set at construction.
  const NodeId node_;
  const bool product_commands_;
  History* const history_;
  FaultDisk* disk_ = nullptr;
  size_t unflushed_items_max_ = 100'000;

  std::vector<Group> groups_;
  Catalog catalog_;
  LeaseTable leases_;
  bool fails_next_apply_ = false;
};

// A command of the simulation: "<record id> <note|seal|open> <shard index>".
std::string SimCommand(RecordId id, absl::string_view verb, ShardIndex shard);

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_SIM_STATE_H_
