#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client/compression.h"
#include "client/error.h"
#include "client/producer.h"
#include "client/unpack.h"
#include "tests/unit/fake_client_test.h"

namespace trireme::client {
namespace {

class AggregatingProducerTest : public FakeClientTest {
 protected:
  AggregatingProducerTest() : FakeClientTest(/*shards=*/2) {}

  void SetUp() override {
    FakeClientTest::SetUp();
    ASSERT_TRUE(client_->CreateStream("one", 1).ok());
  }

  // Aggregates of 10 records, which go when they are full or asked to.
  static ProducerOptions Options(const std::string& stream = "s") {
    ProducerOptions options;
    options.stream_name = stream;
    options.request_records_max = 10;
    options.aggregation = {.aggregate_records_max = 10,
                           .buffered_time_max = absl::Hours(1)};
    return options;
  }

  // The outcomes of many puts, by their number. Any thread.
  struct Outcomes {
    absl::Mutex mu;
    std::map<int, absl::StatusOr<PutOutcome>> by_number ABSL_GUARDED_BY(mu);

    PutCallback Callback(int number) {
      return [this, number](absl::StatusOr<PutOutcome> outcome) {
        absl::MutexLock lock(&mu);
        EXPECT_TRUE(by_number.emplace(number, std::move(outcome)).second)
            << number << " has two outcomes";
      };
    }
    std::vector<absl::Status> Failures() {
      absl::MutexLock lock(&mu);
      std::vector<absl::Status> failures;
      for (const auto& [number, outcome] : by_number) {
        if (!outcome.ok()) failures.push_back(outcome.status());
      }
      return failures;
    }
  };

  // Records from..to-1 of `keys` keys in turn; a record's data is its number.
  static void PutRange(Producer& producer, int from, int to, int keys,
                       Outcomes& outcomes) {
    for (int i = from; i < to; ++i) {
      const absl::Status status =
          producer.Put({absl::StrCat("key", i % keys), absl::StrCat(i)},
                       outcomes.Callback(i));
      EXPECT_TRUE(status.ok()) << status;
    }
  }

  // What a reader of all shards gets, in the order of writing.
  std::vector<std::pair<std::string, UserRecord>> Read(
      const std::string& stream) {
    std::vector<std::pair<std::string, UserRecord>> all;
    const auto shards = client_->ListShards(stream);
    EXPECT_TRUE(shards.ok());
    for (const v1::Shard& shard : *shards) {
      const auto range = ParseHashKeyRange(shard.hash_key_range());
      std::vector<UserRecord> records;
      for (const v1::Record& record : fake_.records(stream, shard.shard_id())) {
        EXPECT_TRUE(Unpack(record, &*range, &records).ok());
      }
      for (UserRecord& record : records) {
        all.emplace_back(shard.shard_id(), std::move(record));
      }
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
      return a.second.position < b.second.position;
    });
    return all;
  }

