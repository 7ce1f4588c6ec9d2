// Sentences of Raft §5.3, §5.4.2 and §7: both sides of replication.
#include <gtest/gtest.h>

#include "tests/unit/raft_test_node.h"

namespace trireme::raft {
namespace {

Message Reply(const std::vector<Message>& sent) {
  return Find(sent, MessageType::kAppendReply, 2);
}

// --- the follower ---

TEST(RaftFollowerTest, AcceptsWhatFollowsAnEntryItHolds) {
  TestNode node(ThreeNodes(), LogOf({1, 1}, 1));
  const Message reply = Reply(node.Step(MakeAppend(2, 1, 2, 1, {1, 1})));
  EXPECT_FALSE(reply.reject);
  EXPECT_EQ(reply.match, 4u);
  EXPECT_EQ(node.core.last_index(), 4u);
}

TEST(RaftFollowerTest, RefusesWhatFollowsAnEntryItDoesNotHold) {
  TestNode node(ThreeNodes(), LogOf({1, 1}, 1));
  Message reply = Reply(node.Step(MakeAppend(2, 2, 3, 2, {2})));
  EXPECT_TRUE(reply.reject);
  EXPECT_EQ(reply.log_index, 3u);
  EXPECT_EQ(reply.hint_index, 2u);
  EXPECT_EQ(reply.hint_term, 1u);
  reply = Reply(node.Step(MakeAppend(2, 2, 2, 2, {2})));
  EXPECT_TRUE(reply.reject);
  EXPECT_EQ(node.core.last_index(), 2u);
}

TEST(RaftFollowerTest, ReplacesConflictingEntriesAndThoseBehindThem) {
  TestNode node(ThreeNodes(), LogOf({1, 2, 2, 2}, 2));
  node.Step(MakeAppend(2, 3, 1, 1, {3, 3}));
  EXPECT_EQ(node.core.last_index(), 3u);
  EXPECT_EQ(node.core.TermAt(2), 3u);
  EXPECT_EQ(node.core.TermAt(3), 3u);
}

TEST(RaftFollowerTest, KeepsWhatFollowsAMatchingMessage) {
  TestNode node(ThreeNodes(), LogOf({1, 1, 1}, 1));
  const Message reply = Reply(node.Step(MakeAppend(2, 1, 0, 0, {1})));
  EXPECT_EQ(reply.match, 1u);
  EXPECT_EQ(node.core.last_index(), 3u);
}

TEST(RaftFollowerTest, CommitsNoFurtherThanTheMessageShows) {
  TestNode node(ThreeNodes(), LogOf({1, 2, 2}, 2));
  node.Step(MakeAppend(2, 3, 1, 1, {}, /*commit=*/3));
  EXPECT_EQ(node.core.commit_index(), 1u);
}

TEST(RaftFollowerTest, TakesTheCommitOfAHeartbeatOnlyForTheSameEntry) {
  TestNode node(ThreeNodes(), LogOf({1, 2, 2}, 2));
  Message heartbeat = MakeMessage(MessageType::kHeartbeat, 2, 3);
  heartbeat.commit = heartbeat.log_index = 2;
  heartbeat.log_term = 3;
  node.Step(heartbeat);
  EXPECT_EQ(node.core.commit_index(), 0u);
  heartbeat.commit = heartbeat.log_index = 9;
  node.Step(heartbeat);
  EXPECT_EQ(node.core.commit_index(), 0u);
  heartbeat.commit = heartbeat.log_index = 2;
  heartbeat.log_term = 2;
  node.Step(heartbeat);
  EXPECT_EQ(node.core.commit_index(), 2u);
}

TEST(RaftFollowerTest, ShowsAsCommittedOnlyWhatItHasOnDisk) {
  Raft core(ThreeNodes(), Restored());
  core.Step(MakeAppend(2, 1, 0, 0, {1, 1}, /*commit=*/2));
  Ready ready = core.TakeReady();
  EXPECT_EQ(core.commit_index(), 0u);
  EXPECT_TRUE(ready.messages.empty());
  EXPECT_EQ(ready.messages_after_persist.size(), 1u);
  core.OnHardStatePersisted(*ready.hard_state);
  core.OnPersisted(1, 1);
  EXPECT_EQ(core.commit_index(), 1u);
  core.OnPersisted(2, 1);
  EXPECT_EQ(core.commit_index(), 2u);
}

TEST(RaftFollowerTest, ARepeatedAppendWaitsForTheWriteOfTheFirst) {
  TestNode node(ThreeNodes(), LogOf({1}, 1));
  node.Step(MakeMessage(MessageType::kHeartbeat, 2, 1));
  Raft& core = node.core;
  core.Step(MakeAppend(2, 1, 1, 1, {1}));
  EXPECT_EQ(core.TakeReady().messages_after_persist.size(), 1u);
  core.Step(MakeAppend(2, 1, 1, 1, {1}));
  const Ready again = core.TakeReady();
  EXPECT_TRUE(again.messages.empty());
  EXPECT_EQ(again.messages_after_persist.size(), 1u);
  core.OnPersisted(2, 1);
  core.Step(MakeAppend(2, 1, 1, 1, {1}));
  EXPECT_EQ(core.TakeReady().messages.size(), 1u);
}

TEST(RaftFollowerTest, ALeaderWithoutACommittedEntryIsNotFollowedThere) {
  Restored restored = LogOf({1, 2, 2}, 2);
  restored.applied = 3;
  TestNode node(ThreeNodes(), std::move(restored));
  EXPECT_TRUE(node.Step(MakeAppend(2, 3, 1, 1, {3, 3, 3})).empty());
  EXPECT_EQ(node.core.TermAt(3), 2u);
}

TEST(RaftFollowerTest, AsksForAStateItIsTooFarBehindFor) {
  TestNode node(ThreeNodes(), LogOf({1, 1}, 1));
  Message snapshot = MakeMessage(MessageType::kSnapshot, 2, 2);
  snapshot.log_index = 8;
  snapshot.log_term = 2;
  EXPECT_TRUE(node.Step(snapshot).empty());
  ASSERT_TRUE(node.snapshot.has_value());
  EXPECT_EQ(node.snapshot->from, NodeId(2));
  EXPECT_EQ(node.snapshot->index, 8u);
  node.snapshot.reset();
  node.Step(snapshot);
  EXPECT_FALSE(node.snapshot.has_value());
  node.core.SnapshotInstalled(10, 2);
  const Message reply = Reply(node.Drain());
  EXPECT_EQ(reply.match, 10u);
  EXPECT_EQ(reply.log_term, 2u);
  EXPECT_EQ(node.core.base_index(), 10u);
  EXPECT_EQ(node.core.commit_index(), 10u);
}

TEST(RaftFollowerTest, KeepsTheLogBehindAStateItAgreesWith) {
  TestNode node(ThreeNodes(), LogOf({1, 1, 1, 1}, 1));
  node.core.SnapshotInstalled(2, 1);
  EXPECT_EQ(node.core.base_index(), 2u);
  EXPECT_EQ(node.core.last_index(), 4u);
  TestNode other(ThreeNodes(), LogOf({1, 1, 1, 1}, 2));
  other.core.SnapshotInstalled(2, 2);
  EXPECT_EQ(other.core.last_index(), 2u);
}

TEST(RaftFollowerTest, AStateOfALaterTermBringsItsTerm) {
  TestNode node(ThreeNodes(), LogOf({1, 1}, 1));
  node.Step(MakeMessage(MessageType::kHeartbeat, 2, 1));
  node.core.SnapshotInstalled(5, 4);
  EXPECT_EQ(node.core.term(), 4u);
  // Its leader of term 1 must not take that for a match.
  EXPECT_TRUE(node.Drain().empty());
}

TEST(RaftFollowerTest, AMatchOfAStateItsLeaderDoesNotHoldIsRefused) {
  TestNode node(ThreeNodes(), LogOf({1, 1}, 1));
  node.Lead();
  node.Propose(3);
  node.Step(MakeAccept(2, 2, 4, 1));
  EXPECT_EQ(node.core.peers()[0].match, 0u);
  node.Step(MakeAccept(2, 2, 60, 2));
  EXPECT_EQ(node.core.peers()[0].match, 0u);
  node.Step(MakeAccept(2, 2, 4, 2));
  EXPECT_EQ(node.core.peers()[0].match, 4u);
}

// --- the leader ---

TEST(RaftLeaderTest, SendsABurstOfProposalsInOneMessage) {
  TestNode node;
  node.Lead();
  node.Step(MakeAccept(2, 1, 1, 1));
  const auto sent = node.Propose(50);
  const Message append = Find(sent, MessageType::kAppend, 2);
  EXPECT_EQ(append.entries.size(), 50u);
  EXPECT_EQ(append.log_index, 1u);
  EXPECT_EQ(append.log_term, 1u);
}

TEST(RaftLeaderTest, CommitsWhatAMajorityHasAndTellsTheOthersAtOnce) {
  TestNode node;
  node.Lead();
  node.Step(MakeAccept(2, 1, 1, 1));
  node.Step(MakeAccept(3, 1, 1, 1));
  node.Propose();
  EXPECT_EQ(node.core.commit_index(), 1u);
  const auto sent = node.Step(MakeAccept(2, 1, 2, 1));
  EXPECT_EQ(node.core.commit_index(), 2u);
  EXPECT_EQ(Find(sent, MessageType::kAppend, 2).commit, 2u);
  EXPECT_EQ(Find(sent, MessageType::kAppend, 3).commit, 2u);
}

TEST(RaftLeaderTest, CommitsEarlierTermsOnlyWithAnEntryOfItsOwn) {
  TestNode node(ThreeNodes(), LogOf({1, 1}, 1));
  node.Lead();
  node.Step(MakeAccept(2, 2, 2, 1));
  EXPECT_EQ(node.core.commit_index(), 0u);
  EXPECT_FALSE(node.core.committed_in_term());
  node.Step(MakeAccept(2, 2, 3, 2));
  EXPECT_EQ(node.core.commit_index(), 3u);
  EXPECT_TRUE(node.core.committed_in_term());
}

TEST(RaftLeaderTest, NeverTruncatesItsOwnLog) {
  TestNode node(ThreeNodes(), LogOf({1, 1, 1}, 1));
  node.Lead();
  Message reject = MakeMessage(MessageType::kAppendReply, 2, 2);
  reject.reject = true;
  reject.log_index = 3;
  reject.hint_index = 1;
  reject.hint_term = 1;
  const Message append = Find(node.Step(reject), MessageType::kAppend, 2);
  EXPECT_EQ(append.log_index, 1u);
  EXPECT_EQ(append.entries.size(), 3u);
  EXPECT_EQ(node.core.last_index(), 4u);
}

TEST(RaftLeaderTest, OffersItsStateToWhoNeedsTrimmedEntries) {
  Restored restored;
  restored.hard_state.term = 2;
  restored.base_index = 7;
  restored.base_term = 2;
  TestNode node(ThreeNodes(), std::move(restored));
  node.Lead();
  Message reject = MakeMessage(MessageType::kAppendReply, 2, 3);
  reject.reject = true;
  reject.log_index = 7;
  const Message snapshot = Find(node.Step(reject), MessageType::kSnapshot, 2);
  EXPECT_EQ(snapshot.log_index, 7u);
  EXPECT_EQ(snapshot.log_term, 2u);
  EXPECT_TRUE(node.core.peers()[0].needs_snapshot);
  // Nothing else goes there meanwhile, but the offer is repeated.
  EXPECT_EQ(Find(node.Propose(), MessageType::kAppend, 2).entries.size(), 0u);
  EXPECT_EQ(Find(node.Tick(2), MessageType::kSnapshot, 2).log_index, 7u);
  const Message append =
      Find(node.Step(MakeAccept(2, 3, 7, 2)), MessageType::kAppend, 2);
  EXPECT_EQ(append.log_index, 7u);
  EXPECT_EQ(append.entries.size(), 2u);
}

TEST(RaftLeaderTest, KnowsTheLowestEntryALiveFollowerNeeds) {
  TestNode node;
  EXPECT_EQ(node.core.lowest_needed_index(), 1u);
  node.Lead();
  node.Propose(4);
  node.Step(MakeAccept(2, 1, 5, 1));
  node.Step(MakeAccept(3, 1, 3, 1));
  EXPECT_EQ(node.core.lowest_needed_index(), 4u);
  // One that is silent for an election timeout holds nothing back.
  for (int i = 0; i < 10; ++i) {
    node.Tick();
    node.Step(MakeMessage(MessageType::kHeartbeatReply, 2, 1));
  }
  EXPECT_EQ(node.core.lowest_needed_index(), 6u);
}

TEST(RaftLeaderTest, CountsWhatIsNotCommitted) {
  TestNode node;
  node.Lead();
  node.Propose(3);
  EXPECT_EQ(node.core.uncommitted_bytes(), 12u);
  node.Step(MakeAccept(2, 1, 3, 1));
  EXPECT_EQ(node.core.uncommitted_bytes(), 4u);
  node.Step(MakeAccept(2, 1, 4, 1));
  EXPECT_EQ(node.core.uncommitted_bytes(), 0u);
}

TEST(RaftLeaderTest, RefusesATransferThatCannotWork) {
  TestNode node;
  EXPECT_EQ(node.core.TransferLeadership(NodeId(2)).code(),
            absl::StatusCode::kFailedPrecondition);
  node.Lead();
  EXPECT_FALSE(node.core.TransferLeadership(NodeId(1)).ok());
  EXPECT_FALSE(node.core.TransferLeadership(NodeId(9)).ok());
  EXPECT_TRUE(node.core.TransferLeadership(NodeId(2)).ok());
  EXPECT_FALSE(node.core.TransferLeadership(NodeId(3)).ok());
}

}  // namespace
}  // namespace trireme::raft
