// Replicas that lost their disk; the scenarios 21 to 27 tell the stories.
#include <gtest/gtest.h>

#include "tests/unit/raft_test_node.h"

namespace trireme::raft {
namespace {

Restored Wiped() {
  Restored restored;
  restored.hard_state.recovering = true;
  return restored;
}

Message Recovering(Message message, uint64_t incarnation) {
  message.recovering = true;
  message.incarnation = incarnation;
  return message;
}

Message RoundReply(uint32_t from, uint64_t round) {
  Message reply = MakeMessage(MessageType::kHeartbeatReply, from, 1);
  reply.read_round = round;
  return reply;
}

TEST(RaftRecoveringTest, NeitherCampaignsNorVotes) {
  TestNode node(ThreeNodes(), Wiped());
  EXPECT_TRUE(node.Tick(100).empty());
  node.core.Campaign();
  EXPECT_TRUE(node.Drain().empty());
  const Message reply =
      Find(node.Step(MakeVote(2, 3, 9, 2)), MessageType::kVoteReply, 2);
  EXPECT_TRUE(reply.reject);
  EXPECT_EQ(reply.term, 3u);
}

TEST(RaftRecoveringTest, TakesEntriesAndSaysWhatItIs) {
  TestNode node(ThreeNodes(), Wiped());
  const auto sent = node.Step(MakeAppend(2, 1, 0, 0, {1, 1}, 2));
  const Message reply = Find(sent, MessageType::kAppendReply, 2);
  EXPECT_EQ(reply.match, 2u);
  EXPECT_TRUE(reply.recovering);
  EXPECT_EQ(node.core.commit_index(), 2u);
}

TEST(RaftRecoveringTest, IsFreedByItsLeaderForThisLifeOnly) {
  TestNode node(ThreeNodes(), Wiped());
  node.Step(MakeAppend(2, 1, 0, 0, {1, 1}, 2));
  Message recovered = MakeMessage(MessageType::kRecovered, 2, 1);
  recovered.commit = 2;
  recovered.hint_index = 9;  // Another life's.
  node.Step(recovered);
  EXPECT_TRUE(node.core.recovering());
  recovered.hint_index = 1;
  recovered.commit = 3;  // It does not hold that.
  node.Step(recovered);
  EXPECT_TRUE(node.core.recovering());
  recovered.commit = 2;
  recovered.from = NodeId(3);  // Not its leader.
  node.Step(recovered);
  EXPECT_TRUE(node.core.recovering());
  recovered.from = NodeId(2);
  node.Step(recovered);
  EXPECT_FALSE(node.core.recovering());
  // It says so only once that is durable; here it is.
  EXPECT_FALSE(Find(node.Step(MakeMessage(MessageType::kHeartbeat, 2, 1)),
                    MessageType::kHeartbeatReply, 2)
                   .recovering);
}

TEST(RaftRecoveringTest, ADamagedLogStartsTheSameMode) {
  TestNode node(ThreeNodes(), LogOf({1, 1}, 1));
  node.core.StartRecovering();
  const Ready ready = node.core.TakeReady();
  ASSERT_TRUE(ready.hard_state.has_value());
  EXPECT_TRUE(ready.hard_state->recovering);
  node.core.OnHardStatePersisted(*ready.hard_state);
  EXPECT_TRUE(
      Find(node.Step(MakeVote(2, 3, 9, 2)), MessageType::kVoteReply, 2).reject);
}

class RaftRecoveryLeaderTest : public testing::Test {
 protected:
  RaftRecoveryLeaderTest() {
    node_.Lead();
    node_.Step(MakeAccept(2, 1, 1, 1));
    node_.Step(MakeAccept(3, 1, 1, 1));
    node_.Propose(3);
    node_.Step(MakeAccept(2, 1, 4, 1));
  }

