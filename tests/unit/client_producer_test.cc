#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client/error.h"
#include "client/producer.h"
#include "tests/unit/fake_client_test.h"

namespace trireme::client {
namespace {

class ProducerTest : public FakeClientTest {
 protected:
  static ProducerOptions Options() {
    ProducerOptions options;
    options.stream_name = "s";
    options.request_records_max = 10;
    return options;
  }

  // Puts records "0", "1"... of `keys` keys in turn and closes; gives the
  // statuses that were not OK.
  std::vector<absl::Status> PutAll(ProducerOptions options, int records,
                                   int keys) {
    absl::Mutex mu;
    std::vector<absl::Status> failures;
    int outcomes = 0;
    Producer producer(*client_, std::move(options));
    for (int i = 0; i < records; ++i) {
      const absl::Status status =
          producer.Put({absl::StrCat("key", i % keys), absl::StrCat(i), "",
                        static_cast<uint64_t>(i)},
                       [&](absl::StatusOr<PutOutcome> outcome) {
                         absl::MutexLock lock(&mu);
                         ++outcomes;
                         if (!outcome.ok())
                           failures.push_back(outcome.status());
                       });
      EXPECT_TRUE(status.ok()) << status;
    }
    producer.Close();
    EXPECT_EQ(outcomes, records) << "each record has one outcome";
    return failures;
  }

  std::map<std::string, std::vector<int>> StoredByKey() {
    std::map<std::string, std::vector<int>> stored;
    for (const v1::Record& record : fake_.records("s")) {
      stored[record.partition_key()].push_back(std::stoi(record.data()));
    }
    return stored;
  }

