#include "server/rate_limits.h"

#include "gmock/gmock.h"
#include "server/limits.h"
#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;

constexpr auto kTrimHorizon = ShardIteratorType::kTrimHorizon;

BrokerOptions Limited(LimitsProfile profile = LimitsProfile::kKinesis) {
  BrokerOptions options = TestNode::Options();
  options.limits.profile = profile;
  return options;
}

class RateLimitsTest : public ::testing::Test {
 protected:
  explicit RateLimitsTest(const BrokerOptions& options = Limited())
      : node_(0, 64 << 20, options) {
    stream_ = node_.CreateActive("s", 1);
  }

  // The reason of the first refusal, after how many successes.
  template <typename Call>
  std::pair<int, absl::Status> CallUntilRefused(Call call) {
    for (int i = 0; i < 10'000; ++i) {
      absl::Status status = call();
      if (!status.ok()) return {i, status};
    }
    return {10'000, absl::OkStatus()};
  }
  absl::Status ListShards(const std::string& name) {
    TestNode::Answer<ListShardsResponse> answer;
    ListShardsRequest request;
    request.stream.name = name;
    node_.broker.ListShards(request, TestNode::kTimeout, answer.Callback());
    return node_.Take(answer).status();
  }
  absl::Status DescribeLimits() {
    TestNode::Answer<DescribeLimitsResponse> answer;
    node_.broker.DescribeLimits(TestNode::kTimeout, answer.Callback());
    return node_.Take(answer).status();
  }

  TestNode node_;
  StreamPtr stream_;
};

TEST_F(RateLimitsTest, AShardTakes1000RecordsASecond) {
  const auto [taken, refused] =
      CallUntilRefused([&] { return node_.Put("s", "k", "d").status(); });
  EXPECT_EQ(taken, 1000);
  EXPECT_EQ(ReasonOf(refused), ErrorReason::kProvisionedThroughputExceeded);
  EXPECT_EQ(refused.message(),
            "Rate exceeded for shard shardId-000000000000 in stream s under "
            "account 000000000000. It takes 1000 records and 1048576 bytes a "
            "second, partition keys included.");
  EXPECT_EQ(RetryAfterOf(refused), absl::Milliseconds(1));
  node_.Advance(absl::Milliseconds(10));
  EXPECT_EQ(
      CallUntilRefused([&] { return node_.Put("s", "k", "d").status(); }).first,
      10);
}

TEST_F(RateLimitsTest, AShardBurstsTo10MiBAndRefillsAt1MiBASecond) {
  const std::string mib((1 << 20) - 1, 'd');
  const auto put = [&] { return node_.Put("s", "k", mib).status(); };
  EXPECT_EQ(CallUntilRefused(put).first, 10);
  node_.Advance(absl::Milliseconds(900));
  EXPECT_EQ(CallUntilRefused(put).first, 0);
  node_.Advance(absl::Milliseconds(200));
  EXPECT_EQ(CallUntilRefused(put).first, 1);
}

TEST_F(RateLimitsTest, PutRecordsIsRefusedByTheRecord) {
  const std::string data(300 << 10, 'd');
  std::vector<PutEntry> records(30, PutEntry{data, "k", ""});
  ASSERT_OK(node_.PutAll("s", records));
  const auto put = node_.PutAll("s", records);
  ASSERT_OK(put);
  // 10 MiB hold 34 of them.
  for (size_t i = 0; i < records.size(); ++i) {
    const absl::Status& status = put->records[i].status;
    if (i < 4) {
      EXPECT_OK(status) << i;
      continue;
    }
    EXPECT_EQ(ReasonOf(status), ErrorReason::kProvisionedThroughputExceeded);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("Rate exceeded for shard shardId-000000000000 in "
                          "stream s under account 000000000000."));
  }
  EXPECT_LT(put->records[2].sequence_number.counter,
            put->records[3].sequence_number.counter);
}

TEST_F(RateLimitsTest, AShardAnswersFiveGetRecordsASecond) {
  const std::string iterator = *node_.Iterator("s", "0", kTrimHorizon);
  const auto get = [&] { return node_.Get(iterator).status(); };
  const auto [answered, refused] = CallUntilRefused(get);
  EXPECT_EQ(answered, 5);
  EXPECT_EQ(ReasonOf(refused), ErrorReason::kProvisionedThroughputExceeded);
  EXPECT_EQ(RetryAfterOf(refused), absl::Milliseconds(200));
  node_.Advance(absl::Milliseconds(400));
  EXPECT_EQ(CallUntilRefused(get).first, 2);
}

TEST_F(RateLimitsTest, ARead10MiBLargeIsFollowedByFiveSecondsOfNothing) {
  const std::string mib((1 << 20) - 100, 'd');
  for (int i = 0; i < 10; ++i) ASSERT_OK(node_.Put("s", "k", mib));
  const std::string iterator = *node_.Iterator("s", "0", kTrimHorizon);
  const auto read = node_.Get(iterator);
  ASSERT_OK(read);
  EXPECT_EQ(read->records.record_count, 10u);
  const absl::Status refused = node_.Get(iterator).status();
  EXPECT_EQ(ReasonOf(refused), ErrorReason::kProvisionedThroughputExceeded);
  EXPECT_NEAR(absl::ToDoubleSeconds(*RetryAfterOf(refused)), 5, 0.01);
  node_.Advance(absl::Seconds(4.9));
  EXPECT_FALSE(node_.Get(iterator).ok());
  node_.Advance(absl::Seconds(0.2));
  EXPECT_OK(node_.Get(iterator));
}

