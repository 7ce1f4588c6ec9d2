// A Producer's limits: times to live, room, and what its metrics say.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/backoff.h"
#include "client/error.h"
#include "client/producer.h"
#include "tests/unit/fake_client_test.h"

namespace trireme::client {
namespace {

constexpr char kThrottled[] = "ProvisionedThroughputExceededException";
constexpr int kForever = 1 << 20;

class ProducerLimitsTest : public FakeClientTest {
 protected:
  static ProducerOptions Options() {
    ProducerOptions options;
    options.stream_name = "s";
    return options;
  }
  static ProducerOptions Aggregating() {
    ProducerOptions options = Options();
    options.aggregation = {.aggregate_records_max = 2,
                           .buffered_time_max = absl::Hours(1)};
    return options;
  }
  static ProducerRecord Living(absl::Duration time, const std::string& data) {
    ProducerRecord record{"k", data};
    record.time_to_live = time;
    return record;
  }
};

TEST_F(ProducerLimitsTest, ARecordThatIsNotWrittenInItsTimeSaysSo) {
  fake_.FailKey("k", kThrottled, kForever);
  Producer producer(*client_, Options());
  const auto outcome = producer.Put(Living(absl::Milliseconds(100), "x")).get();
  EXPECT_TRUE(absl::IsDeadlineExceeded(outcome.status()));
  EXPECT_EQ(Reason(outcome.status()), kExpired);
  EXPECT_TRUE(absl::StrContains(outcome.status().message(), "100ms"))
      << outcome.status();
  EXPECT_EQ(producer.metrics().errors_by_code.at(kExpired), 1u);
  EXPECT_TRUE(fake_.records("s").empty());
}

TEST_F(ProducerLimitsTest, ATimeToLiveMayBeLongerThanTheDeliveryTimeout) {
  fake_.FailKey("k", kThrottled, kForever);
  ProducerOptions options = Options();
  options.delivery_timeout = absl::Milliseconds(100);
  Producer producer(*client_, options);
  auto patient = producer.Put(Living(absl::Minutes(1), "patient"));
  const auto outcome = producer.Put({"k", "impatient"}).get();
  EXPECT_EQ(Reason(outcome.status()), kThrottled);
  fake_.FailKey("k", kThrottled, 0);
  EXPECT_TRUE(patient.get().ok());
}

TEST_F(ProducerLimitsTest, ARecordExpiresWhileTheServerSaysNothing) {
  // One request is under way and never answered.
  fake_.HoldPutStreams(true);
  ProducerOptions options = Options();
  options.requests_in_flight_max = 1;
  options.request_records_max = 1;
  Producer producer(*client_, options);
  auto first = producer.Put({"k", "x"});
  EXPECT_TRUE(fake_.AwaitCall("PutRecordsStream request"));
  const auto second = producer.Put(Living(absl::Milliseconds(10), "y")).get();
  EXPECT_EQ(Reason(second.status()), kExpired) << second.status();
  fake_.HoldPutStreams(false);
  EXPECT_TRUE(first.get().ok());
}

TEST_F(ProducerLimitsTest, AMemberThatExpiresLeavesItsAggregate) {
  fake_.FailKey("a", kThrottled, kForever);
  Producer producer(*client_, Aggregating());
  auto first = producer.Put(Living(absl::Milliseconds(100), "x"));
  auto second = producer.Put({"k", "y"});
  EXPECT_EQ(Reason(first.get().status()), kExpired);
  // Alone now, it is no aggregate any more.
  const auto outcome = second.get();
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->sub_sequence_number, 0u);
  ASSERT_EQ(fake_.records("s").size(), 1u);
  EXPECT_EQ(fake_.records("s")[0].data(), "y");
}

TEST_F(ProducerLimitsTest, AMemberThatMayBeWrittenIsNotSaidToHaveExpired) {
  fake_.FailKey("a", "InternalFailure", kForever);
  Producer producer(*client_, Aggregating());
  auto first = producer.Put(Living(absl::Milliseconds(100), "x"));
  auto second = producer.Put({"k", "y"});
  EXPECT_EQ(Reason(first.get().status()), kOutcomeUnknown);
  fake_.FailKey("a", "InternalFailure", 0);
  // The aggregate stays what it is: its number stands for it.
  const auto outcome = second.get();
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->sub_sequence_number, 1u);
  EXPECT_EQ(fake_.records("s")[0].partition_key(), "a");
}

TEST_F(ProducerLimitsTest, TryPutRefusesWhenTheProducerIsFull) {
  fake_.FailKey("k", kThrottled, kForever);
  ProducerOptions options = Options();
  options.unanswered_bytes_max = 4;
  Producer producer(*client_, options);
  absl::StatusOr<PutOutcome> first, second;
  ASSERT_TRUE(producer.TryPut({"k", "1234"}, [&](auto o) { first = o; }).ok());
  ProducerRecord record{"k", "kept"};
  PutCallback done = [&](auto o) { second = o; };
  const absl::Status full = producer.TryPut(std::move(record), std::move(done));
  EXPECT_TRUE(absl::IsResourceExhausted(full));
  EXPECT_EQ(Reason(full), kProducerFull);
  EXPECT_EQ(producer.metrics().user_records_pending, 1u);
  EXPECT_EQ(producer.metrics().pending_bytes, 5u);
  EXPECT_EQ(Reason(producer.WaitForRoom(absl::Now())), kProducerFull);
  fake_.FailKey("k", kThrottled, 0);
  EXPECT_TRUE(producer.WaitForRoom(absl::InfiniteFuture()).ok());
  EXPECT_TRUE(first.ok());
  ASSERT_TRUE(producer.TryPut(std::move(record), std::move(done)).ok());
  producer.Flush();
  EXPECT_TRUE(second.ok());
  EXPECT_EQ(fake_.records("s")[1].data(), "kept");
}

