#include "server/capacity_operations.h"

#include "gmock/gmock.h"
#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;

class CapacityOperationsTest : public ::testing::Test {
 protected:
  template <typename Ask>
  absl::Status Await(Ask ask) {
    absl::Status status = absl::InternalError("not answered");
    ask([&](absl::Status got) { status = got; });
    node_.Settle();
    return status;
  }
  absl::Status Create(const CreateStreamRequest& request) {
    return Await([&](Broker::StatusDone done) {
      node_.broker.CreateStream(request, TestNode::kTimeout, std::move(done));
    });
  }
  absl::Status CreateOnDemand(std::optional<int32_t> warm = std::nullopt) {
    CreateStreamRequest request;
    request.stream_name = "s";
    request.mode = StreamMode::kOnDemand;
    request.warm_mibps = warm;
    return Create(request);
  }
  absl::Status SetMode(StreamMode mode,
                       std::optional<int32_t> warm = std::nullopt) {
    return Await([&](Broker::StatusDone done) {
      node_.broker.UpdateStreamMode({{"s"}, mode, warm}, TestNode::kTimeout,
                                    std::move(done));
    });
  }
  absl::StatusOr<UpdateWarmThroughputResponse> SetWarm(int32_t mibps) {
    TestNode::Answer<UpdateWarmThroughputResponse> answer;
    node_.broker.UpdateStreamWarmThroughput({{"s"}, mibps}, TestNode::kTimeout,
                                            answer.Callback());
    return node_.Take(answer);
  }
  absl::Status SetDistribution(RecordDistribution distribution) {
    return Await([&](Broker::StatusDone done) {
      node_.broker.UpdateStreamRecordDistributionStrategy(
          {{"s"}, distribution}, TestNode::kTimeout, std::move(done));
    });
  }
  void Commit() {
    TestNode::Answer<AccountSettings> answer;
    node_.broker.UpdateAccountSettings({true}, TestNode::kTimeout,
                                       answer.Callback());
    ASSERT_OK(node_.Take(answer));
  }
  StreamPtr stream() { return node_.replica.state().catalog().Find("s"); }

  TestNode node_;
};

TEST_F(CapacityOperationsTest, AnOnDemandStreamBeginsWithFourShards) {
  ASSERT_OK(CreateOnDemand());
  EXPECT_EQ(stream()->status, StreamStatus::kActive);
  EXPECT_EQ(stream()->mode, StreamMode::kOnDemand);
  EXPECT_EQ(stream()->open.size(), 4u);
  EXPECT_EQ(stream()->distribution, RecordDistribution::kUserPartitionKey);
}

TEST_F(CapacityOperationsTest, ItsShardsAreTheServices) {
  ASSERT_OK(CreateOnDemand());
  const absl::Status split = node_.Split("s", "0", "1000");
  EXPECT_EQ(ReasonOf(split), ErrorReason::kValidation);
  EXPECT_EQ(split.message(),
            "Request is invalid. Stream s under account 000000000000 is in "
            "On-Demand mode.");
  EXPECT_EQ(ReasonOf(Await([&](Broker::StatusDone done) {
              node_.broker.MergeShards({{"s"}, "0", "1"}, TestNode::kTimeout,
                                       std::move(done));
            })),
            ErrorReason::kValidation);
  TestNode::Answer<UpdateShardCountResponse> answer;
  node_.broker.UpdateShardCount({{"s"}, 8}, TestNode::kTimeout,
                                answer.Callback());
  EXPECT_EQ(ReasonOf(node_.Take(answer).status()), ErrorReason::kValidation);
  // Provisioned, it keeps its shards, and they are the user's again.
  ASSERT_OK(SetMode(StreamMode::kProvisioned));
  EXPECT_EQ(stream()->open.size(), 4u);
  EXPECT_OK(node_.Split("s", "0", "1000"));
}

