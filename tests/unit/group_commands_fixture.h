// What tests of the commands about consumer groups share: one stream, one
// group, and commands that are decided and applied at once.
#ifndef TRIREME_TESTS_UNIT_GROUP_COMMANDS_FIXTURE_H_
#define TRIREME_TESTS_UNIT_GROUP_COMMANDS_FIXTURE_H_

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "storage/catalog_tables.h"
#include "storage/group_commands.h"
#include "tests/unit/state_fixture.h"
#include "trireme/v1/group_commands.pb.h"

namespace trireme {

using Outcomes = v1::LeaseOutcomes;

inline constexpr uint64_t kCreated = 1'700'000'000;

class GroupCommandsTest : public ::testing::Test {
 protected:
  GroupCommandsTest() {
    stream_.id = StreamId(1);
    stream_.name = "s";
    stream_.status = StreamStatus::kActive;
  }

  ShardIndex AddShard(std::vector<uint32_t> parents = {}) {
    Shard shard;
    shard.index = ShardIndex(static_cast<uint32_t>(stream_.shards.size()));
    shard.group = GroupId(1);
    shard.created_s = now_s_;
    for (const uint32_t parent : parents) {
      stream_.shards[parent].end = MakeCounter(9, 0);
      stream_.shards[parent].closed_s = now_s_;
    }
    if (!parents.empty()) shard.parent = ShardIndex(parents[0]);
    if (parents.size() > 1) shard.adjacent_parent = ShardIndex(parents[1]);
    stream_.shards.push_back(shard);
    Publish();
    return shard.index;
  }
  void Publish() {
    ListOpenShards(&stream_);
    catalog_.Put(std::make_shared<Stream>(stream_));
  }

