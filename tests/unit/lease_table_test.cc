// Consumer groups in the store: what a crash, a catch-up and the end of a
// stream leave of them. What the commands decide: group_commands_test.cc.
#include "storage/lease_table.h"

#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/errors.h"
#include "storage/group_rows.h"
#include "tests/unit/state_fixture.h"
#include "trireme/v1/group_commands.pb.h"

namespace trireme {
namespace {

constexpr int64_t kStart = 1'700'000'000'000;

ConsumerGroups GroupsOf(Replica& replica) {
  ConsumerGroups groups;
  replica.state().leases().Read(
      [&groups](const ConsumerGroups& now) { groups = now; });
  return groups;
}

v1::Command Join(const std::string& group, const std::string& worker) {
  v1::Command command;
  v1::JoinGroupCommand& join =
      *command.mutable_consumer_groups()->mutable_join_group();
  join.set_stream_id(1);
  join.set_group_name(group);
  join.set_worker_name(worker);
  join.mutable_settings()->set_lease_ms(5'000);
  join.mutable_settings()->mutable_from()->set_kind(2);
  join.mutable_settings()->mutable_from()->set_timestamp_ms(kStart);
  return command;
}

// Something that may be done to the groups there are.
v1::Command AnyCommand(const ConsumerGroups& groups, std::mt19937& random) {
  const auto pick = [&random](size_t count) { return random() % count; };
  const auto name = [&pick](const char* prefix) {
    return prefix + std::to_string(pick(3));
  };
  if (groups.empty() || pick(5) == 0) return Join(name("g"), name("w"));
  const auto& [id, group] = *std::next(groups.begin(), pick(groups.size()));
  v1::GroupRef ref;
  ref.set_stream_id(id.stream.value());
  ref.set_group(id.number);
  v1::Command command;
  v1::GroupCommand& change = *command.mutable_consumer_groups();
  if (group.workers.empty()) {
    *change.mutable_reset_group()->mutable_group() = ref;
    if (pick(2) == 0) *change.mutable_delete_group()->mutable_group() = ref;
    return command;
  }
  const WorkerNumber worker =
      std::next(group.workers.begin(), pick(group.workers.size()))->first;
  const auto& [shard, lease] =
      *std::next(group.leases.begin(), pick(group.leases.size()));
  switch (pick(5)) {
    case 0: {
      v1::Heartbeat& heartbeat = *change.mutable_heartbeats()->add_heartbeats();
      *heartbeat.mutable_group() = ref;
      heartbeat.set_worker(worker);
      v1::LeaseLoad& load = *heartbeat.add_loads();
      load.set_shard(shard.value());
      load.set_bytes_per_second(pick(1000));
      return command;
    }
    case 1:
      *change.mutable_remove_worker()->mutable_group() = ref;
      change.mutable_remove_worker()->set_worker(worker);
      return command;
    case 2: {
      *change.mutable_assign()->mutable_group() = ref;
      v1::Assignment& assignment = *change.mutable_assign()->add_assignments();
      assignment.set_shard(shard.value());
      assignment.set_counter(lease.counter);
      assignment.set_worker(worker);
      assignment.set_forced(pick(2) == 0);
      return command;
    }
    default: {
      *change.mutable_checkpoint()->mutable_group() = ref;
      change.mutable_checkpoint()->set_worker(lease.owner);
      v1::LeaseCheckpoint& one =
          *change.mutable_checkpoint()->add_checkpoints();
      one.mutable_lease()->set_shard(shard.value());
      one.mutable_lease()->set_counter(lease.counter);
      one.mutable_position()->set_kind(3);
      one.mutable_position()->set_counter(pick(1000));
      one.mutable_position()->set_sub_sequence(pick(3));
      one.set_pending(pick(2) == 0);
      one.set_state("state");
      return command;
    }
  }
}

class LeaseTableTest : public ::testing::Test {
 protected:
  LeaseTableTest() {
    replica_.Command(0, CreateStream("s", 3), kStart);
    v1::Command activate;
    activate.mutable_activate_stream()->set_stream_id(1);
    replica_.Command(0, activate, kStart);
  }
  void DoAnything(int commands) {
    for (int i = 0; i < commands; ++i) {
      replica_.Command(0, AnyCommand(GroupsOf(replica_), random_), kStart);
    }
  }

  Replica replica_;
  std::mt19937 random_{7};
};

TEST_F(LeaseTableTest, AStartFindsTheGroupsAsTheyWere) {
  for (int round = 0; round < 20; ++round) {
    DoAnything(40);
    ASSERT_OK(replica_.state().Flush());
    const ConsumerGroups before = GroupsOf(replica_);
    replica_.Crash();
    ASSERT_EQ(GroupsOf(replica_), before) << round;
  }
}

TEST_F(LeaseTableTest, AReplicaThatIsBehindGetsThemInsteadOfItsOwn) {
  Replica behind;
  behind.Command(0, CreateStream("s", 3), kStart);
  v1::Command activate;
  activate.mutable_activate_stream()->set_stream_id(1);
  behind.Command(0, activate, kStart);
  behind.Command(0, Join("only-here", "w"), kStart);
  DoAnything(300);
  auto source = replica_.state().OpenSource(kMetaGroup, "");
  ASSERT_OK(source);
  while (true) {
    const auto chunk = (*source)->Next();
    ASSERT_OK(chunk);
    if (chunk->empty()) break;
    ASSERT_OK(behind.state().InstallChunk(kMetaGroup, *chunk));
  }
  ASSERT_OK(behind.state().FinishInstall(kMetaGroup, (*source)->position()));
  EXPECT_EQ(GroupsOf(behind), GroupsOf(replica_));
  behind.Crash();
  EXPECT_EQ(GroupsOf(behind), GroupsOf(replica_));
}

TEST_F(LeaseTableTest, AStreamThatIsRemovedLeavesNothing) {
  DoAnything(100);
  ASSERT_FALSE(GroupsOf(replica_).empty());
  v1::Command command;
  command.mutable_delete_stream()->set_name("s");
  ASSERT_OK(replica_.Command(0, command, kStart).status);
  command.mutable_remove_stream()->set_stream_id(1);
  ASSERT_OK(replica_.Command(0, command, kStart + 2'000).status);
  EXPECT_TRUE(GroupsOf(replica_).empty());
  ASSERT_OK(replica_.state().Flush());
  replica_.Crash();
  EXPECT_TRUE(GroupsOf(replica_).empty());
}

TEST_F(LeaseTableTest, ItIsTheMetaGroups) {
  EXPECT_EQ(ReasonOf(replica_.Command(1, Join("g", "w"), kStart).status),
            ErrorReason::kInvalidArgument);
  ASSERT_OK(replica_.Command(0, Join("g", "w"), kStart).status);
  EXPECT_EQ(GroupsOf(replica_).size(), 1u);
}

TEST(GroupRowsTest, WhatIsNoRowIsDamage) {
  ConsumerGroup group;
  group.workers[5] = Worker{"w"};
  group.leases[ShardIndex(1)].pending = PendingCheckpoint{};
  ConsumerGroups groups;
  groups[{StreamId(1), 4}] = group;
  const auto rows = RowsOf(groups);
  ASSERT_EQ(rows.size(), 3u);
  ConsumerGroups read;
  // A worker of a group that is not there.
  EXPECT_TRUE(absl::IsDataLoss(AddGroupRow(rows[1].key, *rows[1].row, &read)));
  for (const GroupRowChange& row : rows) {
    ASSERT_OK(AddGroupRow(row.key, *row.row, &read));
    EXPECT_TRUE(absl::IsDataLoss(AddGroupRow(row.key, "\xff", &read)));
    EXPECT_TRUE(
        absl::IsDataLoss(AddGroupRow(row.key.substr(1), *row.row, &read)));
  }
  EXPECT_EQ(read, groups);
}

}  // namespace
}  // namespace trireme
