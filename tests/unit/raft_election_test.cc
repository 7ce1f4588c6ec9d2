// Sentences of Raft §5.1, §5.2, §5.4.1 and thesis §9.6.
#include <gtest/gtest.h>

#include "tests/unit/raft_test_node.h"

namespace trireme::raft {
namespace {

TEST(RaftElectionTest, AReplicaStartsAsAFollowerOfNobody) {
  TestNode node;
  EXPECT_EQ(node.core.role(), Role::kFollower);
  EXPECT_EQ(node.core.leader(), NodeId());
  EXPECT_FALSE(node.core.HasReady());
}

TEST(RaftElectionTest, AFollowerThatHearsNothingStartsAnElection) {
  TestNode node;
  EXPECT_EQ(Count(node.Tick(9), MessageType::kVote), 0);
  EXPECT_EQ(Count(node.Tick(11), MessageType::kVote), 2);
  EXPECT_EQ(node.core.role(), Role::kCandidate);
  EXPECT_EQ(node.core.term(), 1u);
}

TEST(RaftElectionTest, AFollowerThatHearsALeaderDoesNot) {
  TestNode node;
  for (int i = 0; i < 10; ++i) {
    node.Step(MakeMessage(MessageType::kHeartbeat, 2, 1));
    EXPECT_EQ(Count(node.Tick(9), MessageType::kVote), 0);
  }
  EXPECT_EQ(node.core.leader(), NodeId(2));
}

TEST(RaftElectionTest, TimeoutsAreSpreadOverOneTimeout) {
  int earliest = 100, latest = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Config config = ThreeNodes();
    config.seed = seed;
    TestNode node(config);
    int ticks = 0;
    while (node.core.role() == Role::kFollower) node.Tick(), ++ticks;
    earliest = std::min(earliest, ticks);
    latest = std::max(latest, ticks);
  }
  EXPECT_EQ(earliest, 10);
  EXPECT_EQ(latest, 19);
}

TEST(RaftElectionTest, ACandidateWithAMajorityOfVotesLeads) {
  TestNode node;
  node.core.Campaign();
  node.Drain();
  EXPECT_EQ(node.core.role(), Role::kCandidate);
  const auto sent = node.Step(MakeGrant(3, 1));
  EXPECT_EQ(node.core.role(), Role::kLeader);
  EXPECT_EQ(node.core.leader(), NodeId(1));
  // It asserts itself at once, with an entry of its own term.
  EXPECT_EQ(Find(sent, MessageType::kAppend, 2).entries.size(), 1u);
  EXPECT_EQ(node.core.EntryAt(1).type, EntryType::kNoop);
}

TEST(RaftElectionTest, ACandidateThatMeetsTheLeaderOfItsTermFollows) {
  TestNode node;
  node.core.Campaign();
  node.Drain();
  node.Step(MakeMessage(MessageType::kHeartbeat, 3, 1));
  EXPECT_EQ(node.core.role(), Role::kFollower);
  EXPECT_EQ(node.core.leader(), NodeId(3));
}

TEST(RaftElectionTest, ASplitVoteIsFollowedByAnotherTerm) {
  TestNode node;
  node.core.Campaign();
  node.Drain();
  node.Tick(20);
  EXPECT_GE(node.core.term(), 2u);
}

TEST(RaftElectionTest, ItsOwnVoteCountsWhenItIsDurable) {
  Config config = ThreeNodes();
  config.voters = {NodeId(1)};
  Raft core(config, Restored());
  core.Campaign();
  EXPECT_EQ(core.role(), Role::kCandidate);
  const Ready ready = core.TakeReady();
  ASSERT_TRUE(ready.hard_state.has_value());
  EXPECT_EQ(ready.hard_state->vote, NodeId(1));
  EXPECT_EQ(core.role(), Role::kCandidate);
  core.OnHardStatePersisted(*ready.hard_state);
  EXPECT_EQ(core.role(), Role::kLeader);
}

TEST(RaftElectionTest, AReplicaVotesOnceInATerm) {
  TestNode node;
  EXPECT_FALSE(
      Find(node.Step(MakeVote(2, 1, 0, 0)), MessageType::kVoteReply, 2).reject);
  EXPECT_TRUE(
      Find(node.Step(MakeVote(3, 1, 0, 0)), MessageType::kVoteReply, 3).reject);
  // Asked again by the same candidate, it repeats itself.
  EXPECT_FALSE(
      Find(node.Step(MakeVote(2, 1, 0, 0)), MessageType::kVoteReply, 2).reject);
}

TEST(RaftElectionTest, AVoteOutlivesARestart) {
  Restored restored;
  restored.hard_state = {.term = 3, .vote = NodeId(2), .recovering = false};
  TestNode node(ThreeNodes(), restored);
  EXPECT_TRUE(
      Find(node.Step(MakeVote(3, 3, 9, 3)), MessageType::kVoteReply, 3).reject);
}

TEST(RaftElectionTest, VotesGoToLogsAtLeastAsUpToDate) {
  struct Case {
    std::vector<Term> terms;
    LogIndex last;
    Term last_term;
    bool granted;
  };
  for (const Case& c : std::vector<Case>{
           {{1}, 1, 1, true},
           {{1}, 2, 1, true},
           {{1, 1}, 1, 1, false},
           {{1}, 1, 2, true},
           {{1, 1}, 1, 2, true},
           {{2}, 1, 1, false},
           {{2}, 2, 1, false},
           {{1, 2}, 1, 1, false},
       }) {
    TestNode node(ThreeNodes(), LogOf(c.terms, 2));
    const Message reply = Find(node.Step(MakeVote(2, 3, c.last, c.last_term)),
                               MessageType::kVoteReply, 2);
    EXPECT_EQ(reply.reject, !c.granted) << c.last << "/" << c.last_term;
    EXPECT_EQ(reply.term, 3u);
  }
}

TEST(RaftElectionTest, WhoHeardALeaderLatelyDoesNotHelpToDeposeIt) {
  TestNode node;
  node.Step(MakeMessage(MessageType::kHeartbeat, 2, 1));
  EXPECT_TRUE(node.Step(MakeVote(3, 9, 0, 0)).empty());
  EXPECT_EQ(node.core.term(), 1u);
  Message pre_vote = MakeVote(3, 9, 0, 0);
  pre_vote.type = MessageType::kPreVote;
  EXPECT_TRUE(Find(node.Step(pre_vote), MessageType::kPreVoteReply, 3).reject);
  // Unless the leader itself has asked for it.
  Message vote = MakeVote(3, 9, 0, 0);
  vote.transfer = true;
  EXPECT_FALSE(Find(node.Step(vote), MessageType::kVoteReply, 3).reject);
}

TEST(RaftElectionTest, APreVoteChangesNothing) {
  TestNode node(ThreeNodes(), LogOf({1, 1}, 4));
  Message pre_vote = MakeVote(3, 9, 2, 1);
  pre_vote.type = MessageType::kPreVote;
  const Message reply =
      Find(node.Step(pre_vote), MessageType::kPreVoteReply, 3);
  EXPECT_FALSE(reply.reject);
  EXPECT_EQ(reply.term, 9u);
  EXPECT_EQ(node.core.term(), 4u);
  // Behind in log or term: refused, with our own term.
  pre_vote.log_index = 1;
  EXPECT_EQ(Find(node.Step(pre_vote), MessageType::kPreVoteReply, 3).term, 4u);
  pre_vote.log_index = 2;
  pre_vote.term = 4;
  EXPECT_TRUE(Find(node.Step(pre_vote), MessageType::kPreVoteReply, 3).reject);
}

TEST(RaftElectionTest, APreCandidateTakesANewTermOnlyWithAMajority) {
  Config config = ThreeNodes();
  config.pre_vote = true;
  TestNode node(config);
  node.core.Campaign();
  EXPECT_EQ(Count(node.Drain(), MessageType::kPreVote), 2);
  EXPECT_EQ(node.core.term(), 0u);
  Message grant = MakeGrant(2, 1);
  grant.type = MessageType::kPreVoteReply;
  EXPECT_EQ(Count(node.Step(grant), MessageType::kVote), 2);
  EXPECT_EQ(node.core.term(), 1u);
}

TEST(RaftElectionTest, ARefusalOfALaterTermIsLearned) {
  Config config = ThreeNodes();
  config.pre_vote = true;
  TestNode node(config);
  node.core.Campaign();
  node.Drain();
  Message refusal = MakeGrant(2, 7);
  refusal.type = MessageType::kPreVoteReply;
  refusal.reject = true;
  node.Step(refusal);
  EXPECT_EQ(node.core.term(), 7u);
  EXPECT_EQ(node.core.role(), Role::kFollower);
}

TEST(RaftElectionTest, ALaterTermEndsLeadership) {
  TestNode node;
  node.Lead();
  Message reply = MakeMessage(MessageType::kAppendReply, 2, 5);
  reply.reject = true;
  node.Step(reply);
  EXPECT_EQ(node.core.role(), Role::kFollower);
  EXPECT_EQ(node.core.term(), 5u);
}

TEST(RaftElectionTest, ALeaderThatNobodyHearsStepsDown) {
  TestNode node;
  node.Lead();
  node.Tick(9);
  EXPECT_EQ(node.core.role(), Role::kLeader);
  node.Step(MakeMessage(MessageType::kHeartbeatReply, 3, 1));
  node.Tick(9);
  EXPECT_EQ(node.core.role(), Role::kLeader);
  node.Tick(1);
  EXPECT_EQ(node.core.role(), Role::kFollower);
}

TEST(RaftElectionTest, AMessageForSomebodyElseIsNotOurs) {
  TestNode node;
  Message vote = MakeVote(2, 9, 0, 0);
  vote.to = NodeId(3);
  EXPECT_TRUE(node.Step(vote).empty());
  EXPECT_EQ(node.core.term(), 0u);
}

}  // namespace
}  // namespace trireme::raft