  GroupsDecision Do(const v1::GroupCommand& command) {
    GroupsDecision decision =
        DecideGroups({groups_, catalog_, ++index_}, command);
    for (const GroupChange& change : decision.changes) {
      ApplyChange(change, &groups_);
    }
    return decision;
  }
  v1::GroupRef Ref() const {
    v1::GroupRef ref;
    ref.set_stream_id(1);
    ref.set_group(group_);
    return ref;
  }
  absl::StatusOr<WorkerNumber> Join(const std::string& worker,
                                    LeasePosition from = {},
                                    uint32_t workers_max = 0) {
    v1::GroupCommand command;
    v1::JoinGroupCommand& join = *command.mutable_join_group();
    join.set_stream_id(1);
    join.set_group_name("g");
    join.set_worker_name(worker);
    join.mutable_settings()->set_lease_ms(10'000);
    join.mutable_settings()->set_hand_off_ms(30'000);
    join.mutable_settings()->mutable_from()->set_kind(
        static_cast<uint32_t>(from.kind));
    join.mutable_settings()->mutable_from()->set_timestamp_ms(
        from.timestamp_ms);
    join.set_groups_max(2);
    join.set_workers_max(workers_max);
    const GroupsDecision decision = Do(command);
    if (!decision.status.ok()) return decision.status;
    v1::JoinGroupReply reply;
    EXPECT_TRUE(reply.ParseFromString(decision.reply));
    group_ = reply.group();
    return reply.worker();
  }
  bool Hear(WorkerNumber worker, std::map<uint32_t, uint64_t> loads = {}) {
    v1::GroupCommand command;
    v1::Heartbeat& heartbeat = *command.mutable_heartbeats()->add_heartbeats();
    *heartbeat.mutable_group() = Ref();
    heartbeat.set_worker(worker);
    for (const auto& [shard, bytes] : loads) {
      v1::LeaseLoad& load = *heartbeat.add_loads();
      load.set_shard(shard);
      load.set_bytes_per_second(bytes);
    }
    v1::HeartbeatsReply reply;
    EXPECT_TRUE(reply.ParseFromString(Do(command).reply));
    return reply.known(0);
  }
  absl::Status Remove(WorkerNumber worker,
                      std::optional<uint64_t> heartbeats = std::nullopt) {
    v1::GroupCommand command;
    v1::RemoveWorkerCommand& remove = *command.mutable_remove_worker();
    *remove.mutable_group() = Ref();
    remove.set_worker(worker);
    if (heartbeats) remove.set_heartbeats(*heartbeats);
    return Do(command).status;
  }
  // As it was planned on `counter`; on what there is when that is nothing.
  void Assign(uint32_t shard, WorkerNumber worker, bool forced = false,
              std::optional<uint64_t> counter = std::nullopt) {
    v1::GroupCommand command;
    *command.mutable_assign()->mutable_group() = Ref();
    v1::Assignment& assignment = *command.mutable_assign()->add_assignments();
    assignment.set_shard(shard);
    assignment.set_counter(counter.value_or(LeaseOf(shard).counter));
    assignment.set_worker(worker);
    assignment.set_forced(forced);
    assignment.set_next_owner(LeaseOf(shard).next_owner);
    ASSERT_OK(Do(command).status);
  }
  Outcomes::Outcome OutcomeOf(const GroupsDecision& decision) {
    EXPECT_OK(decision.status);
    Outcomes reply;
    EXPECT_TRUE(reply.ParseFromString(decision.reply));
    return reply.outcomes(0);
  }
  Outcomes::Outcome Release(uint32_t shard, WorkerNumber worker) {
    v1::GroupCommand command;
    v1::ReleaseLeasesCommand& release = *command.mutable_release();
    *release.mutable_group() = Ref();
    release.set_worker(worker);
    release.add_leases()->set_shard(shard);
    release.mutable_leases(0)->set_counter(LeaseOf(shard).counter);
    return OutcomeOf(Do(command));
  }
  Outcomes::Outcome Checkpoint(uint32_t shard, WorkerNumber worker,
                               LeasePosition position,
                               std::optional<uint64_t> counter = std::nullopt,
                               const char* pending = nullptr) {
    v1::GroupCommand command;
    *command.mutable_checkpoint()->mutable_group() = Ref();
    command.mutable_checkpoint()->set_worker(worker);
    v1::LeaseCheckpoint& one = *command.mutable_checkpoint()->add_checkpoints();
    one.mutable_lease()->set_shard(shard);
    one.mutable_lease()->set_counter(counter.value_or(LeaseOf(shard).counter));
    one.mutable_position()->set_kind(static_cast<uint32_t>(position.kind));
    one.mutable_position()->set_counter(position.counter);
    one.mutable_position()->set_sub_sequence(position.sub_sequence);
    one.set_pending(pending != nullptr);
    if (pending != nullptr) one.set_state(pending);
    return OutcomeOf(Do(command));
  }
  // The shard's new owner reads it to its end.
  Outcomes::Outcome ReadToEnd(uint32_t shard, WorkerNumber worker) {
    Assign(shard, worker);
    return Checkpoint(shard, worker, kEnd);
  }
  const ConsumerGroup& group() const {
    return groups_.at({StreamId(1), group_});
  }
  Lease LeaseOf(uint32_t shard) const {
    const auto found = group().leases.find(ShardIndex(shard));
    return found == group().leases.end() ? Lease() : found->second;
  }
  std::vector<uint32_t> Leased() const {
    std::vector<uint32_t> shards;
    for (const auto& [shard, lease] : group().leases) {
      shards.push_back(shard.value());
    }
    return shards;
  }
  std::vector<uint32_t> ToRead() const {
    std::vector<uint32_t> shards;
    for (const auto& [shard, lease] : group().leases) {
      if (!lease.checkpoint.at_end()) shards.push_back(shard.value());
    }
    return shards;
  }
  // As retention does, when their records have expired.
  void Forget(std::vector<uint32_t> shards) {
    std::erase_if(stream_.shards, [&shards](const Shard& shard) {
      return std::count(shards.begin(), shards.end(), shard.index.value()) > 0;
    });
    Publish();
    for (const auto& change : ForgetLeases(groups_, stream_, ++index_)) {
      ApplyChange(change, &groups_);
    }
  }

  static LeasePosition At(uint64_t counter, uint64_t sub_sequence = 0) {
    return {LeasePositionKind::kSequenceNumber, 0, counter, sub_sequence};
  }
  static constexpr LeasePosition kEnd{LeasePositionKind::kShardEnd};
  static constexpr LeasePosition kLatest{LeasePositionKind::kLatest};

  Stream stream_;
  Catalog catalog_;
  ConsumerGroups groups_;
  LogIndex index_ = 100;
  GroupNumber group_ = 0;
  uint64_t now_s_ = kCreated;
};

}  // namespace trireme

#endif  // TRIREME_TESTS_UNIT_GROUP_COMMANDS_FIXTURE_H_
