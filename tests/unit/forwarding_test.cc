#include "replication/forwarding.h"

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "storage/errors.h"

namespace trireme {
namespace {

constexpr GroupId kGroup{1};
constexpr ForwardTarget kOld{NodeId(2), 5};
constexpr ForwardTarget kNew{NodeId(3), 6};

ProposalOutcome Bounced() {
  ProposalOutcome outcome;
  outcome.status = MakeError(ErrorReason::kNoLeader, "not the leader");
  return outcome;
}

ProposalOutcome Written() {
  ProposalOutcome outcome;
  outcome.places.emplace_back();
  return outcome;
}

class ForwardingTest : public ::testing::Test {
 protected:
  // A proposal that can be told by its name.
  PendingProposal Named(const std::string& name) {
    auto body = std::make_shared<ProposalBody>();
    body->puts.push_back({{}, 1, name});
    return {kGroup, std::move(body), absl::Seconds(10),
            [this](ProposalOutcome outcome) {
              answers_.push_back(std::move(outcome));
            }};
  }

  uint64_t Send(const std::string& name, const ForwardTarget& target) {
    return forwarding_.Forward(Named(name), target, absl::ZeroDuration())
        .request;
  }

  std::vector<std::string> TakeRoutable(const ForwardTarget& target) {
    std::vector<std::string> names;
    for (PendingProposal& taken : forwarding_.TakeRoutable(kGroup, target)) {
      names.push_back(taken.body->puts[0].batch);
    }
    return names;
  }

  Forwarding forwarding_{1};
  std::vector<ProposalOutcome> answers_;
};

TEST_F(ForwardingTest, NothingGoesToANewLeaderWhileOlderProposalsAreOut) {
  const uint64_t first = Send("first", kOld);
  const uint64_t second = Send("second", kOld);
  EXPECT_FALSE(forwarding_.MustWait(kGroup, kOld));
  EXPECT_TRUE(forwarding_.MustWait(kGroup, kNew));
  forwarding_.Park(Named("third"));

  forwarding_.OnOutcome(second, Bounced());
  EXPECT_TRUE(TakeRoutable(kNew).empty());
  forwarding_.OnOutcome(first, Bounced());
  EXPECT_EQ(TakeRoutable(kNew),
            (std::vector<std::string>{"first", "second", "third"}));
  EXPECT_FALSE(forwarding_.MustWait(kGroup, kNew));
}

TEST_F(ForwardingTest, ALeaderThatLeadsAgainIsAnotherTarget) {
  Send("first", kOld);
  EXPECT_TRUE(forwarding_.MustWait(kGroup, {kOld.leader, kOld.term + 1}));
}

TEST_F(ForwardingTest, NewProposalsWaitBehindParkedOnes) {
  forwarding_.Park(Named("first"));
  EXPECT_TRUE(forwarding_.MustWait(kGroup, kNew));
  EXPECT_TRUE(TakeRoutable({}).empty());
  EXPECT_EQ(TakeRoutable(kNew), std::vector<std::string>{"first"});
}

TEST_F(ForwardingTest, WhatWasNotSentKeepsItsPlace) {
  ForwardedProposal sent =
      forwarding_.Forward(Named("first"), kOld, absl::ZeroDuration());
  forwarding_.Park(Named("second"));
  forwarding_.OnNotSent({sent});
  EXPECT_EQ(TakeRoutable(kOld), (std::vector<std::string>{"first", "second"}));
}

TEST_F(ForwardingTest, ALostConnectionLeavesTheOutcomeUnknown) {
  const uint64_t request = Send("first", kOld);
  forwarding_.OnConnectionLost(kOld.leader);
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(ReasonOf(answers_[0].status), ErrorReason::kOutcomeUnknown);
  // Its answer, when it comes after all, is for nobody.
  forwarding_.OnOutcome(request, Written());
  EXPECT_EQ(answers_.size(), 1u);
}

TEST_F(ForwardingTest, ParkedProposalsExpireAsNotWritten) {
  forwarding_.Park(Named("first"));
  forwarding_.Expire(absl::Seconds(9));
  EXPECT_TRUE(answers_.empty());
  forwarding_.Expire(absl::Seconds(10));
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(ReasonOf(answers_[0].status), ErrorReason::kNoLeader);
}

TEST_F(ForwardingTest, AnAnswerForTooFewBatchesIsNotBelieved) {
  forwarding_.OnOutcome(Send("first", kOld), ProposalOutcome());
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(ReasonOf(answers_[0].status), ErrorReason::kOutcomeUnknown);
}

}  // namespace
}  // namespace trireme