  void ExpectEachOnceInOrder(int records, int keys) {
    const auto stored = StoredByKey();
    for (int key = 0; key < keys; ++key) {
      std::vector<int> expected;
      for (int i = key; i < records; i += keys) expected.push_back(i);
      EXPECT_EQ(stored.at(absl::StrCat("key", key)), expected) << key;
    }
  }
};

TEST_F(ProducerTest, WritesEveryRecordOnceAndInOrderOfItsKey) {
  ProducerOptions options = Options();
  options.lanes = 2;
  EXPECT_TRUE(PutAll(options, 2000, 7).empty());
  ExpectEachOnceInOrder(2000, 7);
  EXPECT_LE(fake_.calls("PutRecordsStream"), 2);
}

TEST_F(ProducerTest, ABudgetSmallerThanTheRecordsOnlySlowsItDown) {
  ProducerOptions options = Options();
  options.unanswered_bytes_max = 20;
  EXPECT_TRUE(PutAll(options, 500, 3).empty());
  ExpectEachOnceInOrder(500, 3);
}

TEST_F(ProducerTest, AThrottledRecordIsRepeatedBeforeThoseBehindIt) {
  fake_.FailKey("key1", "ProvisionedThroughputExceededException", 4);
  ProducerOptions options = Options();
  options.requests_in_flight_max = 1;
  options.request_records_max = 1;
  EXPECT_TRUE(PutAll(options, 60, 3).empty());
  ExpectEachOnceInOrder(60, 3);
}

TEST_F(ProducerTest, ABrokenCallIsRepeatedAndWrittenOnce) {
  fake_.BreakPutStreamAt(3, /*written=*/true);
  EXPECT_TRUE(PutAll(Options(), 300, 3).empty());
  EXPECT_EQ(fake_.records("s").size(), 300u);
  EXPECT_EQ(fake_.calls("PutRecordsStream"), 2);
}

TEST_F(ProducerTest, ARunThatGoesOnWithItsNumbersFindsWhatIsWritten) {
  ProducerOptions options = Options();
  options.identity = {"orders", 1, 1};
  EXPECT_TRUE(PutAll(options, 30, 3).empty());
  options.identity = {"orders", 2, 21};
  Producer again(*client_, options);
  int duplicates = 0;
  for (int i = 20; i < 40; ++i) {
    const auto outcome =
        again.Put({absl::StrCat("key", i % 3), absl::StrCat(i), "", 0}).get();
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    duplicates += outcome->duplicate ? 1 : 0;
  }
  EXPECT_EQ(duplicates, 10);
  EXPECT_EQ(fake_.records("s").size(), 40u);
}

TEST_F(ProducerTest, AFencedProducersRecordIsNotRepeated) {
  fake_.FailKey("key1", "ProducerFencedException", 1);
  ProducerOptions options = Options();
  options.request_records_max = 1;
  const auto failures = PutAll(options, 30, 3);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(Reason(failures[0]), "ProducerFencedException");
  EXPECT_EQ(fake_.records("s").size(), 29u);
}

TEST_F(ProducerTest, ABrokenCallIsRepeatedAtLeastOnce) {
  fake_.BreakPutStreamAt(3, /*written=*/true);
  ProducerOptions options = Options();
  options.delivery = Delivery::kAtLeastOnce;
  EXPECT_TRUE(PutAll(options, 300, 3).empty());
  // The copies of what was written and not answered are there, in order.
  size_t total = 0;
  for (const auto& [key, numbers] : StoredByKey()) {
    total += numbers.size();
    int newest = -1;
    std::vector<bool> seen(300);
    for (const int number : numbers) {
      if (!seen[number]) {
        EXPECT_GT(number, newest);
        newest = number;
      }
      seen[number] = true;
    }
  }
  EXPECT_GT(total, 300u);
  EXPECT_EQ(fake_.calls("PutRecordsStream"), 2);
}

TEST_F(ProducerTest, UnknownOutcomesAreReportedIfAsked) {
  fake_.BreakPutStreamAt(3, /*written=*/false);
  ProducerOptions options = Options();
  options.requests_in_flight_max = 2;
  options.delivery = Delivery::kAtMostOnce;
  const auto failures = PutAll(options, 300, 3);
  ASSERT_FALSE(failures.empty());
  EXPECT_LE(failures.size(), 20u);
  for (const absl::Status& failure : failures) {
    EXPECT_EQ(Reason(failure), kOutcomeUnknown) << failure;
  }
  EXPECT_EQ(fake_.records("s").size(), 300 - failures.size());
}

TEST_F(ProducerTest, ACallThatAStartingNodeRefusesIsRepeatedAtMostOnceToo) {
  fake_.FailNext("PutRecordsStream",
                 testing::TypedError(grpc::StatusCode::UNAVAILABLE,
                                     "NodeStarting", "nothing was done"),
                 3);
  ProducerOptions options = Options();
  options.delivery = Delivery::kAtMostOnce;
  EXPECT_TRUE(PutAll(options, 300, 3).empty());
  EXPECT_EQ(fake_.records("s").size(), 300u);
}

TEST_F(ProducerTest, InternalFailureOfARecordIsAnUnknownOutcome) {
  fake_.FailKey("key1", "InternalFailure", 1);
  ProducerOptions options = Options();
  options.delivery = Delivery::kAtMostOnce;
  options.request_records_max = 1;
  const auto failures = PutAll(options, 30, 3);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(Reason(failures[0]), kOutcomeUnknown);
}

TEST_F(ProducerTest, WhatMayBeWrittenIsNeverToldToBeRefused) {
  fake_.FailKey("key1", "InternalFailure", 1);
  ProducerOptions options = Options();
  options.request_records_max = 1;
  options.delivery_timeout = absl::Milliseconds(500);
  int sent = 0;
  options.on_send = [&](uint64_t) {
    // When it is repeated it is refused, until its time is over.
    if (++sent == 3) {
      fake_.FailKey("key1", "ProvisionedThroughputExceededException", 1000);
    }
  };
  const auto failures = PutAll(options, 2, 2);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(Reason(failures[0]), kOutcomeUnknown) << failures[0];
}

TEST_F(ProducerTest, AMalformedRecordFailsAloneNotWithItsRequest) {
  fake_.RefuseKey("key2");
  ProducerOptions options = Options();
  const auto failures = PutAll(options, 40, 4);
  ASSERT_EQ(failures.size(), 10u);
  EXPECT_EQ(Reason(failures[0]), "ValidationException");
  EXPECT_EQ(fake_.records("s").size(), 30u);
}

TEST_F(ProducerTest, ARefusalOfTheStreamFailsItsRecords) {
  ProducerOptions options = Options();
  options.stream_name = "no";
  const auto failures = PutAll(options, 25, 5);
  ASSERT_EQ(failures.size(), 25u);
  EXPECT_EQ(Reason(failures[0]), "ResourceNotFoundException");
}

TEST_F(ProducerTest, RefusesMalformedRecordsAtTheDoor) {
  Producer producer(*client_, Options());
  EXPECT_TRUE(
      absl::IsInvalidArgument(producer.Put({"", "x", "", 0}).get().status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      producer.Put({std::string(257, 'k'), "x", "", 0}).get().status()));
  for (const char* key :
       {"-1", "01", "340282366920938463463374607431768211456", "x"}) {
    const auto outcome = producer.Put({"k", "x", key}).get();
    EXPECT_TRUE(absl::IsInvalidArgument(outcome.status())) << key;
    EXPECT_TRUE(absl::StrContains(outcome.status().message(), key))
        << outcome.status();
  }
  std::string umlauts;
  for (int i = 0; i < 256; ++i) umlauts += "ü";
  EXPECT_TRUE(producer.Put({umlauts, "x", "", 0}).get().ok());
}

TEST_F(ProducerTest, AnAnswerThatTellsNothingIsNoSuccess) {
  fake_.FailKey("k", /*error_code=*/"", 1);
  Producer producer(*client_, Options());
  const auto outcome = producer.Put({"k", "x"}).get();
  ASSERT_TRUE(outcome.ok());
  EXPECT_FALSE(outcome->sequence_number.empty());
  EXPECT_EQ(fake_.records("s").size(), 1u);
}

TEST_F(ProducerTest, RecordsThatCannotBeDeliveredAreGivenUp) {
  const std::string address = fake_.address();
  fake_.Shutdown();
  // A client that never had a connection: one that breaks while a request is
  // written on it leaves the outcome unknown instead.
  auto client =
      Client::Create({.endpoints = {address}, .credentials = nullptr});
  ASSERT_TRUE(client.ok());
  ProducerOptions options = Options();
  options.delivery_timeout = absl::Milliseconds(200);
  Producer producer(**client, options);
  const auto outcome = producer.Put({"k", "x", "", 0}).get();
  EXPECT_EQ(Reason(outcome.status()), kNotConnected) << outcome.status();
}

TEST_F(ProducerTest, PausesBetweenCallsThatTheServerEnds) {
  fake_.SetEndingPutStreams(true);
  ProducerOptions options = Options();
  options.delivery_timeout = absl::Milliseconds(200);
  EXPECT_EQ(PutAll(options, 1, 1).size(), 1u);
  EXPECT_GT(fake_.calls("PutRecordsStream"), 1);
  EXPECT_LT(fake_.calls("PutRecordsStream"), 10);
}

TEST_F(ProducerTest, DestructionCancelsWhatIsNotSent) {
  fake_.Shutdown();
  std::future<absl::StatusOr<PutOutcome>> outcome;
  {
    Producer producer(*client_, Options());
    outcome = producer.Put({"k", "x", "", 0});
  }
  EXPECT_EQ(Reason(outcome.get().status()), kCancelled);
}

TEST_F(ProducerTest, DestructionLeavesWhatWasSentUnknown) {
  fake_.FailNext("PutRecordsStream request",
                 grpc::Status(grpc::StatusCode::UNAVAILABLE, "Socket closed"),
                 1 << 20);
  std::future<absl::StatusOr<PutOutcome>> outcome;
  {
    Producer producer(*client_, Options());
    outcome = producer.Put({"k", "x", "", 0});
    EXPECT_TRUE(fake_.AwaitCall("PutRecordsStream request"));
  }
  EXPECT_EQ(Reason(outcome.get().status()), kOutcomeUnknown);
}

TEST_F(ProducerTest, CancellingTheClientEndsAFullProducer) {
  fake_.Shutdown();
  ProducerOptions options = Options();
  options.unanswered_bytes_max = 2;
  Producer producer(*client_, options);
  auto first = producer.Put({"k", "x", "", 0});
  std::thread waiting([&] {
    EXPECT_FALSE(producer.Put({"k", "y", "", 0}).get().ok());
  });
  client_->Cancel();
  EXPECT_EQ(Reason(first.get().status()), kCancelled);
  waiting.join();
}

TEST_F(ProducerTest, TellsWhenARecordIsSent) {
  absl::Mutex mu;
  std::vector<uint64_t> tags;
  ProducerOptions options = Options();
  options.on_send = [&](uint64_t tag) {
    absl::MutexLock lock(&mu);
    tags.push_back(tag);
  };
  EXPECT_TRUE(PutAll(options, 30, 1).empty());
  ASSERT_EQ(tags.size(), 30u);
  EXPECT_TRUE(std::is_sorted(tags.begin(), tags.end()));
}

}  // namespace
}  // namespace trireme::client
