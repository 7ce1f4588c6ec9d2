#include "server/stream_lifecycle.h"

#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

StreamPtr Find(TestNode& node, const std::string& name) {
  return node.replica.state().catalog().Find(name);
}
bool ShardExists(TestNode& node, const Stream& stream, size_t shard) {
  const Shard& row = stream.shards[shard];
  return node.replica.state()
      .GetShardState(row.group, {stream.id, row.index})
      .exists;
}

TEST(StreamLifecycleTest, ACreatedStreamOpensItsShardsAndBecomesActive) {
  TestNode node;
  ASSERT_OK(node.Create("s", 5));
  // Creating it woke the driver.
  const StreamPtr stream = Find(node, "s");
  ASSERT_EQ(stream->status, StreamStatus::kActive);
  for (size_t i = 0; i < 5; ++i) EXPECT_TRUE(ShardExists(node, *stream, i));
}

TEST(StreamLifecycleTest, ADeletedStreamDropsItsShardsAndIsGone) {
  TestNode node;
  const StreamPtr stream = node.CreateActive("s", 3);
  node.Advance(absl::Seconds(1));
  absl::Status deleted = absl::InternalError("not answered");
  node.broker.DeleteStream({{"s"}}, TestNode::kTimeout,
                           [&](absl::Status status) { deleted = status; });
  node.Settle();
  ASSERT_OK(deleted);
  EXPECT_EQ(Find(node, "s"), nullptr);
  for (size_t i = 0; i < 3; ++i) EXPECT_FALSE(ShardExists(node, *stream, i));
}

TEST(StreamLifecycleTest, AStreamDeletedAtOnceIsGoneInTheNextSecond) {
  TestNode node;
  node.CreateActive("s", 1);
  node.broker.DeleteStream({{"s"}}, TestNode::kTimeout,
                           [](absl::Status status) { EXPECT_OK(status); });
  node.Settle();
  ASSERT_NE(Find(node, "s"), nullptr);
  EXPECT_EQ(Find(node, "s")->status, StreamStatus::kDeleting);
  node.clock.Advance(absl::Seconds(1));
  node.lifecycle.RunOnce();
  node.Settle();
  EXPECT_EQ(Find(node, "s"), nullptr);
}

TEST(StreamLifecycleTest, OnlyTheMetaGroupsLeaderDrives) {
  TestNode node;
  node.replicas.leader = NodeId(2);
  ASSERT_OK(node.Create("s", 2));
  node.lifecycle.RunOnce();
  node.Settle();
  EXPECT_EQ(Find(node, "s")->status, StreamStatus::kCreating);
  // Whoever begins to lead finds what is left to do in its catalogue.
  node.replicas.leader = NodeId(1);
  node.lifecycle.RunOnce();
  node.Settle();
  EXPECT_EQ(Find(node, "s")->status, StreamStatus::kActive);
}

TEST(StreamLifecycleTest, AFailedStepIsRepeatedAfterAPause) {
  TestNode node;
  node.replicas.leader = NodeId(2);
  ASSERT_OK(node.Create("s", 2));
  node.replicas.leader = NodeId(1);
  const absl::Status no_leader = MakeError(ErrorReason::kNoLeader, "none");
  node.replicas.refuse_with = {no_leader, no_leader};
  node.lifecycle.RunOnce();
  node.Settle();
  EXPECT_EQ(Find(node, "s")->status, StreamStatus::kCreating);
  node.lifecycle.RunOnce();  // Too early.
  node.Settle();
  EXPECT_EQ(Find(node, "s")->status, StreamStatus::kCreating);
  node.clock.Advance(absl::Seconds(1));
  node.lifecycle.RunOnce();
  node.Settle();
  EXPECT_EQ(Find(node, "s")->status, StreamStatus::kActive);
}

TEST(StreamLifecycleTest, OneOperationIsInFlightAStream) {
  TestNode node;
  node.replicas.leader = NodeId(2);
  ASSERT_OK(node.Create("s", 1));
  node.replicas.leader = NodeId(1);
  node.replicas.holding = true;
  for (int i = 0; i < 5; ++i) {
    node.lifecycle.RunOnce();
    node.Advance(absl::Seconds(1));
  }
  EXPECT_EQ(node.replicas.held.size(), 1u);
  node.replicas.holding = false;
  node.replicas.CommitHeld();
  EXPECT_EQ(Find(node, "s")->status, StreamStatus::kActive);
}

