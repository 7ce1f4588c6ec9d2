// Subscriptions of registered consumers: one a shard at a time.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "server/limits.h"
#include "tests/unit/broker_fixture.h"
#include "tests/unit/subscription_sink.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kArnOfC[] =
    "arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/c:1700000000";

class ConsumerSubscriptionTest : public ::testing::Test {
 protected:
  struct Subscriber {
    Sink sink;
    std::shared_ptr<Subscription> subscription;

    bool active() const { return !sink.finished.has_value(); }
    ErrorReason reason() const {
      return ReasonOf(sink.finished.value_or(absl::OkStatus()));
    }
  };

  ConsumerSubscriptionTest() {
    stream_ = node_.CreateActive("s", 2);
    Register("c");
  }
  // Sinks hold no reference to what they are told by.
  ~ConsumerSubscriptionTest() override {
    for (const auto& subscriber : subscribers_) {
      if (subscriber->active()) End(*subscriber);
    }
  }

  void Register(const std::string& name) {
    TestNode::Answer<FoundConsumer> answer;
    node_.broker.RegisterConsumer({{"s"}, name}, TestNode::kTimeout,
                                  answer.Callback());
    ASSERT_OK(node_.Take(answer));
  }
  absl::Status Deregister() {
    absl::Status status = absl::InternalError("not answered");
    node_.broker.DeregisterConsumer({{"s"}, "c"}, TestNode::kTimeout,
                                    [&](absl::Status got) { status = got; });
    node_.Settle();
    return status;
  }
  Subscriber& Subscribe(const std::string& shard = "0",
                        const std::string& arn = kArnOfC,
                        StartingPosition position = {
                            ShardIteratorType::kTrimHorizon, "",
                            std::nullopt}) {
    subscribers_.push_back(std::make_unique<Subscriber>());
    Subscriber& subscriber = *subscribers_.back();
    auto subscription = node_.broker.SubscribeToShard(
        {{}, shard, position, arn}, TestNode::kTimeout, &subscriber.sink);
    EXPECT_OK(subscription);
    subscriber.subscription = *subscription;
    node_.Settle();
    return subscriber;
  }
  void Written(Subscriber& subscriber) {
    ASSERT_TRUE(std::exchange(subscriber.sink.writing, false));
    subscriber.subscription->OnWritten(true);
    node_.Settle();
  }
  void End(Subscriber& subscriber) {
    subscriber.subscription->Stop(absl::CancelledError("gone"));
    if (std::exchange(subscriber.sink.writing, false)) {
      subscriber.subscription->OnWritten(false);
    }
    node_.Settle();
  }

  TestNode node_;
  StreamPtr stream_;
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
};

TEST_F(ConsumerSubscriptionTest, RecordsArePushedToAConsumer) {
  Subscriber& subscriber = Subscribe();
  ASSERT_EQ(subscriber.sink.events.size(), 1u);
  Written(subscriber);
  PutRecordRequest request;
  request.stream.name = "s";
  request.record = {"a", "k", "0"};
  TestNode::Answer<PutResult> answer;
  node_.broker.PutRecord(request, TestNode::kTimeout, answer.Callback());
  ASSERT_OK(node_.Take(answer));
  ASSERT_EQ(subscriber.sink.events.size(), 2u);
  EXPECT_THAT(DataOf(subscriber.sink.events[1]), ElementsAre("a"));
}

