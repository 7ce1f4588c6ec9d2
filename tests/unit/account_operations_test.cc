#include "server/account_operations.h"

#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

absl::StatusOr<AccountSettings> Describe(TestNode& node) {
  TestNode::Answer<AccountSettings> answer;
  node.broker.DescribeAccountSettings(TestNode::kTimeout, answer.Callback());
  return node.Take(answer);
}
absl::StatusOr<AccountSettings> Commit(TestNode& node, bool enable) {
  TestNode::Answer<AccountSettings> answer;
  node.broker.UpdateAccountSettings({enable}, TestNode::kTimeout,
                                    answer.Callback());
  return node.Take(answer);
}

TEST(AccountOperationsTest, ACommitmentIsEnabledAndEndsWhenItMay) {
  TestNode node;
  EXPECT_EQ(Describe(node)->commitment, BillingCommitment());
  const absl::Time start = node.clock.WallNow();
  const auto enabled = Commit(node, true);
  ASSERT_OK(enabled);
  EXPECT_EQ(enabled->commitment.status, CommitmentStatus::kEnabled);
  EXPECT_EQ(enabled->commitment.started, start);
  EXPECT_EQ(*Describe(node), *enabled);

  node.Advance(absl::Hours(1));
  EXPECT_EQ(Commit(node, false)->commitment.status, CommitmentStatus::kEnding);
  node.Advance(absl::Hours(22));
  EXPECT_EQ(Describe(node)->commitment.status, CommitmentStatus::kEnding);
  // Nobody asks for it: its time has come.
  node.Advance(absl::Hours(1));
  EXPECT_EQ(Describe(node)->commitment.status, CommitmentStatus::kDisabled);
  EXPECT_EQ(Describe(node)->commitment.ended, start + absl::Hours(24));
}

TEST(AccountOperationsTest, AnswersSayWhenNobodyLeads) {
  TestNode node;
  const absl::Status no_leader = MakeError(ErrorReason::kNoLeader, "none");
  node.replicas.refuse_with = {no_leader};
  EXPECT_EQ(Commit(node, true).status(), no_leader);
  node.replicas.barrier_status = no_leader;
  EXPECT_EQ(Describe(node).status(), no_leader);
}

}  // namespace
}  // namespace trireme
