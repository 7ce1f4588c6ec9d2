#include <gtest/gtest.h>

#include <map>

#include "replication/raft/quorum.h"

namespace trireme::raft {
namespace {

Membership Voters(std::vector<uint32_t> voters,
                  std::vector<uint32_t> outgoing = {}) {
  Membership membership;
  for (uint32_t id : voters) membership.voters.push_back(NodeId(id));
  for (uint32_t id : outgoing) membership.outgoing_voters.push_back(NodeId(id));
  return membership;
}

uint64_t Value(const Membership& membership, std::map<uint32_t, uint64_t> at) {
  return QuorumValue(membership, [&](NodeId node) { return at[node.value()]; });
}

TEST(QuorumTest, IsMoreThanHalf) {
  EXPECT_EQ(MajorityOf(1), 1u);
  EXPECT_EQ(MajorityOf(2), 2u);
  EXPECT_EQ(MajorityOf(3), 2u);
  EXPECT_EQ(MajorityOf(4), 3u);
  EXPECT_EQ(MajorityOf(5), 3u);
}

TEST(QuorumTest, ReachesWhatAMajorityHasReached) {
  EXPECT_EQ(Value(Voters({1}), {{1, 7}}), 7u);
  EXPECT_EQ(Value(Voters({1, 2}), {{1, 7}, {2, 3}}), 3u);
  EXPECT_EQ(Value(Voters({1, 2, 3}), {{1, 9}, {2, 5}, {3, 1}}), 5u);
  EXPECT_EQ(Value(Voters({1, 2, 3}), {{1, 9}}), 0u);
  EXPECT_EQ(Value(Voters({1, 2, 3, 4}), {{1, 9}, {2, 8}, {3, 5}}), 5u);
}

TEST(QuorumTest, NeedsBothHalvesOfAJointMembership) {
  const Membership joint = Voters({1, 2, 3}, {3, 4, 5});
  EXPECT_EQ(Value(joint, {{1, 9}, {2, 9}, {3, 9}}), 0u);
  EXPECT_EQ(Value(joint, {{1, 9}, {2, 9}, {4, 6}, {5, 4}}), 4u);
  EXPECT_EQ(Value(joint, {{1, 9}, {3, 8}, {4, 6}}), 6u);
}

TEST(VoteTallyTest, IsWonAndLostByMajorities) {
  const Membership three = Voters({1, 2, 3});
  VoteTally tally;
  tally.Record(NodeId(1), true);
  EXPECT_EQ(tally.Result(three), VoteResult::kPending);
  tally.Record(NodeId(2), false);
  EXPECT_EQ(tally.Result(three), VoteResult::kPending);
  tally.Record(NodeId(3), true);
  EXPECT_EQ(tally.Result(three), VoteResult::kWon);
  tally.Clear();
  tally.Record(NodeId(1), true);
  tally.Record(NodeId(2), false);
  tally.Record(NodeId(3), false);
  EXPECT_EQ(tally.Result(three), VoteResult::kLost);
}

TEST(VoteTallyTest, CountsANodeOnceAndStrangersNever) {
  const Membership three = Voters({1, 2, 3});
  VoteTally tally;
  tally.Record(NodeId(1), true);
  tally.Record(NodeId(1), true);
  tally.Record(NodeId(9), true);
  EXPECT_EQ(tally.Result(three), VoteResult::kPending);
  tally.Record(NodeId(2), false);
  tally.Record(NodeId(2), true);
  EXPECT_EQ(tally.Result(three), VoteResult::kPending);
}

TEST(VoteTallyTest, IsLostWhenOneHalfRefuses) {
  VoteTally tally;
  for (uint32_t id : {1, 2, 3}) tally.Record(NodeId(id), true);
  const Membership joint = Voters({1, 2, 3}, {3, 4, 5});
  EXPECT_EQ(tally.Result(joint), VoteResult::kPending);
  tally.Record(NodeId(4), false);
  tally.Record(NodeId(5), false);
  EXPECT_EQ(tally.Result(joint), VoteResult::kLost);
}

}  // namespace
}  // namespace trireme::raft
