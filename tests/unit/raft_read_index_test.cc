#include <gtest/gtest.h>

#include "replication/raft/read_index.h"
#include "tests/unit/raft_test_node.h"

namespace trireme::raft {
namespace {

Message RoundReply(uint32_t from, uint64_t round) {
  Message reply = MakeMessage(MessageType::kHeartbeatReply, from, 1);
  reply.read_round = round;
  return reply;
}

TEST(ReadIndexTest, ReadsAskedForTogetherShareARound) {
  ReadIndex reads;
  reads.Request(70, 5);
  reads.Request(71, 6);
  EXPECT_TRUE(reads.MaybeBeginRound(6));
  EXPECT_FALSE(reads.MaybeBeginRound(6));
  EXPECT_EQ(reads.round(), 1u);
  reads.Request(72, 7);
  EXPECT_TRUE(reads.MaybeBeginRound(7));
  std::vector<ReadReady> confirmed;
  reads.OnQuorum(1, &confirmed);
  ASSERT_EQ(confirmed.size(), 2u);
  EXPECT_EQ(confirmed[0].index, 5u);
  EXPECT_EQ(confirmed[1].index, 6u);
  reads.OnQuorum(2, &confirmed);
  EXPECT_EQ(confirmed.size(), 3u);
}

TEST(ReadIndexTest, WaitsForACommitToReadAt) {
  ReadIndex reads;
  reads.Request(70, std::nullopt);
  EXPECT_FALSE(reads.MaybeBeginRound(std::nullopt));
  EXPECT_TRUE(reads.MaybeBeginRound(9));
  std::vector<ReadReady> confirmed;
  reads.OnQuorum(1, &confirmed);
  EXPECT_EQ(confirmed[0].index, 9u);
}

TEST(ReadIndexTest, ARoundAskedForItsOwnSakeBeginsAfterTheRequest) {
  ReadIndex reads;
  EXPECT_EQ(reads.RequestRound(), 1u);
  EXPECT_TRUE(reads.MaybeBeginRound(std::nullopt));
  EXPECT_EQ(reads.RequestRound(), 2u);
}

TEST(RaftReadTest, IsConfirmedByAMajorityThatEchoesItsRound) {
  TestNode node;
  node.Lead();
  node.Step(MakeAccept(2, 1, 1, 1));
  ASSERT_TRUE(node.core.RequestRead(70).ok());
  EXPECT_EQ(Find(node.Drain(), MessageType::kHeartbeat, 3).read_round, 1u);
  node.Step(RoundReply(3, 0));  // An earlier one's.
  EXPECT_TRUE(node.reads.empty());
  node.Step(RoundReply(3, 1));
  ASSERT_EQ(node.reads.size(), 1u);
  EXPECT_EQ(node.reads[0].context, 70u);
  EXPECT_EQ(node.reads[0].index, 1u);
}

TEST(RaftReadTest, WaitsForACommitInTheLeadersOwnTerm) {
  TestNode node(ThreeNodes(), LogOf({1, 1}, 1));
  node.Lead();
  ASSERT_TRUE(node.core.RequestRead(70).ok());
  node.Drain();
  for (uint64_t round = 0; round < 3; ++round) {
    Message reply = RoundReply(3, round);
    reply.term = 2;
    node.Step(reply);
  }
  EXPECT_TRUE(node.reads.empty());
  node.Step(MakeAccept(2, 2, 3, 2));
  Message reply = RoundReply(3, 1);
  reply.term = 2;
  node.Step(reply);
  ASSERT_EQ(node.reads.size(), 1u);
  EXPECT_EQ(node.reads[0].index, 3u);
}

TEST(RaftReadTest, FailsWhenLeadershipIsLost) {
  TestNode node;
  EXPECT_FALSE(node.core.RequestRead(1).ok());
  node.Lead();
  node.Step(MakeAccept(2, 1, 1, 1));
  ASSERT_TRUE(node.core.RequestRead(70).ok());
  node.Drain();
  ASSERT_TRUE(node.core.RequestRead(71).ok());
  node.Tick(10);
  EXPECT_EQ(node.failed_reads, (std::vector<uint64_t>{70, 71}));
  EXPECT_TRUE(node.reads.empty());
}

TEST(RaftReadTest, ASoleVoterConfirmsItsOwn) {
  Config config = ThreeNodes();
  config.voters = {NodeId(1)};
  TestNode node(config);
  node.core.Campaign();
  node.Drain();
  ASSERT_TRUE(node.core.RequestRead(70).ok());
  node.Drain();
  EXPECT_EQ(node.reads.size(), 1u);
}

}  // namespace
}  // namespace trireme::raft
