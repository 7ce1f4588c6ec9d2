#include "server/reshard_operations.h"

#include "gmock/gmock.h"
#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;

constexpr char kMiddle[] = "170141183460469231731687303715884105728";

absl::Status Merge(TestNode& node, const std::string& shard,
                   const std::string& adjacent) {
  absl::Status status = absl::InternalError("not answered");
  node.broker.MergeShards({{"s", ""}, shard, adjacent}, TestNode::kTimeout,
                          [&](absl::Status got) { status = got; });
  node.Settle();
  return status;
}

absl::StatusOr<UpdateShardCountResponse> UpdateTo(TestNode& node, int target) {
  TestNode::Answer<UpdateShardCountResponse> answer;
  node.broker.UpdateShardCount({{"s", ""}, target}, TestNode::kTimeout,
                               answer.Callback());
  return node.Take(answer);
}

size_t OpenShardsOf(TestNode& node) {
  return node.replica.state().catalog().Find("s")->open.size();
}

TEST(ReshardOperationsTest, SplitMergeAndCountChangeTheOpenShards) {
  TestNode node;
  node.CreateActive("s", 1);
  ASSERT_OK(node.Split("s", "shardId-000000000000", kMiddle));
  EXPECT_EQ(OpenShardsOf(node), 2u);
  ASSERT_OK(Merge(node, "shardId-000000000001", "shardId-000000000002"));
  EXPECT_EQ(OpenShardsOf(node), 1u);
  const auto updated = UpdateTo(node, 2);
  ASSERT_OK(updated);
  EXPECT_EQ(updated->stream->open.size(), 1u);  // As it was.
  EXPECT_EQ(updated->target_shard_count, 2u);
  EXPECT_EQ(OpenShardsOf(node), 2u);
}

TEST(ReshardOperationsTest, PutsGoOnToTheChildrenAndReadersAreToldOfThem) {
  TestNode node;
  node.CreateActive("s", 1);
  ASSERT_OK(node.Put("s", "a", "before"));
  ASSERT_OK(node.Split("s", "0", kMiddle));
  const auto after = node.Put("s", "a", "after");
  ASSERT_OK(after);
  EXPECT_EQ(after->sequence_number.shard, ShardIndex(1));

  auto read =
      node.Get(*node.Iterator("s", "0", ShardIteratorType::kTrimHorizon));
  ASSERT_OK(read);
  EXPECT_EQ(DataOf(read->records), std::vector<std::string>{"before"});
  EXPECT_EQ(read->next_shard_iterator, "");
  ASSERT_EQ(read->child_shards.size(), 2u);
  EXPECT_EQ(read->child_shards[0].shard, ShardIndex(1));
  read = node.Get(*node.Iterator("s", "1", ShardIteratorType::kTrimHorizon));
  ASSERT_OK(read);
  EXPECT_EQ(DataOf(read->records), std::vector<std::string>{"after"});
}

// The catalogue here does not show the children until the put has been refused
// at the seal: then it must be put to them, once.
TEST(ReshardOperationsTest, APutThatMeetsTheSealIsPutToTheChild) {
  TestNode node;
  node.CreateActive("s", 1);
  node.replicas.leader = NodeId(2);
  ASSERT_OK(node.Split("s", "0", kMiddle));
  node.replicas.leader = NodeId(1);
  // The seal is committed, the completion is not.
  node.replicas.commit_first = 3;
  node.replicas.refuse_with = {MakeError(ErrorReason::kNoLeader, "none")};
  node.lifecycle.RunOnce();
  node.Settle();
  TestNode::Answer<PutResult> answer;
  PutRecordRequest request;
  request.stream.name = "s";
  request.record = {"d", "a", ""};
  node.broker.PutRecord(request, TestNode::kTimeout, answer.Callback());
  node.Settle();
  EXPECT_FALSE(answer.answered());
  node.clock.Advance(absl::Seconds(1));
  node.lifecycle.RunOnce();
  node.Settle();
  const auto put = node.Take(answer);
  ASSERT_OK(put);
  EXPECT_EQ(put->sequence_number.shard, ShardIndex(1));
  const auto read =
      node.Get(*node.Iterator("s", "1", ShardIteratorType::kTrimHorizon));
  EXPECT_EQ(DataOf(read->records), std::vector<std::string>{"d"});
}

// Another node told of the child; this one hears of it at the barrier.
TEST(ReshardOperationsTest, AChildThatIsNotKnownHereYetIsFound) {
  for (const bool by_number : {false, true}) {
    TestNode node;
    node.CreateActive("s", 1);
    node.replicas.leader = NodeId(2);
    ASSERT_OK(node.Split("s", "0", kMiddle));
    node.replicas.at_barrier = [&](GroupId group) {
      if (group != kMetaGroup) return;
      node.replicas.at_barrier = nullptr;
      node.replicas.leader = NodeId(1);
      node.lifecycle.RunOnce();
    };
    if (by_number) {
      const Stream& stream = *node.replica.state().catalog().Find("s");
      const Shard& child = stream.reshards[0].children[0];
      const std::string number = StartingSequenceNumber(child);
      EXPECT_OK(node.Put("s", "a", "d", number));
    } else {
      EXPECT_OK(node.Iterator("s", "1", ShardIteratorType::kTrimHorizon));
    }
  }
}

