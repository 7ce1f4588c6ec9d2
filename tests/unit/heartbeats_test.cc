#include "server/heartbeats.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/broker_fixture.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;

class HeartbeatsTest : public ::testing::Test {
 protected:
  HeartbeatsTest() : heartbeats_(&node_.replicas, &node_.timers, &node_.clock) {
    node_.CreateActive("s", 1);
    v1::Command command;
    v1::JoinGroupCommand& join =
        *command.mutable_consumer_groups()->mutable_join_group();
    join.set_stream_id(node_.replica.state().catalog().Find("s")->id.value());
    join.set_group_name("g");
    join.set_worker_name("w");
    node_.replicas.Propose(ProposalOfCommand(
        kMetaGroup, command.SerializeAsString(), TestNode::kTimeout,
        [this](const ProposalOutcome& outcome) {
          ASSERT_OK(outcome.status);
          ASSERT_TRUE(joined_.ParseFromString(outcome.reply));
        }));
    node_.Settle();
  }
  void Send(WorkerNumber worker) {
    v1::Heartbeat heartbeat;
    heartbeat.mutable_group()->set_stream_id(
        node_.replica.state().catalog().Find("s")->id.value());
    heartbeat.mutable_group()->set_group(joined_.group());
    heartbeat.set_worker(worker);
    heartbeats_.Send(std::move(heartbeat), TestNode::kTimeout,
                     [this](absl::StatusOr<bool> heard) {
                       answers_.push_back(!heard.ok() ? "failed"
                                          : *heard    ? "known"
                                                      : "unknown");
                     });
  }
  LogIndex Entries() { return node_.replica.state().Applied(kMetaGroup).index; }

  TestNode node_;
  v1::JoinGroupReply joined_;
  std::vector<std::string> answers_;
  Heartbeats heartbeats_;
};

TEST_F(HeartbeatsTest, ThoseOfFiftyMillisecondsAreOneEntry) {
  const LogIndex before = Entries();
  Send(joined_.worker());
  node_.Advance(absl::Milliseconds(49));
  Send(joined_.worker() + 1);
  Send(joined_.worker());
  EXPECT_EQ(Entries(), before);
  EXPECT_TRUE(answers_.empty());
  node_.Advance(absl::Milliseconds(1));
  EXPECT_EQ(Entries(), before + 1);
  EXPECT_THAT(answers_, ElementsAre("known", "unknown", "known"));
  // The next begin anew.
  Send(joined_.worker());
  node_.Advance(absl::Milliseconds(50));
  EXPECT_EQ(Entries(), before + 2);
  EXPECT_EQ(answers_.size(), 4u);
}

TEST_F(HeartbeatsTest, AThousandDoNotWait) {
  const LogIndex before = Entries();
  for (int i = 0; i < 1'001; ++i) Send(joined_.worker());
  EXPECT_EQ(Entries(), before + 1);
  EXPECT_EQ(answers_.size(), 1'000u);
  node_.Advance(absl::Milliseconds(50));
  EXPECT_EQ(answers_.size(), 1'001u);
  EXPECT_EQ(Entries(), before + 2);
}

TEST_F(HeartbeatsTest, AllAreToldThatTheyCouldNotBeHeard) {
  node_.replicas.refuse_with.push_back(
      MakeError(ErrorReason::kNoLeader, "no leader"));
  Send(joined_.worker());
  Send(joined_.worker());
  node_.Advance(absl::Milliseconds(50));
  EXPECT_THAT(answers_, ElementsAre("failed", "failed"));
}

}  // namespace
}  // namespace trireme
