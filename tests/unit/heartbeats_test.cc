#include "server/heartbeats.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;

class HeartbeatsTest : public ::testing::Test {
 protected:
  HeartbeatsTest() {
    node_.CreateActive("s", 1);
    TestNode::Answer<JoinedGroup> answer;
    node_.broker.consumer_groups().Join({{"s"}, "g", "w"}, TestNode::kTimeout,
                                        answer.Callback());
    worker_ = node_.Take(answer)->worker;
  }
  void Send(WorkerNumber worker) {
    node_.broker.consumer_groups().Heartbeat(
        {{worker_.group, worker}, "other"}, TestNode::kTimeout,
        [this](const absl::StatusOr<WorkerLeases>& leases) {
          answers_.push_back(leases.ok() ? "known"
                                         : std::string(ErrorReasonName(
                                               ReasonOf(leases.status()))));
        });
    node_.Settle();
  }
  LogIndex Entries() { return node_.replica.state().Applied(kMetaGroup).index; }

  TestNode node_;
  WorkerHandle worker_;
  std::vector<std::string> answers_;
};

TEST_F(HeartbeatsTest, ThoseOfFiftyMillisecondsAreOneEntry) {
  const LogIndex before = Entries();
  Send(worker_.worker);
  node_.Advance(absl::Milliseconds(49));
  Send(worker_.worker + 1);
  Send(worker_.worker);
  EXPECT_EQ(Entries(), before);
  EXPECT_TRUE(answers_.empty());
  node_.Advance(absl::Milliseconds(1));
  EXPECT_EQ(Entries(), before + 1);
  EXPECT_THAT(answers_, testing::UnorderedElementsAre(
                            "known", "WorkerExpiredException", "known"));
  // The next begin anew.
  Send(worker_.worker);
  node_.Advance(absl::Milliseconds(50));
  EXPECT_EQ(Entries(), before + 2);
  EXPECT_EQ(answers_.size(), 4u);
}

TEST_F(HeartbeatsTest, AThousandDoNotWait) {
  const LogIndex before = Entries();
  for (int i = 0; i < 1'001; ++i) Send(worker_.worker);
  EXPECT_EQ(Entries(), before + 1);
  EXPECT_EQ(answers_.size(), 1'000u);
  node_.Advance(absl::Milliseconds(50));
  EXPECT_EQ(answers_.size(), 1'001u);
  EXPECT_EQ(Entries(), before + 2);
}

TEST_F(HeartbeatsTest, AllAreToldThatTheyCouldNotBeHeard) {
  node_.replicas.refuse_with.push_back(
      MakeError(ErrorReason::kNoLeader, "no leader"));
  Send(worker_.worker);
  Send(worker_.worker);
  node_.Advance(absl::Milliseconds(50));
  EXPECT_THAT(answers_, ElementsAre("NoLeader", "NoLeader"));
}

}  // namespace
}  // namespace trireme