// A catch-up shows records and the seal in the state before the tail is told.
TEST(ReshardOperationsTest, WhatACatchUpBroughtIsNotSkippedAtTheEnd) {
  TestNode node;
  const StreamPtr stream = node.CreateActive("s", 1);
  const Shard& parent = stream->shards[0];
  const auto first = node.Put("s", "a", "1");
  ASSERT_OK(first);
  node.replicas.leader = NodeId(2);
  ASSERT_OK(node.Split("s", "0", kMiddle));
  StateMachine& state = node.replica.state();
  node.replica.Apply(parent.group.value(),
                     RecordsPayload(absl::ToUnixMillis(node.clock.WallNow()),
                                    {{{stream->id, parent.index}, {"2"}}}));
  node.replica.Command(parent.group.value(), SealShard(stream->id.value(), 0));
  node.replicas.leader = NodeId(1);
  node.lifecycle.RunOnce();
  node.Settle();
  ASSERT_EQ(state.catalog().Find("s")->open.size(), 2u);

  auto read =
      node.Get(*node.Iterator("s", "0", ShardIteratorType::kAfterSequenceNumber,
                              first->sequence_number.ToString()));
  ASSERT_OK(read);
  ASSERT_NE(read->next_shard_iterator, "");
  EXPECT_TRUE(read->child_shards.empty());
  node.tails.OnStateReplaced(parent.group);
  read = node.Get(read->next_shard_iterator);
  ASSERT_OK(read);
  EXPECT_EQ(DataOf(read->records), std::vector<std::string>{"2"});
  EXPECT_EQ(read->child_shards.size(), 2u);
}

TEST(ReshardOperationsTest, SequenceNumbersOfAKeyGoUpAcrossAReshard) {
  TestNode node;
  node.CreateActive("s", 1);
  const auto before = node.Put("s", "a", "1");
  ASSERT_OK(node.Split("s", "0", kMiddle));
  const auto after = node.Put("s", "a", "2");
  ASSERT_OK(after);
  // Same length, so the order of the text is that of the numbers.
  EXPECT_LT(before->sequence_number.ToString(),
            after->sequence_number.ToString());
}

TEST(ReshardOperationsTest, BadRequestsAreToldInTheServicesWords) {
  TestNode node;
  node.CreateActive("s", 2);
  const auto message = [](const absl::Status& status) {
    return std::string(status.message());
  };
  EXPECT_EQ(
      message(node.Split("s", "shardId-000000000000", "1")),
      "NewStartingHashKey 1 used in SplitShard() on shard "
      "shardId-000000000000 in stream s under account 000000000000 is not both "
      "greater than one plus the shard's StartingHashKey 0 and less than the "
      "shard's EndingHashKey 170141183460469231731687303715884105727.");
  // More than 2^128, but still a number.
  EXPECT_EQ(ReasonOf(node.Split("s", "0", std::string(39, '9'))),
            ErrorReason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(node.Split("s", "0", "-1")), ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(node.Split("s", "", "5")), ErrorReason::kValidation);
  EXPECT_EQ(message(node.Split("s", "7", "5000")),
            "Could not find shard 7 in stream s under account 000000000000.");
  EXPECT_EQ(ReasonOf(node.Split("none", "0", "5000")),
            ErrorReason::kResourceNotFound);
  EXPECT_EQ(message(Merge(node, "0", "0")),
            "Shards shardId-000000000000 and shardId-000000000000 in stream s "
            "under account 000000000000 are not an adjacent pair of shards "
            "eligible for merging");
  EXPECT_THAT(message(UpdateTo(node, 5).status()),
              HasSubstr("cannot scale up over double your current open shard "
                        "count. Current open shard count: 2 Target shard "
                        "count: 5"));
  EXPECT_EQ(ReasonOf(UpdateTo(node, 0).status()), ErrorReason::kValidation);
  ASSERT_OK(node.Split("s", "0", "5000"));
  EXPECT_THAT(message(node.Split("s", "0", "5000")),
              HasSubstr("has already been merged or split"));
}

TEST(ReshardOperationsTest, AStreamThatIsUpdatingIsInUse) {
  TestNode node;
  node.CreateActive("s", 2);
  node.replicas.leader = NodeId(2);  // Nobody drives it on.
  ASSERT_OK(node.Split("s", "0", "5000"));
  for (const absl::Status& status :
       {node.Split("s", "1", kMiddle), Merge(node, "0", "1"),
        UpdateTo(node, 4).status()}) {
    EXPECT_EQ(status.message(),
              "Stream s under account 000000000000 not ACTIVE, instead in "
              "state UPDATING");
    EXPECT_EQ(ReasonOf(status), ErrorReason::kResourceInUse);
  }
  ASSERT_OK(node.Put("s", "a", "writes go on"));
}

}  // namespace
}  // namespace trireme