TEST_F(ConsumerSubscriptionTest, EveryStartingPositionIsTaken) {
  PutRecordRequest request;
  request.stream.name = "s";
  TestNode::Answer<PutResult> answers[3];
  std::vector<std::string> numbers;
  for (TestNode::Answer<PutResult>& answer : answers) {
    const std::string data = absl::StrCat(numbers.size());
    request.record = {data, "k", "0"};
    node_.broker.PutRecord(request, TestNode::kTimeout, answer.Callback());
    const auto put = node_.Take(answer);
    ASSERT_OK(put);
    numbers.push_back(put->sequence_number.ToString());
    node_.Advance(absl::Seconds(5));
  }
  const absl::Time begun = absl::FromUnixMillis(1'700'000'000'000);
  const std::vector<std::pair<StartingPosition, std::vector<std::string>>>
      cases = {
          {{ShardIteratorType::kTrimHorizon, "", {}}, {"0", "1", "2"}},
          {{ShardIteratorType::kLatest, "", {}}, {}},
          {{ShardIteratorType::kAtSequenceNumber, numbers[1], {}}, {"1", "2"}},
          {{ShardIteratorType::kAfterSequenceNumber, numbers[1], {}}, {"2"}},
          {{ShardIteratorType::kAtTimestamp, "", begun + absl::Seconds(5)},
           {"1", "2"}}};
  for (const auto& [position, expected] : cases) {
    Subscriber& subscriber = Subscribe("0", kArnOfC, position);
    ASSERT_EQ(subscriber.sink.events.size(), 1u);
    EXPECT_EQ(DataOf(subscriber.sink.events[0]), expected);
    End(subscriber);
    node_.Advance(absl::Seconds(5));
  }
}

