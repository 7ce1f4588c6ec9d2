#include "replication/shard_rates.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/errors.h"
#include "storage/record.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;

constexpr absl::Duration kNow = absl::Hours(3);
constexpr StreamId kLimited{1};
constexpr StreamId kFree{2};
constexpr ShardKey kShard{kLimited, ShardIndex(0)};
constexpr ShardKey kOther{kLimited, ShardIndex(1)};

// Of `count` records of `bytes` each, keys included.
PutBatch Batch(ShardKey shard, uint32_t count, size_t bytes = 1) {
  PutBatch put{shard, count, ""};
  for (uint32_t i = 0; i < count; ++i) {
    AppendRecord({"k", std::string(bytes - 1, 'd')}, &put.batch);
  }
  return put;
}

ProposalBody Body(std::vector<PutBatch> puts) {
  ProposalBody body;
  body.puts = std::move(puts);
  return body;
}

uint32_t CountRecords(const std::string& batch) {
  RecordBatchReader reader(batch);
  uint32_t count = 0;
  for (RecordView record; reader.Next(&record);) ++count;
  EXPECT_TRUE(reader.status().ok());
  return count;
}

class ShardRatesTest : public ::testing::Test {
 protected:
  // How many of `count` records are taken.
  uint32_t Take(ShardKey shard, uint32_t count, size_t bytes,
                absl::Duration now = kNow) {
    const auto cut = rates_.Take(Body({Batch(shard, count, bytes)}), now);
    return cut.has_value() ? cut->kept[0] : count;
  }

  ShardRates rates_{
      {{10, 10}, {1000, 5000}, [](StreamId id) { return id == kLimited; }}};
};

TEST_F(ShardRatesTest, AShardTakesSoManyRecordsASecond) {
  EXPECT_EQ(Take(kShard, 7, 1), 7u);
  EXPECT_EQ(Take(kShard, 7, 1), 3u);
  EXPECT_EQ(Take(kShard, 7, 1), 0u);
  EXPECT_EQ(Take(kOther, 7, 1), 7u);
  EXPECT_EQ(Take(kShard, 7, 1, kNow + absl::Milliseconds(500)), 5u);
  EXPECT_EQ(Take(kShard, 11, 1, kNow + absl::Hours(1)), 10u);
}

TEST_F(ShardRatesTest, BytesAreOfDataAndKeysAndBurst) {
  EXPECT_EQ(Take(kShard, 4, 1250), 4u);
  EXPECT_EQ(Take(kShard, 1, 1), 0u);
  EXPECT_EQ(Take(kShard, 2, 1000, kNow + absl::Seconds(1)), 1u);
  // The largest record needs the whole bucket.
  EXPECT_EQ(Take(kShard, 1, 5000, kNow + absl::Seconds(5)), 0u);
  EXPECT_EQ(Take(kShard, 1, 5000, kNow + absl::Seconds(6)), 1u);
}

TEST_F(ShardRatesTest, WhatIsRefusedSaysWhenItMayPass) {
  Take(kShard, 10, 1);
  const auto cut = rates_.Take(Body({Batch(kShard, 1)}), kNow);
  ASSERT_TRUE(cut.has_value());
  EXPECT_TRUE(cut->body->puts.empty());
  EXPECT_EQ(cut->wait, absl::Milliseconds(100));
}

TEST_F(ShardRatesTest, BehindARefusedRecordSmallerOnesOfItsShardWait) {
  PutBatch put = Batch(kShard, 1, 4000);
  put.batch += Batch(kShard, 1, 2000).batch + Batch(kShard, 1, 1).batch;
  put.record_count = 3;
  const auto cut = rates_.Take(Body({put}), kNow);
  ASSERT_TRUE(cut.has_value());
  EXPECT_THAT(cut->kept, ElementsAre(1));
  EXPECT_THAT(cut->refused, ElementsAre(2));
  EXPECT_EQ(cut->body->puts[0].batch, Batch(kShard, 1, 4000).batch);
}

TEST_F(ShardRatesTest, OneShardsLimitDoesNotConcernTheOthersOfAProposal) {
  Take(kOther, 10, 1);
  const auto cut = rates_.Take(
      Body({Batch(kShard, 2), Batch(kOther, 2), Batch(kShard, 9)}), kNow);
  ASSERT_TRUE(cut.has_value());
  EXPECT_THAT(cut->kept, ElementsAre(2, 0, 8));
  ASSERT_EQ(cut->body->puts.size(), 2u);
  EXPECT_EQ(CountRecords(cut->body->puts[0].batch), 2u);
  EXPECT_EQ(CountRecords(cut->body->puts[1].batch), 8u);

  ProposalOutcome outcome;
  outcome.places = {{absl::OkStatus(), 100}, {absl::OkStatus(), 200, 3}};
  outcome = cut->Complete(std::move(outcome));
  ASSERT_EQ(outcome.places.size(), 3u);
  EXPECT_EQ(outcome.places[0].first, 100u);
  EXPECT_EQ(outcome.places[0].refused, 0u);
  EXPECT_EQ(ReasonOf(outcome.places[1].status),
            ErrorReason::kProvisionedThroughputExceeded);
  EXPECT_EQ(outcome.places[2].first, 200u);
  // Another leader had refused three of the eight.
  EXPECT_EQ(outcome.places[2].refused, 4u);
}

TEST_F(ShardRatesTest, AnErrorOfAllConcernsTheRefusedToo) {
  const auto cut = rates_.Take(Body({Batch(kShard, 12)}), kNow);
  ProposalOutcome outcome;
  outcome.status = MakeError(ErrorReason::kNoLeader, "gone");
  outcome = cut->Complete(std::move(outcome));
  EXPECT_EQ(ReasonOf(outcome.status), ErrorReason::kNoLeader);
}

TEST_F(ShardRatesTest, StreamsWithoutLimitsTakeAll) {
  const ShardKey free{kFree, ShardIndex(0)};
  EXPECT_EQ(Take(free, 100, 1000), 100u);
  EXPECT_EQ(Take(free, 100, 1000), 100u);
}

TEST_F(ShardRatesTest, IdleShardsAreForgotten) {
  for (uint32_t i = 0; i < 100'000; ++i) {
    Take({kLimited, ShardIndex(i)}, 1, 1, kNow + i * absl::Milliseconds(1));
  }
  EXPECT_LE(rates_.size(), 1024u);
}

TEST_F(ShardRatesTest, WhatIsNotKnownOfAStreamIsAskedAgain) {
  std::optional<bool> held;
  ShardRates rates({{10, 10}, {1000, 5000}, [&](StreamId) { return held; }});
  const auto take = [&] {
    const auto cut = rates.Take(Body({Batch(kShard, 15)}), kNow);
    return cut.has_value() ? cut->kept[0] : 15;
  };
  EXPECT_EQ(take(), 10u);  // Held, for now.
  held = false;
  EXPECT_EQ(take(), 15u);
  held = true;  // Known by now.
  EXPECT_EQ(take(), 15u);
}

}  // namespace
}  // namespace trireme