TEST_F(CapacityOperationsTest, AModeIsDrivenOnByTheNextLeader) {
  node_.CreateActive("s", 2);
  node_.replicas.leader = NodeId(2);  // Nothing drives the stream here.
  ASSERT_OK(SetMode(StreamMode::kOnDemand));
  EXPECT_EQ(stream()->status, StreamStatus::kUpdating);
  EXPECT_EQ(ReasonOf(SetMode(StreamMode::kProvisioned)),
            ErrorReason::kResourceInUse);
  EXPECT_OK(node_.Put("s", "k", "puts go on"));
  node_.replicas.leader = NodeId(1);
  node_.lifecycle.RunOnce();
  node_.Settle();
  EXPECT_EQ(stream()->status, StreamStatus::kActive);
  EXPECT_EQ(stream()->mode, StreamMode::kOnDemand);
  EXPECT_EQ(stream()->open.size(), 2u);
}

TEST_F(CapacityOperationsTest, WarmThroughputNeedsModeAndCommitment) {
  EXPECT_EQ(ReasonOf(CreateOnDemand(100)), ErrorReason::kInvalidArgument);
  node_.CreateActive("s", 1);
  EXPECT_EQ(ReasonOf(SetWarm(10).status()), ErrorReason::kValidation);
  const absl::Status uncommitted = SetMode(StreamMode::kOnDemand, 10);
  EXPECT_EQ(ReasonOf(uncommitted), ErrorReason::kInvalidArgument);
  EXPECT_THAT(std::string(uncommitted.message()),
              HasSubstr("UpdateAccountSettings"));
  Commit();
  ASSERT_OK(SetMode(StreamMode::kOnDemand, 10));
  EXPECT_EQ(stream()->warm, (WarmThroughput{10, 1}));
  const auto update = SetWarm(20);
  ASSERT_OK(update);
  EXPECT_EQ(update->warm, (WarmThroughput{20, 1}));
  EXPECT_EQ(stream()->warm, (WarmThroughput{20, 1}));
  for (const int32_t mibps : {-1, 10'241}) {
    EXPECT_EQ(ReasonOf(SetWarm(mibps).status()), ErrorReason::kValidation);
  }
  EXPECT_EQ(ReasonOf(SetMode(StreamMode::kProvisioned, 10)),
            ErrorReason::kInvalidArgument);
}

TEST_F(CapacityOperationsTest, ACommittedAccountCreatesWarmStreams) {
  Commit();
  ASSERT_OK(CreateOnDemand(100));
  EXPECT_EQ(stream()->warm, (WarmThroughput{100, 4}));
}

TEST_F(CapacityOperationsTest, AutoIsForOnDemandStreamsAlone) {
  CreateStreamRequest request;
  request.stream_name = "s";
  request.shard_count = 1;
  request.distribution = RecordDistribution::kAuto;
  EXPECT_EQ(ReasonOf(Create(request)), ErrorReason::kInvalidArgument);
  node_.CreateActive("s", 1);
  EXPECT_EQ(ReasonOf(SetDistribution(RecordDistribution::kAuto)),
            ErrorReason::kInvalidArgument);
  ASSERT_OK(SetMode(StreamMode::kOnDemand));
  // From the next put on.
  EXPECT_FALSE(node_.Put("s", "", "no key").ok());
  ASSERT_OK(SetDistribution(RecordDistribution::kAuto));
  EXPECT_EQ(stream()->status, StreamStatus::kActive);
  EXPECT_OK(node_.Put("s", "", "no key"));
  const absl::Status back = SetMode(StreamMode::kProvisioned);
  EXPECT_EQ(ReasonOf(back), ErrorReason::kInvalidArgument);
  EXPECT_THAT(std::string(back.message()),
              HasSubstr("set USER_PARTITION_KEY first"));
  ASSERT_OK(SetDistribution(RecordDistribution::kUserPartitionKey));
  EXPECT_OK(SetMode(StreamMode::kProvisioned));
}

TEST_F(CapacityOperationsTest, LimitsCountTheOnDemandStreams) {
  ASSERT_OK(CreateOnDemand());
  node_.CreateActive("t", 1);
  TestNode::Answer<DescribeLimitsResponse> answer;
  node_.broker.DescribeLimits(TestNode::kTimeout, answer.Callback());
  EXPECT_EQ(node_.Take(answer)->on_demand_stream_count, 1u);
}

}  // namespace
}  // namespace trireme
