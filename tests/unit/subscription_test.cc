#include "server/subscription.h"

#include "gmock/gmock.h"
#include "server/limits.h"
#include "tests/unit/broker_fixture.h"
#include "tests/unit/subscription_sink.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;

class SubscriptionTest : public ::testing::Test {
 protected:
  explicit SubscriptionTest(uint64_t tail_bytes = 64 << 20,
                            const BrokerOptions& options = TestNode::Options())
      : node_(0, tail_bytes, options) {
    stream_ = node_.CreateActive("s", 1);
  }

  void Subscribe(ShardIteratorType type, const std::string& number = "") {
    auto subscription = node_.broker.SubscribeToShard(
        {{"s", ""}, "0", {type, number, std::nullopt}}, TestNode::kTimeout,
        &sink_);
    ASSERT_OK(subscription);
    subscription_ = *subscription;
    node_.Settle();
  }
  void Put(const std::string& data) { ASSERT_OK(node_.Put("s", "k", data)); }
  // The event in progress is written; more may come of it.
  void Written(bool ok = true) {
    ASSERT_TRUE(sink_.writing);
    sink_.writing = false;
    subscription_->OnWritten(ok);
    node_.Settle();
  }
  void Command(const v1::Command& command) {
    auto body = std::make_shared<ProposalBody>();
    body->command = command.SerializeAsString();
    node_.replicas.Propose({stream_->shards[0].group, body, absl::Seconds(1),
                            [](ProposalOutcome) {}});
    node_.Settle();
  }
  // A merge or split has given the shard a child.
  void AddChild() {
    auto stream = std::make_shared<Stream>(*stream_);
    Shard child = stream->shards[0];
    child.index = ShardIndex(1);
    child.parent = ShardIndex(0);
    stream->shards.push_back(child);
    const_cast<Catalog&>(node_.replica.state().catalog()).Put(stream);
  }

  TestNode node_;
  StreamPtr stream_;
  Sink sink_;
  std::shared_ptr<Subscription> subscription_;
};

TEST_F(SubscriptionTest, TheFirstEventComesAtOnceAlsoWhenEmpty) {
  Subscribe(ShardIteratorType::kLatest);
  ASSERT_EQ(sink_.events.size(), 1u);
  EXPECT_EQ(sink_.events[0].records.record_count, 0u);
  EXPECT_NE(sink_.events[0].continuation_sequence_number, "");
}

TEST_F(SubscriptionTest, ADryRunEndsBeforeTheFirstEvent) {
  auto subscription = node_.broker.SubscribeToShard(
      {{"s", ""},
       "0",
       {ShardIteratorType::kLatest, "", std::nullopt},
       "",
       true},
      TestNode::kTimeout, &sink_);
  ASSERT_OK(subscription);
  node_.Settle();
  EXPECT_TRUE(sink_.events.empty());
  ASSERT_TRUE(sink_.finished.has_value());
  EXPECT_EQ(ReasonOf(*sink_.finished), ErrorReason::kDryRunOperation);
}

TEST_F(SubscriptionTest, RecordsArePushedAsTheyAreCommitted) {
  Subscribe(ShardIteratorType::kLatest);
  Written();
  Put("a");
  ASSERT_EQ(sink_.events.size(), 2u);
  EXPECT_THAT(DataOf(sink_.events[1]), ElementsAre("a"));
  EXPECT_EQ(sink_.events[1].millis_behind_latest, 0);
  Written();
  Put("b");
  EXPECT_THAT(DataOf(sink_.events[2]), ElementsAre("b"));
}

// A read finds a record in the state that the tail does not have yet.
TEST_F(SubscriptionTest, ARecordThatIsBeingAppliedIsPushedWithoutDelay) {
  Subscribe(ShardIteratorType::kLatest);
  Written();
  Put("a");
  node_.replicas.when_applied = [this] { Written(); };
  Put("b");
  ASSERT_EQ(sink_.events.size(), 3u);
  EXPECT_THAT(DataOf(sink_.events[2]), ElementsAre("b"));
}

TEST_F(SubscriptionTest, ASlowSubscriberGetsAllThatIsNewInOneEvent) {
  Subscribe(ShardIteratorType::kLatest);
  for (const char* data : {"a", "b", "c"}) Put(data);
  EXPECT_EQ(sink_.events.size(), 1u);  // The first is still on its way.
  Written();
  ASSERT_EQ(sink_.events.size(), 2u);
  EXPECT_THAT(DataOf(sink_.events[1]), ElementsAre("a", "b", "c"));
}