TEST(StreamLifecycleTest, ASplitSealsItsParentAndShowsItsChildren) {
  TestNode node;
  const StreamPtr before = node.CreateActive("s", 2);
  ASSERT_OK(node.Split("s", "shardId-000000000000", "1000"));
  const StreamPtr stream = Find(node, "s");
  ASSERT_EQ(stream->status, StreamStatus::kActive);
  ASSERT_EQ(stream->shards.size(), 4u);
  const Shard& parent = stream->shards[0];
  ASSERT_TRUE(parent.end.has_value());
  EXPECT_EQ(node.replica.state()
                .GetShardState(parent.group, {stream->id, parent.index})
                .end,
            parent.end);
  EXPECT_TRUE(ShardExists(node, *stream, 2));
  EXPECT_TRUE(ShardExists(node, *stream, 3));
}

TEST(StreamLifecycleTest, AReshardIsDrivenOnFromWhereverItStopped) {
  // Each command of it is refused once, as when its leader dies: open, seal,
  // complete.
  for (int refused = 0; refused < 4; ++refused) {
    TestNode node;
    node.CreateActive("s", 1);
    node.replicas.leader = NodeId(2);
    ASSERT_OK(node.Split("s", "0", "1000"));
    node.replicas.leader = NodeId(1);
    node.replicas.commit_first = refused;
    node.replicas.refuse_with = {MakeError(ErrorReason::kNoLeader, "none")};
    node.lifecycle.RunOnce();
    node.Settle();
    EXPECT_EQ(Find(node, "s")->status, StreamStatus::kUpdating) << refused;
    node.clock.Advance(absl::Seconds(1));
    node.lifecycle.RunOnce();
    node.Settle();
    const StreamPtr stream = Find(node, "s");
    EXPECT_EQ(stream->status, StreamStatus::kActive) << refused;
    EXPECT_EQ(stream->open.size(), 2u) << refused;
  }
}

TEST(StreamLifecycleTest, AStreamDeletedDuringAReshardLeavesNoShard) {
  TestNode node;
  node.CreateActive("s", 1);
  node.Advance(absl::Seconds(5));
  node.replicas.leader = NodeId(2);
  ASSERT_OK(node.Split("s", "0", "1000"));
  const StreamPtr stream = Find(node, "s");
  ASSERT_EQ(stream->reshards.size(), 1u);
  node.broker.DeleteStream({{"s"}}, TestNode::kTimeout,
                           [](absl::Status status) { EXPECT_OK(status); });
  node.Settle();
  node.clock.Advance(absl::Seconds(5));
  node.replicas.leader = NodeId(1);
  node.lifecycle.RunOnce();
  node.Settle();
  EXPECT_EQ(Find(node, "s"), nullptr);
  // Whoever drove the reshard before comes too late.
  for (const Shard& child : stream->reshards[0].children) {
    auto open = std::make_shared<ProposalBody>();
    open->command = OpenShards(stream->id.value(), {child.index.value()})
                        .SerializeAsString();
    node.replicas.Propose(
        {child.group, open, absl::Seconds(1), [](ProposalOutcome) {}});
    EXPECT_FALSE(node.replica.state()
                     .GetShardState(child.group, {stream->id, child.index})
                     .exists);
  }
}

TEST(StreamLifecycleTest, TheTimerDrivesWithoutBeingWoken) {
  TestNode node;
  node.replicas.leader = NodeId(2);
  ASSERT_OK(node.Create("s", 1));
  node.lifecycle.Start();
  node.Settle();
  node.replicas.leader = NodeId(1);
  node.Advance(absl::Milliseconds(200));
  EXPECT_EQ(Find(node, "s")->status, StreamStatus::kActive);
}

TEST(StreamLifecycleTest, ExpiredShardsLeaveTheirStreamAndTheirGroups) {
  TestNode node;
  const StreamPtr before = node.CreateActive("s", 2);
  ASSERT_OK(node.Split("s", "shardId-000000000000", "77"));
  ASSERT_EQ(Find(node, "s")->shards.size(), 4u);
  node.Advance(absl::Hours(23));
  node.lifecycle.RunOnce();
  node.Settle();
  ASSERT_EQ(Find(node, "s")->shards.size(), 4u);
  node.Advance(absl::Hours(2));
  node.lifecycle.RunOnce();
  node.Settle();
  const StreamPtr stream = Find(node, "s");
  ASSERT_EQ(stream->shards.size(), 3u);
  EXPECT_EQ(stream->FindShard(ShardIndex(0)), nullptr);
  EXPECT_EQ(stream->open.size(), 3u);
  EXPECT_TRUE(stream->forgotten.empty());
  EXPECT_FALSE(ShardExists(node, *before, 0));
  EXPECT_TRUE(ShardExists(node, *before, 1));
  // Its children still say whose they are.
  EXPECT_EQ(stream->FindShard(ShardIndex(2))->parent, ShardIndex(0));
  ASSERT_OK(node.Put("s", "a", "new"));
}

}  // namespace
}  // namespace trireme