TEST_F(ProducerLimitsTest, TheNumberOfRecordsIsBoundedToo) {
  fake_.FailKey("k", kThrottled, kForever);
  ProducerOptions options = Options();
  options.unanswered_records_max = 2;
  Producer producer(*client_, options);
  EXPECT_TRUE(producer.TryPut({"k", ""}, nullptr).ok());
  EXPECT_TRUE(producer.TryPut({"k", ""}, nullptr).ok());
  EXPECT_EQ(Reason(producer.TryPut({"k", ""}, nullptr)), kProducerFull);
}

TEST_F(ProducerLimitsTest, WhoWaitsForRoomDoesNotWaitForCompany) {
  ProducerOptions options = Aggregating();
  options.aggregation->aggregate_records_max = 10;
  options.unanswered_records_max = 5;
  Producer producer(*client_, options);
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(producer.Put({"k", absl::StrCat(i)}, nullptr).ok());
  }
  ASSERT_TRUE(producer.WaitForRoom(absl::Now() + absl::Minutes(1)).ok());
}

TEST_F(ProducerLimitsTest, AClosedProducerHasNoRoom) {
  Producer producer(*client_, Options());
  producer.Close();
  EXPECT_TRUE(absl::IsCancelled(producer.TryPut({"k", "x"}, nullptr)));
  EXPECT_TRUE(absl::IsCancelled(producer.WaitForRoom(absl::InfiniteFuture())));
}

TEST_F(ProducerLimitsTest, MetricsCountRecordsAndTheirContainers) {
  fake_.FailKey("a", kThrottled, 3);
  fake_.RefuseKey("refused");
  ProducerOptions options = Aggregating();
  options.request_records_max = 1;
  options.requests_in_flight_max = 1;
  Producer producer(*client_, options);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(producer.Put({"k", "12345"}, nullptr).ok());
  }
  producer.Flush();
  EXPECT_TRUE(producer.Put({"refused", "x"}, nullptr).ok());
  producer.Flush();
  const ProducerMetrics metrics = producer.metrics();
  EXPECT_EQ(metrics.user_records_received, 11u);
  EXPECT_EQ(metrics.user_records_put, 10u);
  EXPECT_EQ(metrics.user_records_failed, 1u);
  EXPECT_EQ(metrics.user_records_pending, 0u);
  EXPECT_EQ(metrics.pending_bytes, 0u);
  EXPECT_EQ(metrics.user_records_data_put, 50u);
  EXPECT_EQ(metrics.container_records_put, 5u);
  EXPECT_EQ(metrics.container_records_sent, 9u);
  EXPECT_EQ(metrics.requests_sent, 9u);
  EXPECT_EQ(metrics.retries, 3u);
  EXPECT_EQ(metrics.errors_by_code.at(kThrottled), 3u);
  EXPECT_EQ(metrics.errors_by_code.at("ValidationException"), 1u);
  EXPECT_EQ(metrics.all_errors, 4u);
  EXPECT_EQ(metrics.buffering_time.count, 11u);
  EXPECT_EQ(metrics.request_time.count, 8u) << "the refusal ended its call";
  EXPECT_GT(metrics.request_time.mean(), absl::ZeroDuration());
  EXPECT_LE(metrics.request_time.mean(), metrics.request_time.max);
}

TEST(ProducerCountersTest, ErrorCodesAreBounded) {
  ProducerCounters counters;
  for (int i = 0; i < 200; ++i) {
    ProducerMetrics more;
    more.errors_by_code[absl::StrCat("code", i)] = 1;
    counters.Add(more);
  }
  const ProducerMetrics sum = counters.Sum();
  EXPECT_EQ(sum.errors_by_code.size(), ProducerCounters::kCodesMax + 1);
  EXPECT_EQ(sum.errors_by_code.at(ProducerCounters::kOtherCodes), 136u);
  EXPECT_EQ(sum.all_errors, 200u);
}

TEST(BackoffTest, SpreadsClientsAlsoWhenAServerTellsWhenToComeBack) {
  Backoff backoff(absl::Milliseconds(50), absl::Milliseconds(50));
  bool differ = false;
  const absl::Duration first = backoff.Next(absl::Seconds(1));
  for (int i = 0; i < 100; ++i) {
    const absl::Duration delay = backoff.Next(absl::Seconds(1));
    EXPECT_GE(delay, absl::Seconds(1));
    EXPECT_LE(delay, absl::Milliseconds(1500));
    differ |= delay != first;
    EXPECT_LE(backoff.Next(absl::ZeroDuration()), absl::Milliseconds(50));
  }
  EXPECT_TRUE(differ);
}

}  // namespace
}  // namespace trireme::client