TEST_F(SubscriptionTest, AnEventHoldsAMiBUnlessOneRecordIsLarger) {
  const std::string large(400'000, 'x');
  for (int i = 0; i < 5; ++i) Put(large);
  Subscribe(ShardIteratorType::kTrimHorizon);
  uint32_t records = 0;
  while (sink_.writing && records < 5) {
    EXPECT_LE(sink_.events.back().records.bytes, kEventBytesMax);
    records += sink_.events.back().records.record_count;
    Written();
  }
  EXPECT_EQ(records, 5u);
  EXPECT_GE(sink_.events.size(), 3u);
}

TEST_F(SubscriptionTest, HeartbeatsComeEveryFiveSecondsAndTheirNumberAdvances) {
  Subscribe(ShardIteratorType::kTrimHorizon);
  Written();
  const auto first =
      SequenceNumber::Parse(sink_.events[0].continuation_sequence_number);
  for (int i = 0; i < 3; ++i) {
    node_.Advance(absl::Milliseconds(4'999));
    ASSERT_FALSE(sink_.writing);
    node_.Advance(absl::Milliseconds(1));
    ASSERT_TRUE(sink_.writing);
    Written();
  }
  const auto last =
      SequenceNumber::Parse(sink_.events.back().continuation_sequence_number);
  EXPECT_GT(last->record_s, first->record_s);
  EXPECT_EQ(last->counter, first->counter);
}

TEST_F(SubscriptionTest, SubscribingAfterTheContinuationMissesNothing) {
  Put("a");
  Subscribe(ShardIteratorType::kTrimHorizon);
  const std::string number = sink_.events[0].continuation_sequence_number;
  subscription_->Stop(absl::CancelledError("gone"));
  Written();
  Put("b");
  sink_ = Sink();
  Subscribe(ShardIteratorType::kAfterSequenceNumber, number);
  EXPECT_THAT(DataOf(sink_.events[0]), ElementsAre("b"));
}

TEST_F(SubscriptionTest, ItEndsWellAfterFiveMinutes) {
  Subscribe(ShardIteratorType::kLatest);
  Written();
  for (int i = 0; i < 59; ++i) {
    node_.Advance(absl::Seconds(5));
    ASSERT_TRUE(sink_.writing) << i;
    Written();
  }
  EXPECT_FALSE(sink_.finished.has_value());
  node_.Advance(absl::Seconds(5));
  if (sink_.writing) Written();
  ASSERT_TRUE(sink_.finished.has_value());
  EXPECT_OK(*sink_.finished);
}

TEST_F(SubscriptionTest, ASubscriberThatNeverReadsIsGivenUpAfterItsTime) {
  Subscribe(ShardIteratorType::kLatest);
  for (int i = 0; i < 100; ++i) Put("x");
  for (int i = 0; i < 61; ++i) node_.Advance(absl::Seconds(5));
  EXPECT_EQ(sink_.events.size(), 1u);
  EXPECT_FALSE(sink_.abandoned);
  for (int i = 0; i < 6; ++i) node_.Advance(absl::Seconds(5));
  EXPECT_TRUE(sink_.abandoned);
  Written(false);
  EXPECT_TRUE(sink_.finished.has_value());
}

TEST_F(SubscriptionTest, AClosedShardEndsWithItsChildren) {
  Put("last");
  Subscribe(ShardIteratorType::kTrimHorizon);
  Written();
  Command(SealShard(stream_->id.value(), 0));
  // Its children are not known here yet: it waits for them.
  EXPECT_FALSE(sink_.writing);
  AddChild();
  node_.Advance(absl::Milliseconds(100));
  ASSERT_TRUE(sink_.writing);
  const SubscriptionEvent& end = sink_.events.back();
  EXPECT_EQ(end.continuation_sequence_number, "");
  ASSERT_EQ(end.child_shards.size(), 1u);
  EXPECT_EQ(end.child_shards[0].shard, ShardIndex(1));
  EXPECT_THAT(end.child_shards[0].parents, ElementsAre(ShardIndex(0)));
  EXPECT_FALSE(sink_.finished.has_value());
  Written();
  EXPECT_OK(*sink_.finished);
}

TEST_F(SubscriptionTest, ADeletedStreamEndsItWithNotFound) {
  Subscribe(ShardIteratorType::kLatest);
  Written();
  Command(DropShards(stream_->id.value(), {0}));
  ASSERT_TRUE(sink_.finished.has_value());
  EXPECT_EQ(ReasonOf(*sink_.finished), ErrorReason::kResourceNotFound);
}

TEST_F(SubscriptionTest, ACancelledOneLetsGoOfEverythingAtOnce) {
  Subscribe(ShardIteratorType::kLatest);
  Written();
  ASSERT_GT(subscription_.use_count(), 1);  // The tail knows that it waits.
  subscription_->Stop(absl::CancelledError("gone"));
  EXPECT_TRUE(sink_.finished.has_value());
  EXPECT_EQ(subscription_.use_count(), 1);
  Put("nobody listens");
  EXPECT_EQ(sink_.events.size(), 1u);
}

TEST_F(SubscriptionTest, AnUnknownShardEndsItWithTheReason) {
  auto subscription = node_.broker.SubscribeToShard(
      {{"s", ""}, "9", {ShardIteratorType::kLatest, "", std::nullopt}},
      TestNode::kTimeout, &sink_);
  ASSERT_OK(subscription);
  node_.Settle();
  ASSERT_TRUE(sink_.finished.has_value());
  EXPECT_EQ(ReasonOf(*sink_.finished), ErrorReason::kResourceNotFound);
}

TEST_F(SubscriptionTest, ErrorsNameTheMembersOfThisOperation) {
  const auto refusal = [&](ShardIteratorType type, const std::string& number) {
    Sink sink;
    auto subscription = node_.broker.SubscribeToShard(
        {{"s", ""}, "0", {type, number, std::nullopt}}, TestNode::kTimeout,
        &sink);
    EXPECT_OK(subscription);
    node_.Settle();
    return sink.finished.value_or(absl::OkStatus());
  };
  EXPECT_EQ(
      ViolationsOf(refusal(ShardIteratorType::kUnspecified, "")).at(0).member,
      "startingPosition.type");
  EXPECT_EQ(ViolationsOf(refusal(ShardIteratorType::kAtSequenceNumber, "x"))
                .at(0)
                .member,
            "startingPosition.sequenceNumber");
  EXPECT_THAT(std::string(refusal(ShardIteratorType::kLatest, "1").message()),
              ::testing::HasSubstr("and also a SequenceNumber."));
}

TEST_F(SubscriptionTest, AGroupWithoutLeaderStillServesKnownPositions) {
  Put("a");
  node_.replicas.barrier_status = MakeError(ErrorReason::kNoLeader, "none");
  Subscribe(ShardIteratorType::kTrimHorizon);
  ASSERT_EQ(sink_.events.size(), 1u);
  EXPECT_THAT(DataOf(sink_.events[0]), ElementsAre("a"));
}

TEST_F(SubscriptionTest, StoppingTheNodeSendsSubscribersElsewhere) {
  Subscribe(ShardIteratorType::kLatest);
  Written();
  node_.broker.StopSubscriptions();
  ASSERT_TRUE(sink_.finished.has_value());
  EXPECT_EQ(sink_.finished->code(), absl::StatusCode::kUnavailable);
  Sink other;
  EXPECT_FALSE(
      node_.broker
          .SubscribeToShard(
              {{"s", ""}, "0", {ShardIteratorType::kLatest, "", std::nullopt}},
              TestNode::kTimeout, &other)
          .ok());
}

// The tail holds nothing: every record comes from the log.
class ColdSubscriptionTest : public SubscriptionTest {
 protected:
  ColdSubscriptionTest() : SubscriptionTest(1) {}
};

TEST_F(ColdSubscriptionTest, RecordsThatAreNotInMemoryComeFromTheLogInOrder) {
  std::vector<std::string> expected;
  for (int i = 0; i < 10; ++i) {
    expected.push_back(std::to_string(i));
    Put(expected.back());
  }
  Subscribe(ShardIteratorType::kTrimHorizon);
  for (int i = 10; i < 15; ++i) {
    expected.push_back(std::to_string(i));
    Put(expected.back());
  }
  std::vector<std::string> got;
  while (sink_.writing && got.size() < expected.size()) {
    for (std::string& data : DataOf(sink_.events.back())) {
      got.push_back(std::move(data));
    }
    Written();
  }
  EXPECT_EQ(got, expected);
}

BrokerOptions LimitedOptions() {
  BrokerOptions options = TestNode::Options();
  options.limits.profile = LimitsProfile::kKinesis;
  return options;
}

class LimitedSubscriptionTest : public SubscriptionTest {
 protected:
  LimitedSubscriptionTest() : SubscriptionTest(64 << 20, LimitedOptions()) {}

  // Takes events as fast as they come for so long; returns their bytes.
  uint64_t TakeFor(absl::Duration time) {
    uint64_t bytes = 0;
    for (absl::Duration passed; passed < time; passed += kStep) {
      while (sink_.writing) {
        bytes += sink_.events.back().records.bytes;
        Written();
      }
      node_.Advance(kStep);
    }
    return bytes;
  }

  static constexpr absl::Duration kStep = absl::Milliseconds(50);
};

TEST_F(LimitedSubscriptionTest, ASubscriptionIsPushed2MiBASecond) {
  const std::string data(500 << 10, 'd');
  for (int i = 0; i < 20; ++i) Put(data);  // About 10 MiB.
  Subscribe(ShardIteratorType::kTrimHorizon);
  // A full bucket, what overdraws it, and a second's worth.
  EXPECT_NEAR(static_cast<double>(TakeFor(absl::Seconds(1))) / (1 << 20), 4, 1);
  EXPECT_NEAR(static_cast<double>(TakeFor(absl::Seconds(2))) / (1 << 20), 4, 1);
  TakeFor(absl::Seconds(2));
  uint32_t records = 0;
  for (const SubscriptionEvent& event : sink_.events) {
    records += event.records.record_count;
  }
  EXPECT_EQ(records, 20u);
  // Caught up: what comes next is pushed at once.
  node_.Advance(absl::Seconds(1));
  while (sink_.writing) Written();
  Put("next");
  ASSERT_TRUE(sink_.writing);
  EXPECT_THAT(DataOf(sink_.events.back()), ElementsAre("next"));
}

}  // namespace
}  // namespace trireme