  TestNode node_;
};

TEST_F(RaftRecoveryLeaderTest, ANewLifeBeginsWithoutAMatch) {
  EXPECT_EQ(node_.core.commit_index(), 4u);
  node_.Step(Recovering(RoundReply(2, 0), 2));
  EXPECT_EQ(node_.core.peers()[0].match, 0u);
  EXPECT_TRUE(node_.core.peers()[0].recovering);
  // The old one is not listened to any more.
  node_.Step(MakeAccept(2, 1, 4, 1));
  EXPECT_EQ(node_.core.peers()[0].match, 0u);
}

TEST_F(RaftRecoveryLeaderTest, ItCountsNeitherForCommitsNorForReads) {
  node_.Step(Recovering(RoundReply(2, 0), 2));
  node_.Propose();
  node_.Step(Recovering(MakeAccept(2, 1, 5, 1), 2));
  EXPECT_EQ(node_.core.commit_index(), 4u);
  ASSERT_TRUE(node_.core.RequestRead(70).ok());
  node_.Drain();
  node_.Step(Recovering(RoundReply(2, 9), 2));
  EXPECT_TRUE(node_.reads.empty());
  node_.Step(MakeAccept(3, 1, 5, 1));
  EXPECT_EQ(node_.core.commit_index(), 5u);
}

TEST_F(RaftRecoveryLeaderTest, ALeaderHeardOnlyByItStepsDown) {
  node_.Step(Recovering(RoundReply(2, 0), 2));
  for (int i = 0; i < 10; ++i) {
    node_.Tick();
    node_.Step(Recovering(RoundReply(2, 0), 2));
  }
  EXPECT_EQ(node_.core.role(), Role::kFollower);
}

TEST_F(RaftRecoveryLeaderTest, AllOthersConfirmBeforeItIsFreed) {
  node_.Step(Recovering(RoundReply(2, 0), 2));
  node_.Step(Recovering(MakeAccept(2, 1, 4, 1), 2));
  // A reply to a round that began before the new life says nothing.
  node_.Step(RoundReply(3, 0));
  EXPECT_EQ(Count(node_.Step(Recovering(RoundReply(2, 1), 2)),
                  MessageType::kRecovered),
            0);
  node_.Step(RoundReply(3, 1));
  const Message recovered = Find(node_.Step(Recovering(RoundReply(2, 1), 2)),
                                 MessageType::kRecovered, 2);
  EXPECT_EQ(recovered.commit, 4u);
  EXPECT_EQ(recovered.hint_index, 2u);
  // Repeated, as it may be lost, until the replica says it counts again.
  EXPECT_EQ(Count(node_.Step(Recovering(RoundReply(2, 1), 2)),
                  MessageType::kRecovered),
            1);
  Message whole = RoundReply(2, 1);
  whole.incarnation = 2;
  EXPECT_EQ(Count(node_.Step(whole), MessageType::kRecovered), 0);
  EXPECT_FALSE(node_.core.peers()[0].recovering);
  EXPECT_EQ(node_.core.peers()[0].match, 4u);
}

TEST_F(RaftRecoveryLeaderTest, ItIsFreedWhenItHoldsAllThatWasCommitted) {
  node_.Step(Recovering(RoundReply(2, 0), 2));
  node_.Step(RoundReply(3, 1));
  EXPECT_EQ(Count(node_.Step(Recovering(MakeAccept(2, 1, 3, 1), 2)),
                  MessageType::kRecovered),
            0);
  EXPECT_EQ(Count(node_.Step(Recovering(MakeAccept(2, 1, 4, 1), 2)),
                  MessageType::kRecovered),
            1);
}

TEST_F(RaftRecoveryLeaderTest, NobodyIsFreedByLessThanAMajority) {
  node_.Step(Recovering(RoundReply(2, 0), 2));
  node_.Step(Recovering(RoundReply(3, 0), 2));
  for (uint32_t from : {2, 3}) {
    EXPECT_EQ(Count(node_.Step(Recovering(MakeAccept(from, 1, 4, 1), 2)),
                    MessageType::kRecovered),
              0);
  }
}

}  // namespace
}  // namespace trireme::raft