TEST_F(RateLimitsTest, ReadersWithin2MiBASecondAreNotDisturbed) {
  const std::string data(390 << 10, 'd');
  for (int i = 0; i < 20; ++i) {
    ASSERT_OK(node_.Put("s", "k", data));
    const std::string iterator = *node_.Iterator("s", "0", kTrimHorizon);
    ASSERT_OK(node_.Get(iterator, 1)) << i;
    node_.Advance(absl::Milliseconds(400));
  }
}

TEST_F(RateLimitsTest, AShardGivesFiveIteratorsASecond) {
  const auto [given, refused] = CallUntilRefused(
      [&] { return node_.Iterator("s", "0", kTrimHorizon).status(); });
  EXPECT_EQ(given, 5);
  EXPECT_EQ(ReasonOf(refused), ErrorReason::kProvisionedThroughputExceeded);
  node_.Advance(absl::Seconds(1));
  EXPECT_OK(node_.Iterator("s", "0", kTrimHorizon));
}

TEST_F(RateLimitsTest, TheControlPlaneHasARateForEachOperation) {
  const auto [done, refused] =
      CallUntilRefused([&] { return DescribeLimits(); });
  EXPECT_EQ(done, 1);
  EXPECT_EQ(ReasonOf(refused), ErrorReason::kLimitExceeded);
  EXPECT_EQ(refused.message(),
            "Rate exceeded for DescribeLimits under account 000000000000. "
            "DescribeLimits takes 1 calls a second.");
  EXPECT_EQ(RetryAfterOf(refused), absl::Seconds(1));
  EXPECT_OK(ListShards("s"));
  node_.Advance(absl::Seconds(1));
  EXPECT_OK(DescribeLimits());
}

TEST_F(RateLimitsTest, ListShardsIsCountedByTheStream) {
  node_.CreateActive("other", 1);
  const auto [done, refused] =
      CallUntilRefused([&] { return ListShards("s"); });
  EXPECT_EQ(done, 1000);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("Rate exceeded for stream s under account"));
  EXPECT_OK(ListShards("other"));
}

TEST_F(RateLimitsTest, AConsumerSubscribesOnceASecondToAShard) {
  const RateLimits limits(Limited().limits, Account(), &node_.replicas);
  const auto subscribe = [&](absl::string_view consumer) {
    absl::Status status = absl::InternalError("not answered");
    limits.EnterSubscribe(*stream_, stream_->shards[0], consumer,
                          TestNode::kTimeout,
                          [&](absl::Status got) { status = got; });
    return status;
  };
  EXPECT_OK(subscribe("one"));
  EXPECT_OK(subscribe("two"));
  EXPECT_EQ(ReasonOf(subscribe("one")), ErrorReason::kLimitExceeded);
  node_.Advance(absl::Seconds(1));
  EXPECT_OK(subscribe("one"));
}

TEST_F(RateLimitsTest, WhoCannotAskTheLeaderGoesOnWithoutIt) {
  const std::string iterator = *node_.Iterator("s", "0", kTrimHorizon);
  for (int i = 0; i < 20; ++i) {
    node_.replicas.refuse_with = {
        MakeError(ErrorReason::kNoLeader, "no leader")};
    EXPECT_OK(node_.Get(iterator));
  }
}

class NoLimitsTest : public RateLimitsTest {
 protected:
  NoLimitsTest() : RateLimitsTest(Limited(LimitsProfile::kNone)) {}
};

TEST_F(NoLimitsTest, NothingIsRefusedAndNobodyIsAsked) {
  const std::string iterator = *node_.Iterator("s", "0", kTrimHorizon);
  for (int i = 0; i < 50; ++i) {
    EXPECT_OK(node_.Get(iterator));
    EXPECT_OK(node_.Iterator("s", "0", kTrimHorizon));
    EXPECT_OK(DescribeLimits());
  }
  EXPECT_EQ(node_.replicas.charged, 0);
}

BrokerOptions OneLimited() {
  BrokerOptions options = Limited(LimitsProfile::kNone);
  options.limits.of_streams["slow"] = LimitsProfile::kKinesis;
  return options;
}
class OneStreamLimitedTest : public RateLimitsTest {
 protected:
  OneStreamLimitedTest() : RateLimitsTest(OneLimited()) {}
};

TEST_F(OneStreamLimitedTest, AStreamMayDifferFromTheRest) {
  node_.CreateActive("slow", 1);
  const auto puts_to = [&](const std::string& stream) {
    return CallUntilRefused([&] { return node_.Put(stream, "k", "").status(); })
        .first;
  };
  EXPECT_EQ(puts_to("slow"), 1000);
  EXPECT_EQ(puts_to("s"), 10'000);
  EXPECT_OK(DescribeLimits());
  EXPECT_OK(DescribeLimits());
}

}  // namespace
}  // namespace trireme
