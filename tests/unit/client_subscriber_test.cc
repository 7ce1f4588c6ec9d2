#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client/error.h"
#include "client/subscriber.h"
#include "tests/unit/fake_client_test.h"

namespace trireme::client {
namespace {

using testing::TypedError;

constexpr char kShard[] = "shardId-000000000000";

class SubscriberTest : public FakeClientTest {
 protected:
  void Put(int first, int count) {
    for (int i = first; i < first + count; ++i) {
      v1::PutRecordRequest request;
      request.set_stream_name("s");
      request.set_partition_key("k");
      request.set_data(absl::StrCat(i));
      ASSERT_TRUE(client_->PutRecord(request).ok());
    }
  }

  SubscriberOptions Options(v1::StartingPosition from) {
    SubscriberOptions options;
    options.stream_name = "s";
    options.shard_id = kShard;
    options.from = std::move(from);
    options.on_event = [this](const v1::SubscribeToShardEvent& event) {
      absl::MutexLock lock(&mu_);
      ++events_;
      for (const v1::Record& record : event.records()) {
        got_.push_back(record.data());
      }
    };
    options.on_interruption = [this](const absl::Status&) {
      absl::MutexLock lock(&mu_);
      ++interruptions_;
    };
    return options;
  }

  template <class Predicate>
  bool Eventually(const Predicate& predicate) {
    absl::MutexLock lock(&mu_);
    return mu_.AwaitWithTimeout(absl::Condition(&predicate), absl::Seconds(20));
  }
  bool EventuallyGot(size_t count) {
    return Eventually([&] { return got_.size() >= count; });
  }
  void ExpectGot(int first, int count) {
    absl::MutexLock lock(&mu_);
    std::vector<std::string> expected;
    for (int i = first; i < first + count; ++i) {
      expected.push_back(absl::StrCat(i));
    }
    EXPECT_EQ(got_, expected);
  }

  absl::Mutex mu_;
  std::vector<std::string> got_;
  int events_ = 0;
  int interruptions_ = 0;
};

TEST_F(SubscriberTest, GetsWhatIsThereAndWhatComes) {
  Put(0, 5);
  Subscriber subscriber(*client_, Options(FromTrimHorizon()));
  ASSERT_TRUE(EventuallyGot(5));
  Put(5, 5);
  ASSERT_TRUE(EventuallyGot(10));
  subscriber.Stop();
  EXPECT_EQ(Reason(subscriber.Wait()), kCancelled);
  ExpectGot(0, 10);
}

TEST_F(SubscriberTest, LatestLeavesOutWhatIsThere) {
  Put(0, 5);
  Subscriber subscriber(*client_, Options(FromLatest()));
  ASSERT_TRUE(Eventually([&] { return events_ > 0; }));
  Put(5, 5);
  ASSERT_TRUE(EventuallyGot(5));
  subscriber.Stop();
  ExpectGot(5, 5);
}

TEST_F(SubscriberTest, SubscribesAgainWhereItWas) {
  fake_.SetPageSizes(100, 100, 3);
  fake_.EndSubscriptionsAfter(1);
  Put(0, 20);
  Subscriber subscriber(*client_, Options(FromTrimHorizon()));
  ASSERT_TRUE(EventuallyGot(20));
  subscriber.Stop();
  ExpectGot(0, 20);
  EXPECT_GE(fake_.calls("SubscribeToShard"), 7);
}

TEST_F(SubscriberTest, SurvivesABrokenConnectionAndOverload) {
  Put(0, 3);
  fake_.FailNext("SubscribeToShard",
                 grpc::Status(grpc::StatusCode::UNAVAILABLE, "Socket closed"),
                 2);
  Subscriber subscriber(*client_, Options(FromTrimHorizon()));
  ASSERT_TRUE(EventuallyGot(3));
  subscriber.Stop();
  EXPECT_GE(interruptions_, 2);
}

TEST_F(SubscriberTest, GivesUpASilentServer) {
  fake_.SetSilent(true);
  SubscriberOptions options = Options(FromTrimHorizon());
  options.silence_max = absl::Milliseconds(200);
  Subscriber subscriber(*client_, std::move(options));
  ASSERT_TRUE(Eventually([&] { return interruptions_ > 0; }));
  fake_.SetSilent(false);
  Put(0, 3);
  ASSERT_TRUE(EventuallyGot(3));
  subscriber.Stop();
  ExpectGot(0, 3);
}

TEST_F(SubscriberTest, EndsWithTheShard) {
  Put(0, 3);
  fake_.CloseShard("s", kShard, {"shardId-000000000001"});
  Subscriber subscriber(*client_, Options(FromTrimHorizon()));
  EXPECT_TRUE(subscriber.Wait().ok());
  ExpectGot(0, 3);
}

TEST_F(SubscriberTest, EndsWithARefusal) {
  SubscriberOptions options = Options(FromTrimHorizon());
  options.stream_name = "no";
  Subscriber subscriber(*client_, std::move(options));
  EXPECT_EQ(Reason(subscriber.Wait()), "ResourceNotFoundException");
}

// Its own subscription of a moment ago, which the server has not given up.
TEST_F(SubscriberTest, WaitsForAShardThatIsHeld) {
  Put(0, 3);
  fake_.FailNext("SubscribeToShard",
                 TypedError(grpc::StatusCode::FAILED_PRECONDITION,
                            "ResourceInUseException", "held"));
  SubscriberOptions options = Options(FromTrimHorizon());
  options.consumer_arn = "arn:of:a:consumer";
  Subscriber subscriber(*client_, std::move(options));
  ASSERT_TRUE(EventuallyGot(3));
  EXPECT_EQ(fake_.subscribed_by(), "arn:of:a:consumer");
  subscriber.Stop();
}

TEST_F(SubscriberTest, EndsWhenAnotherTakesOver) {
  Put(0, 3);
  fake_.TakeOverAfter(1);
  Subscriber subscriber(*client_, Options(FromTrimHorizon()));
  EXPECT_EQ(Reason(subscriber.Wait()), "ResourceInUseException");
  ExpectGot(0, 3);
}

TEST_F(SubscriberTest, CancellingTheClientEndsIt) {
  Subscriber subscriber(*client_, Options(FromTrimHorizon()));
  ASSERT_TRUE(Eventually([&] { return events_ > 0; }));
  client_->Cancel();
  EXPECT_EQ(Reason(subscriber.Wait()), kCancelled);
}

}  // namespace
}  // namespace trireme::client