TEST_F(ConsumerSubscriptionTest, ASecondOneWithinFiveSecondsIsRefused) {
  Subscriber& first = Subscribe();
  node_.Advance(absl::Milliseconds(4'999));
  Subscriber& second = Subscribe();
  EXPECT_TRUE(second.sink.events.empty());
  EXPECT_EQ(second.reason(), ErrorReason::kResourceInUse);
  EXPECT_THAT(std::string(second.sink.finished->message()),
              HasSubstr("consumer c, shard shardId-000000000000 in stream s"));
  EXPECT_TRUE(first.active());
}

TEST_F(ConsumerSubscriptionTest, ALaterOneTakesOver) {
  Subscriber& first = Subscribe();
  Written(first);
  node_.Advance(absl::Seconds(5));
  if (first.sink.writing) Written(first);
  Subscriber& second = Subscribe();
  EXPECT_EQ(second.sink.events.size(), 1u);
  EXPECT_EQ(first.reason(), ErrorReason::kResourceInUse);
  // And holds from then on.
  node_.Advance(absl::Milliseconds(4'999));
  EXPECT_EQ(Subscribe().reason(), ErrorReason::kResourceInUse);
  EXPECT_TRUE(second.active());
}

// As AWS has it: the rule counts from the call, not from its end.
TEST_F(ConsumerSubscriptionTest, OneThatEndedHoldsItsFiveSecondsNevertheless) {
  End(Subscribe());
  EXPECT_EQ(Subscribe().reason(), ErrorReason::kResourceInUse);
  node_.Advance(absl::Seconds(5));
  EXPECT_TRUE(Subscribe().active());
}

TEST_F(ConsumerSubscriptionTest, ARefusedRequestTakesNothingOver) {
  Subscriber& first = Subscribe();
  Written(first);
  node_.Advance(absl::Seconds(10));
  EXPECT_EQ(Subscribe("9").reason(), ErrorReason::kResourceNotFound);
  EXPECT_EQ(Subscribe("0", kArnOfC, {ShardIteratorType::kAtTimestamp, "", {}})
                .reason(),
            ErrorReason::kInvalidArgument);
  EXPECT_TRUE(first.active());
}

TEST_F(ConsumerSubscriptionTest, OtherShardsAndConsumersGoOn) {
  Register("d");
  Subscriber& first = Subscribe();
  Subscriber& shard = Subscribe("1");
  Subscriber& consumer = Subscribe(
      "0",
      "arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/d:1700000000");
  EXPECT_TRUE(first.active() && shard.active() && consumer.active());
  EXPECT_FALSE(consumer.sink.events.empty());
}

TEST_F(ConsumerSubscriptionTest, SubscriptionsByStreamAreAsManyAsAnybodyLikes) {
  Sink sinks[3];
  std::vector<std::shared_ptr<Subscription>> all;
  for (Sink& sink : sinks) {
    auto subscription = node_.broker.SubscribeToShard(
        {{"s"}, "0", {ShardIteratorType::kTrimHorizon, "", {}}},
        TestNode::kTimeout, &sink);
    ASSERT_OK(subscription);
    all.push_back(*subscription);
    node_.Settle();
    EXPECT_EQ(sink.events.size(), 1u);
  }
  EXPECT_TRUE(Subscribe().active());
  for (Sink& sink : sinks) EXPECT_FALSE(sink.finished.has_value());
  EXPECT_EQ(node_.claims.count(), 1u);
}

TEST_F(ConsumerSubscriptionTest, DeregisteringEndsItsSubscriptions) {
  Subscriber& first = Subscribe("0");
  Subscriber& second = Subscribe("1");
  Written(first);
  ASSERT_OK(Deregister());
  EXPECT_EQ(first.reason(), ErrorReason::kResourceNotFound);
  // An event on its way ends first.
  EXPECT_TRUE(second.active());
  Written(second);
  EXPECT_EQ(second.reason(), ErrorReason::kResourceNotFound);
  EXPECT_EQ(node_.claims.count(), 0u);
}

TEST_F(ConsumerSubscriptionTest, DeletingTheStreamEndsThem) {
  Subscriber& subscriber = Subscribe();
  Written(subscriber);
  node_.broker.DeleteStream({{"s"}, true}, TestNode::kTimeout,
                            [](absl::Status) {});
  node_.Settle();
  EXPECT_EQ(subscriber.reason(), ErrorReason::kResourceNotFound);
}

TEST_F(ConsumerSubscriptionTest, WhoIsNotRegisteredIsNotFound) {
  const std::string arn =
      "arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/";
  EXPECT_EQ(Subscribe("0", arn + "d:1700000000").reason(),
            ErrorReason::kResourceNotFound);
  EXPECT_EQ(Subscribe("0", arn + "c:1700000001").reason(),
            ErrorReason::kResourceNotFound);
  EXPECT_EQ(Subscribe("0", arn + "c").reason(), ErrorReason::kValidation);
  ASSERT_OK(Deregister());
  EXPECT_EQ(Subscribe().reason(), ErrorReason::kResourceNotFound);
}

// The deregistration came between finding the consumer and claiming.
TEST_F(ConsumerSubscriptionTest, ADeregistrationMeanwhileIsSeen) {
  bool deregistered = false;
  node_.replicas.at_barrier = [&](GroupId group) {
    if (group == kMetaGroup || std::exchange(deregistered, true)) return;
    EXPECT_OK(Deregister());
  };
  const Subscriber& subscriber =
      Subscribe("0", kArnOfC, {ShardIteratorType::kLatest, "", {}});
  EXPECT_TRUE(deregistered);
  EXPECT_TRUE(subscriber.sink.events.empty());
  EXPECT_EQ(subscriber.reason(), ErrorReason::kResourceNotFound);
  EXPECT_EQ(node_.claims.count(), 0u);
}

TEST_F(ConsumerSubscriptionTest, ClaimsThatWaitRideTogether) {
  const std::string arn =
      "arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/";
  Register("d");
  Register("e");
  node_.replicas.holding = true;
  for (const char* name : {"c", "d", "e"}) {
    Subscribe("0", absl::StrCat(arn, name, ":1700000000"));
  }
  ASSERT_EQ(node_.replicas.held.size(), 1u);
  node_.replicas.CommitHeld();
  ASSERT_EQ(node_.replicas.held.size(), 1u);
  v1::Command command;
  ASSERT_TRUE(command.ParseFromString(node_.replicas.held[0].body->command));
  EXPECT_EQ(command.claim_shards().claims_size(), 2);
  node_.replicas.holding = false;
  node_.replicas.CommitHeld();
  node_.Settle();
  for (const auto& subscriber : subscribers_) {
    EXPECT_EQ(subscriber->sink.events.size(), 1u);
  }
}

// The node's other subscription, asked for at the same time.
TEST_F(ConsumerSubscriptionTest, OfTwoAtOnceTheFirstInTheLogIsGranted) {
  node_.replicas.holding = true;
  Subscriber& first = Subscribe();
  Subscriber& second = Subscribe();
  EXPECT_TRUE(first.sink.events.empty() && second.sink.events.empty());
  node_.replicas.holding = false;
  node_.replicas.CommitHeld();
  node_.Settle();
  EXPECT_EQ(first.sink.events.size(), 1u);
  EXPECT_EQ(second.reason(), ErrorReason::kResourceInUse);
}

TEST_F(ConsumerSubscriptionTest, AClaimWhoseAnswerIsLostIsAskedForAgain) {
  node_.replicas.refuse_with = {
      MakeError(ErrorReason::kOutcomeUnknown, "the connection was lost")};
  Subscriber& subscriber = Subscribe();
  EXPECT_EQ(subscriber.sink.events.size(), 1u);
  EXPECT_TRUE(subscriber.active());
}

TEST_F(ConsumerSubscriptionTest, WithoutALeaderItIsToldSo) {
  node_.replicas.refuse_with = {MakeError(ErrorReason::kNoLeader, "none")};
  EXPECT_EQ(Subscribe().reason(), ErrorReason::kNoLeader);
  EXPECT_EQ(node_.claims.count(), 0u);
}

TEST_F(ConsumerSubscriptionTest, AReplicaThatSkippedEntriesSendsThemElsewhere) {
  Subscriber& subscriber = Subscribe();
  Written(subscriber);
  node_.observers.OnStateReplaced(stream_->shards[0].group);
  node_.Settle();
  ASSERT_FALSE(subscriber.active());
  EXPECT_EQ(subscriber.sink.finished->code(), absl::StatusCode::kUnavailable);
}

TEST_F(ConsumerSubscriptionTest, ThoseThatEndedAreForgotten) {
  for (int i = 0; i < 500; ++i) {
    End(Subscribe());
    subscribers_.clear();
    node_.Advance(absl::Seconds(5));
  }
  EXPECT_LE(node_.claims.count(), 64u);
}

// A consumer that does not read costs one event, whatever is written.
TEST_F(ConsumerSubscriptionTest, StuckConsumersHoldOneEventEach) {
  constexpr int kStuck = 20;
  constexpr uint64_t kTailBytes = 4u << 20;
  TestNode node(0, kTailBytes);
  node.CreateActive("s", 1);
  // From here on the tail knows the shard.
  ASSERT_OK(node.Put("s", "k", "before"));
  std::vector<std::unique_ptr<Subscriber>> stuck;
  for (int i = 0; i < kStuck; ++i) {
    TestNode::Answer<FoundConsumer> answer;
    const std::string name = absl::StrCat("c", i);
    node.broker.RegisterConsumer({{"s"}, name}, TestNode::kTimeout,
                                 answer.Callback());
    const auto made = node.Take(answer);
    ASSERT_OK(made);
    const std::string arn =
        ConsumerArn(node.broker.account(), "s", name, made->created_s);
    stuck.push_back(std::make_unique<Subscriber>());
    auto subscription = node.broker.SubscribeToShard(
        {{}, "0", {ShardIteratorType::kLatest, "", {}}, arn},
        TestNode::kTimeout, &stuck.back()->sink);
    ASSERT_OK(subscription);
    stuck.back()->subscription = *subscription;
    node.Settle();
    // The first, empty event leaves; the next one gets stuck.
    stuck.back()->sink.writing = false;
    stuck.back()->subscription->OnWritten(true);
    node.Settle();
  }
  const std::string record(500'000, 'x');
  for (int i = 0; i < 100; ++i) ASSERT_OK(node.Put("s", "k", record));
  // Each holds the first record, and all of them hold the same bytes.
  for (const auto& one : stuck) {
    ASSERT_EQ(one->sink.events.size(), 2u);
    const RecordRun& run = one->sink.events[1].records;
    EXPECT_LE(run.bytes, kEventBytesMax);
    ASSERT_EQ(run.spans.size(), 1u);
    EXPECT_EQ(run.spans[0].owner,
              stuck[0]->sink.events[1].records.spans[0].owner);
  }
  EXPECT_LE(node.tails.held_bytes(), kTailBytes);
  // One that reads on misses nothing: what left memory comes from the log.
  Subscriber& back = *stuck[0];
  size_t records = 0;
  while (std::exchange(back.sink.writing, false)) {
    records += back.sink.events.back().records.record_count;
    back.subscription->OnWritten(true);
    node.Settle();
  }
  EXPECT_EQ(records, 100u);
}

}  // namespace
}  // namespace trireme
