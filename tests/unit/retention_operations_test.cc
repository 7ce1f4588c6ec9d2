#include "server/retention_operations.h"

#include "gmock/gmock.h"
#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RetentionOperationsTest : public ::testing::Test {
 protected:
  RetentionOperationsTest() { node_.CreateActive("s", 2); }

  using Operation = void (Broker::*)(const RetentionPeriodRequest&,
                                     absl::Duration, Broker::StatusDone);
  absl::Status Change(Operation operation, int hours,
                      const std::string& stream = "s") {
    absl::Status status = absl::InternalError("not answered");
    (node_.broker.*operation)({{stream}, hours}, TestNode::kTimeout,
                              [&](absl::Status got) { status = got; });
    // Not the life cycle, which runs by timers.
    while (node_.read_pool.RunOne()) {
    }
    return status;
  }
  absl::Status Increase(int hours, const std::string& stream = "s") {
    return Change(&Broker::IncreaseStreamRetentionPeriod, hours, stream);
  }
  absl::Status Decrease(int hours) {
    return Change(&Broker::DecreaseStreamRetentionPeriod, hours);
  }
  StreamPtr Found() {
    return node_.replica.state().catalog().Find(absl::string_view("s"));
  }
  std::vector<std::string> ReadFromHorizon() {
    const auto iterator = node_.Iterator("s", "shardId-000000000000",
                                         ShardIteratorType::kTrimHorizon);
    EXPECT_OK(iterator);
    const auto got = node_.Get(*iterator);
    EXPECT_OK(got);
    return got.ok() ? DataOf(got->records) : std::vector<std::string>();
  }

  TestNode node_;
};

TEST_F(RetentionOperationsTest, ARaiseIsUpdatingUntilTheShardsKnow) {
  ASSERT_OK(Increase(100));
  EXPECT_EQ(Found()->status, StreamStatus::kUpdating);
  EXPECT_EQ(Found()->retention_hours, 24u);
  EXPECT_THAT(std::string(Increase(200).message()), HasSubstr("UPDATING"));
  node_.Settle();
  EXPECT_EQ(Found()->status, StreamStatus::kActive);
  EXPECT_EQ(Found()->retention_hours, 100u);
  // The same again is no change.
  ASSERT_OK(Increase(100));
  EXPECT_EQ(Found()->status, StreamStatus::kActive);
  ASSERT_OK(Decrease(100));
  EXPECT_EQ(Found()->status, StreamStatus::kActive);
}

TEST_F(RetentionOperationsTest, ADecreaseCountsAtOnce) {
  ASSERT_OK(Increase(100));
  node_.Settle();
  ASSERT_OK(node_.Put("s", "a", "old"));
  node_.Advance(absl::Hours(30));
  ASSERT_THAT(ReadFromHorizon(), ElementsAre("old"));
  ASSERT_OK(Decrease(24));
  EXPECT_EQ(Found()->status, StreamStatus::kUpdating);
  EXPECT_THAT(ReadFromHorizon(), IsEmpty());
  node_.Settle();
  EXPECT_EQ(Found()->status, StreamStatus::kActive);
}

TEST_F(RetentionOperationsTest, WhatHadExpiredDoesNotComeBack) {
  ASSERT_OK(node_.Put("s", "a", "expired"));
  node_.Advance(absl::Hours(20));
  ASSERT_OK(node_.Put("s", "a", "young"));
  node_.Advance(absl::Hours(5));
  ASSERT_THAT(ReadFromHorizon(), ElementsAre("young"));
  ASSERT_OK(Increase(8760));
  node_.Settle();
  EXPECT_THAT(ReadFromHorizon(), ElementsAre("young"));
  node_.Advance(absl::Hours(1000));
  EXPECT_THAT(ReadFromHorizon(), ElementsAre("young"));
}

TEST_F(RetentionOperationsTest, ANewMetaLeaderFinishesTheChange) {
  node_.replicas.leader = NodeId(2);
  ASSERT_OK(Increase(48));
  node_.lifecycle.RunOnce();
  node_.Settle();
  EXPECT_EQ(Found()->status, StreamStatus::kUpdating);
  node_.replicas.leader = NodeId(1);
  node_.lifecycle.RunOnce();
  node_.Settle();
  EXPECT_EQ(Found()->status, StreamStatus::kActive);
  EXPECT_EQ(Found()->retention_hours, 48u);
}

TEST_F(RetentionOperationsTest, WrongPeriodsAreRefused) {
  const auto refused = [](const absl::Status& status, const char* words) {
    EXPECT_EQ(ReasonOf(status), ErrorReason::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(words));
  };
  refused(Increase(23),
          "Minimum allowed retention period is 24 hours. Requested retention "
          "period (23 hours) is too short.");
  refused(Decrease(8761),
          "Maximum allowed retention period is 8760 hours. Requested retention "
          "period (8761 hours) is too long.");
  ASSERT_OK(Increase(48));
  node_.Settle();
  refused(Increase(24),
          "Requested retention period (24 hours) for stream s can not be "
          "shorter than existing retention period (48 hours). Use "
          "DecreaseRetentionPeriod API.");
  refused(Decrease(72),
          "Requested retention period (72 hours) for stream s can not be "
          "longer than existing retention period (48 hours). Use "
          "IncreaseRetentionPeriod API.");
  absl::Status unknown = Increase(48, "none");
  EXPECT_EQ(ReasonOf(unknown), ErrorReason::kResourceNotFound);
}

}  // namespace
}  // namespace trireme