  // Each record is there once, where its outcome says, in the order of its key.
  enum class Order { kAsPut, kAny };
  void ExpectEachOnceInOrder(const std::string& stream, int records, int keys,
                             Outcomes& outcomes, Order order = Order::kAsPut) {
    EXPECT_TRUE(outcomes.Failures().empty());
    std::map<std::string, std::vector<int>> by_key;
    absl::MutexLock lock(&outcomes.mu);
    EXPECT_EQ(outcomes.by_number.size(), static_cast<size_t>(records));
    for (const auto& [shard_id, record] : Read(stream)) {
      const int number = std::stoi(record.data);
      by_key[record.partition_key].push_back(number);
      const auto& outcome = outcomes.by_number.at(number);
      ASSERT_TRUE(outcome.ok());
      EXPECT_EQ(outcome->shard_id, shard_id) << number;
      EXPECT_EQ((RecordPosition{outcome->sequence_number,
                                outcome->sub_sequence_number}),
                record.position)
          << number;
    }
    for (int key = 0; key < keys; ++key) {
      std::vector<int> expected;
      for (int i = key; i < records; i += keys) expected.push_back(i);
      std::vector<int>& stored = by_key[absl::StrCat("key", key)];
      if (order == Order::kAny) std::sort(stored.begin(), stored.end());
      EXPECT_EQ(stored, expected) << key;
    }
  }
};

TEST_F(AggregatingProducerTest, WritesAggregatesOfAShardEach) {
  ProducerOptions options = Options();
  options.lanes = 2;
  Outcomes outcomes;
  Producer producer(*client_, options);
  PutRange(producer, 0, 2000, 7, outcomes);
  producer.Close();
  ExpectEachOnceInOrder("s", 2000, 7, outcomes);
  EXPECT_LE(fake_.records("s").size(), 202u);
  int members = 0;
  for (const v1::Record& record : fake_.records("s")) {
    std::vector<UserRecord> records;
    ASSERT_TRUE(Unpack(record, nullptr, &records).ok());
    EXPECT_EQ(record.partition_key() == "a", records.size() > 1);
    members += static_cast<int>(records.size());
  }
  EXPECT_EQ(members, 2000) << "none is outside its shard";
}

TEST_F(AggregatingProducerTest, AnAggregateIsNotLargerThanAllowed) {
  ProducerOptions options = Options("one");
  options.aggregation->aggregate_records_max = 1000;
  options.aggregation->aggregate_bytes_max = 100;
  Outcomes outcomes;
  Producer producer(*client_, options);
  PutRange(producer, 0, 300, 3, outcomes);
  producer.Close();
  ExpectEachOnceInOrder("one", 300, 3, outcomes);
  for (const v1::Record& record : fake_.records("one")) {
    EXPECT_LE(record.data().size(), 100u);
  }
  EXPECT_LT(fake_.records("one").size(), 60u);
}

TEST_F(AggregatingProducerTest, ARecordThatIsTooLargeKeepsItsPlace) {
  ProducerOptions options = Options("one");
  options.aggregation->aggregate_bytes_max = 100;
  Producer producer(*client_, options);
  for (int i = 0; i < 9; ++i) {
    const std::string data = std::string(i % 3 == 1 ? 200 : 1, 'd');
    EXPECT_TRUE(producer.Put({"k", absl::StrCat(i, data)}, nullptr).ok());
  }
  producer.Close();
  const auto read = Read("one");
  ASSERT_EQ(read.size(), 9u);
  for (int i = 0; i < 9; ++i) {
    EXPECT_EQ(read[i].second.data[0], '0' + i);
    EXPECT_EQ(read[i].second.aggregated, i % 3 != 1 && i != 0 && i != 8);
  }
  EXPECT_EQ(fake_.records("one").size(), 7u);
}

TEST_F(AggregatingProducerTest, ARecordAloneGoesPlain) {
  Producer producer(*client_, Options("one"));
  auto outcome = producer.Put({"k", "data", "5"});
  producer.Flush();
  EXPECT_EQ(outcome.get()->sub_sequence_number, 0u);
  const v1::Record record = fake_.records("one").at(0);
  EXPECT_EQ(record.partition_key(), "k");
  EXPECT_EQ(record.data(), "data");
}

TEST_F(AggregatingProducerTest, ARecordDoesNotWaitForOthersForLong) {
  ProducerOptions options = Options("one");
  options.aggregation->buffered_time_max = absl::Milliseconds(1);
  Producer producer(*client_, options);
  EXPECT_TRUE(producer.Put({"k", "data"}).get().ok());
  // Nor one that would expire while it waits.
  options.aggregation->buffered_time_max = absl::Hours(1);
  Producer patient(*client_, options);
  ProducerRecord record{"k", "data"};
  record.time_to_live = absl::Milliseconds(400);
  EXPECT_TRUE(patient.Put(record).get().ok());
}

TEST_F(AggregatingProducerTest, ABrokenCallIsRepeatedAndWrittenOnce) {
  fake_.BreakPutStreamAt(2, /*written=*/true);
  ProducerOptions options = Options();
  options.request_records_max = 2;
  Outcomes outcomes;
  Producer producer(*client_, options);
  PutRange(producer, 0, 500, 5, outcomes);
  producer.Close();
  ExpectEachOnceInOrder("s", 500, 5, outcomes);
  EXPECT_EQ(fake_.calls("PutRecordsStream"), 3) << "one is repeated";
}

TEST_F(AggregatingProducerTest, AThrottledAggregateIsRepeatedInItsPlace) {
  fake_.FailKey("a", "ProvisionedThroughputExceededException", 3);
  ProducerOptions options = Options("one");
  options.requests_in_flight_max = 1;
  options.request_records_max = 1;
  Outcomes outcomes;
  Producer producer(*client_, options);
  PutRange(producer, 0, 200, 4, outcomes);
  producer.Close();
  ExpectEachOnceInOrder("one", 200, 4, outcomes);
  EXPECT_EQ(producer.metrics().retries, 3u);
}

TEST_F(AggregatingProducerTest, AfterASplitMembersAreWhereTheyBelong) {
  for (const int in_flight : {1, 8}) {
    const std::string stream = absl::StrCat("in flight ", in_flight);
    ASSERT_TRUE(client_->CreateStream(stream, 1).ok());
    ProducerOptions options = Options(stream);
    options.request_records_max = 1;
    options.requests_in_flight_max = in_flight;
    Outcomes outcomes;
    Producer producer(*client_, options);
    PutRange(producer, 0, 50, 7, outcomes);
    producer.Flush();
    fake_.SplitShard(stream, "shardId-000000000000");
    PutRange(producer, 50, 500, 7, outcomes);
    producer.Close();
    ExpectEachOnceInOrder(stream, 500, 7, outcomes,
                          in_flight == 1 ? Order::kAsPut : Order::kAny);
    EXPECT_GT(producer.metrics().retries, 0u);
  }
}

TEST_F(AggregatingProducerTest, MembersAreFoundAgainOverSeveralSplits) {
  ProducerOptions options = Options("one");
  options.request_records_max = 1;
  options.requests_in_flight_max = 1;
  Outcomes outcomes;
  Producer producer(*client_, options);
  PutRange(producer, 0, 50, 7, outcomes);
  producer.Flush();
  fake_.SplitShard("one", "shardId-000000000000");
  fake_.SplitShard("one", "shardId-000000000001");
  fake_.SplitShard("one", "shardId-000000000002");
  PutRange(producer, 50, 100, 7, outcomes);
  fake_.SplitShard("one", "shardId-000000000003");
  PutRange(producer, 100, 300, 7, outcomes);
  producer.Close();
  ExpectEachOnceInOrder("one", 300, 7, outcomes);
}

TEST_F(AggregatingProducerTest, ShardsAreLearnedAnewAfterASplit) {
  ProducerOptions options = Options("one");
  options.request_records_max = 1;
  options.requests_in_flight_max = 1;
  Outcomes outcomes;
  Producer producer(*client_, options);
  PutRange(producer, 0, 20, 7, outcomes);
  producer.Flush();
  fake_.SplitShard("one", "shardId-000000000000");
  PutRange(producer, 20, 40, 7, outcomes);
  producer.Flush();
  const uint64_t retries = producer.metrics().retries;
  EXPECT_GT(retries, 0u);
  PutRange(producer, 40, 400, 7, outcomes);
  producer.Close();
  EXPECT_EQ(producer.metrics().retries, retries);
  ExpectEachOnceInOrder("one", 400, 7, outcomes);
}

TEST_F(AggregatingProducerTest, AfterAMergeNothingIsPutAgain) {
  Outcomes outcomes;
  Producer producer(*client_, Options());
  PutRange(producer, 0, 50, 7, outcomes);
  producer.Flush();
  fake_.MergeShards("s", "shardId-000000000000", "shardId-000000000001",
                    "shardId-000000000002");
  PutRange(producer, 50, 90, 7, outcomes);
  producer.Close();
  ExpectEachOnceInOrder("s", 90, 7, outcomes);
  EXPECT_EQ(producer.metrics().retries, 0u);
}

TEST_F(AggregatingProducerTest, WhenShardsCannotBeLearnedTheOutcomeIsUnknown) {
  Outcomes outcomes;
  ProducerOptions options = Options("one");
  options.delivery_timeout = absl::Milliseconds(500);
  Producer producer(*client_, options);
  PutRange(producer, 0, 1, 1, outcomes);
  producer.Flush();
  fake_.SplitShard("one", "shardId-000000000000");
  fake_.FailNext("ListShards",
                 testing::TypedError(grpc::StatusCode::UNAVAILABLE,
                                     "NodeStarting", "as planned"),
                 1 << 20);
  PutRange(producer, 1, 3, 3, outcomes);
  producer.Close();
  const auto failures = outcomes.Failures();
  ASSERT_EQ(failures.size(), 2u);
  EXPECT_EQ(Reason(failures[0]), kOutcomeUnknown) << failures[0];
}

TEST_F(AggregatingProducerTest, AStreamThatIgnoresHashKeysIsToldApart) {
  fake_.SetIgnoringHashKeys(true);
  ProducerOptions options = Options();
  options.delivery = Delivery::kAtLeastOnce;
  Outcomes outcomes;
  Producer producer(*client_, options);
  PutRange(producer, 0, 200, 7, outcomes);
  producer.Close();
  const auto failures = outcomes.Failures();
  ASSERT_FALSE(failures.empty());
  for (const absl::Status& failure : failures) {
    EXPECT_TRUE(absl::IsInvalidArgument(failure)) << failure;
  }
  EXPECT_LE(fake_.records("s").size(), 22u) << "nothing is put again";
}

TEST_F(AggregatingProducerTest, WhenNoShardsAreKnownRecordsGoPlain) {
  fake_.FailNext("ListShards",
                 testing::TypedError(grpc::StatusCode::UNAVAILABLE,
                                     "NodeStarting", "as planned"),
                 1 << 20);
  Outcomes outcomes;
  Producer producer(*client_, Options());
  PutRange(producer, 0, 40, 3, outcomes);
  producer.Close();
  EXPECT_EQ(fake_.records("s").size(), 40u);
  fake_.FailNext("ListShards", grpc::Status::OK, 0);
  ExpectEachOnceInOrder("s", 40, 3, outcomes);
}

TEST_F(AggregatingProducerTest, ManyThreadsShareAggregates) {
  Outcomes outcomes;
  ProducerOptions options = Options();
  options.unanswered_records_max = 50;
  options.aggregation->buffered_time_max = absl::Milliseconds(5);
  Producer producer(*client_, options);
  std::vector<std::thread> threads;
  for (int key = 0; key < 4; ++key) {
    threads.emplace_back([&, key] {
      for (int i = key; i < 2000; i += 4) {
        ASSERT_TRUE(producer
                        .Put({absl::StrCat("key", key), absl::StrCat(i)},
                             outcomes.Callback(i))
                        .ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  producer.Close();
  ExpectEachOnceInOrder("s", 2000, 4, outcomes);
}

TEST_F(AggregatingProducerTest, AStreamMadeAgainGetsNoAggregatesOfTheOldOne) {
  Outcomes old;
  Producer producer(*client_, Options());
  PutRange(producer, 0, 40, 7, old);
  producer.Flush();
  ASSERT_TRUE(client_->DeleteStream("s").ok());
  ASSERT_TRUE(client_->DescribeStreamSummary("s").ok());  // It goes now.
  ASSERT_TRUE(client_->CreateStream("s", 5).ok());
  Outcomes between;
  PutRange(producer, 40, 80, 7, between);
  producer.Flush();
  ASSERT_EQ(between.Failures().size(), 40u);
  for (const absl::Status& failure : between.Failures()) {
    EXPECT_EQ(Reason(failure), "ResourceNotFoundException") << failure;
  }
  Outcomes now;
  PutRange(producer, 0, 400, 7, now);
  producer.Close();
  ExpectEachOnceInOrder("s", 400, 7, now);
}

// Each member of each aggregate needs a number of its own then, and there are
// fewer.
TEST_F(AggregatingProducerTest, ASplitWithFewNumbersLeftOnlySlowsItDown) {
  ProducerOptions options = Options("one");
  options.aggregation->aggregate_records_max = 2;
  options.request_records_max = 500;
  Outcomes outcomes;
  Producer producer(*client_, options);
  PutRange(producer, 0, 1, 1, outcomes);
  producer.Flush();
  fake_.HoldPutStreams(true);
  constexpr int kRecords = 120'001;
  for (int i = 1; i < kRecords; ++i) {
    ProducerRecord record{"key0", absl::StrCat(i)};
    record.explicit_hash_key = HashKeyText(i % 2 == 0 ? 0 : ~HashKey{0});
    ASSERT_TRUE(producer.Put(std::move(record), outcomes.Callback(i)).ok());
  }
  fake_.SplitShard("one", "shardId-000000000000");
  fake_.HoldPutStreams(false);
  producer.Close();
  ExpectEachOnceInOrder("one", kRecords, 1, outcomes, Order::kAny);
}

TEST_F(AggregatingProducerTest, AnotherProducerOfTheClientKnowsTheShardsToo) {
  Outcomes outcomes;
  Producer first(*client_, Options("one"));
  PutRange(first, 0, 10, 1, outcomes);
  first.Close();
  Producer second(*client_, Options("one"));
  PutRange(second, 10, 20, 1, outcomes);
  second.Close();
  EXPECT_EQ(fake_.records("one").size(), 2u);
  ExpectEachOnceInOrder("one", 20, 1, outcomes);
}

// Whoever puts waits for the moment at which none is under way.
TEST_F(AggregatingProducerTest, ManyThreadsLearnOfASplitTogether) {
  constexpr int kThreads = 4;
  constexpr int kEach = 5'000;
  Outcomes outcomes;
  ProducerOptions options = Options("one");
  options.unanswered_records_max = 100;
  Producer producer(*client_, options);
  PutRange(producer, 0, 1, 1, outcomes);
  producer.Flush();
  fake_.SplitShard("one", "shardId-000000000000");
  std::vector<std::thread> threads;
  for (int first = 1; first <= kThreads; ++first) {
    threads.emplace_back([&, first] {
      for (int i = first; i < kThreads * kEach; i += kThreads) {
        ASSERT_TRUE(producer
                        .Put({absl::StrCat("key", i), absl::StrCat(i)},
                             outcomes.Callback(i))
                        .ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  producer.Close();
  EXPECT_TRUE(outcomes.Failures().empty());
  EXPECT_EQ(Read("one").size(), size_t{kThreads * kEach});
  std::vector<UserRecord> all;
  for (const v1::Record& record : fake_.records("one")) {
    ASSERT_TRUE(Unpack(record, /*range=*/nullptr, &all).ok());
  }
  const size_t left_out = all.size() - size_t{kThreads * kEach};
  EXPECT_LT(left_out, size_t{kThreads * kEach / 2});
}

TEST_F(AggregatingProducerTest, AnAggregateOverTheStreamsLimitIsPutInParts) {
  fake_.RefuseRecordsOver(2 << 20);
  ProducerOptions options = Options("one");
  options.aggregation->aggregate_bytes_max = 9 << 20;
  options.aggregation->aggregate_records_max = 1000;
  Outcomes outcomes;
  Producer producer(*client_, options);
  for (int i = 0; i < 8; ++i) {
    const std::string data = absl::StrCat(i, std::string(1 << 20, '.'));
    ASSERT_TRUE(producer.Put({"key0", data}, outcomes.Callback(i)).ok());
  }
  producer.Close();
  ExpectEachOnceInOrder("one", 8, 1, outcomes);
}

TEST_F(AggregatingProducerTest, WhatIsPutIsCompressed) {
  ProducerOptions options = Options("one");
  options.aggregation->aggregate_records_max = 100;
  options.compression = CompressionOptions();
  Outcomes outcomes;
  Producer producer(*client_, options);
  PutRange(producer, 0, 1000, 7, outcomes);
  producer.Close();
  for (const v1::Record& record : fake_.records("one")) {
    EXPECT_TRUE(MayBeCompressed(record.data()));
  }
  ExpectEachOnceInOrder("one", 1000, 7, outcomes);
}

TEST_F(AggregatingProducerTest, SingleRecordsAreCompressedToo) {
  ProducerOptions options = Options("one");
  options.aggregation.reset();
  options.compression = CompressionOptions();
  Producer producer(*client_, options);
  const std::string text(1000, 't');
  EXPECT_TRUE(producer.Put({"k", text}).get().ok());
  EXPECT_TRUE(producer.Put({"k", "short"}).get().ok());
  EXPECT_LT(fake_.records("one").at(0).data().size(), 100u);
  EXPECT_EQ(fake_.records("one").at(1).data(), "short");
  EXPECT_EQ(Read("one").at(0).second.data, text);
}

TEST_F(AggregatingProducerTest, OptionsThatExcludeEachOtherAreRefused) {
  const auto refused = [&](const ProducerOptions& options) {
    Producer producer(*client_, options);
    const absl::Status status = producer.Put({"k", "data"}).get().status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  };
  ProducerOptions options = Options();
  options.identity = {"orders", 1, 1};
  refused(options);
  options = Options();
  options.keys_optional = true;
  refused(options);
  options = Options();
  options.aggregation->aggregate_bytes_max = 63;
  refused(options);
  options.aggregation->aggregate_bytes_max = 10 << 20;
  refused(options);
  options = Options();
  options.aggregation->aggregate_records_max = 0;
  refused(options);
  options = Options();
  options.compression = {.level = 20};
  refused(options);
  EXPECT_TRUE(fake_.records("s").empty());
}

}  // namespace
}  // namespace trireme::client
