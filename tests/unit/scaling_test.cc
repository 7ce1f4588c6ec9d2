#include "server/scaling.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;

constexpr HashKeyRange kRange = {1000, 2000};
const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

class ScalingTest : public ::testing::Test {
 protected:
  // `shards` of equal ranges, each with this load; KiB and records a second.
  void MakeShards(size_t count, double kib, double records) {
    shards_.resize(count);
    for (uint32_t i = 0; i < count; ++i) {
      shards_[i].index = ShardIndex(i);
      shards_[i].range = {i * 1000, i * 1000 + 999};
      MeasuredShard& measured = measured_.emplace_back();
      measured.shard = &shards_[i];
      SetLoad(i, kib, records);
    }
  }
  void SetLoad(size_t i, double kib, double records) {
    measured_[i].load.bytes_per_second = kib * 1024;
    measured_[i].load.records_per_second = records;
  }
  std::optional<ScalingPlan> Plan() {
    return PlanScaling(measured_, rules_, kNow);
  }

  ScalingRules rules_;
  std::vector<Shard> shards_;
  std::vector<MeasuredShard> measured_;
};

TEST_F(ScalingTest, TheHottestShardIsSplitWhereItsLoadHalves) {
  MakeShards(4, 300, 100);
  EXPECT_FALSE(Plan().has_value());
  SetLoad(1, 600, 100);
  SetLoad(2, 100, 900);
  measured_[2].load.samples = {2100, 2110, 2120, 2130, 2900};
  const auto plan = Plan();
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->shard, ShardIndex(2));
  EXPECT_FALSE(plan->adjacent.has_value());
  EXPECT_EQ(plan->new_start, 2115);
  EXPECT_THAT(plan->reason, HasSubstr("100 KiB/s, 900 records/s"));
}

TEST_F(ScalingTest, AShardThatIsHotByOneKeyIsLeftForTheNextHottest) {
  MakeShards(4, 300, 100);
  SetLoad(0, 900, 100);
  measured_[0].load.samples.assign(100, 500);
  SetLoad(3, 600, 100);
  measured_[3].load.samples = {3100, 3900};
  const auto plan = Plan();
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->shard, ShardIndex(3));
}

TEST_F(ScalingTest, NeighboursThatAreColdForLongAreMerged) {
  MakeShards(6, 10, 1);
  EXPECT_FALSE(Plan().has_value());  // Not for long yet.
  for (MeasuredShard& shard : measured_)
    shard.cold_since = kNow - rules_.merge_after;
  SetLoad(0, 5, 1);
  SetLoad(3, 1, 1);
  SetLoad(4, 2, 1);
  const auto plan = Plan();
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->shard, ShardIndex(3));
  EXPECT_EQ(plan->adjacent, ShardIndex(4));
  EXPECT_THAT(plan->reason, HasSubstr("cold for 15m"));
  // One of the two is not.
  measured_[3].cold_since = kNow - absl::Minutes(14);
  EXPECT_NE(Plan()->shard, ShardIndex(3));
}

TEST_F(ScalingTest, AStreamKeepsItsLeastShards) {
  MakeShards(4, 0, 0);
  for (MeasuredShard& shard : measured_)
    shard.cold_since = kNow - absl::Hours(1);
  EXPECT_FALSE(Plan().has_value());
}

TEST_F(ScalingTest, WhatIsMergedIsNotSplitAgainAtOnce) {
  ShardLoad load;
  load.bytes_per_second = rules_.merge_bytes_per_second / 2 - 1;
  EXPECT_TRUE(IsCold(load, rules_));
  EXPECT_LT(2 * load.bytes_per_second, rules_.split_bytes_per_second / 2);
  load.records_per_second = rules_.merge_records_per_second / 2;
  EXPECT_FALSE(IsCold(load, rules_));
}

TEST(SplitPointTest, BothSidesGetTheirShare) {
  EXPECT_EQ(SplitPoint(kRange, {1100, 1200, 1300, 1400}), 1250);
  // A narrow part of the range has nearly all of the load.
  EXPECT_EQ(SplitPoint(kRange, {1001, 1990, 1991, 1992, 1993, 1994}), 1992);
  EXPECT_EQ(SplitPoint(kRange, {1500, 1500, 1500, 1501}), 1501);
}

TEST(SplitPointTest, OneKeyCannotBeSplit) {
  EXPECT_EQ(SplitPoint(kRange, std::vector<HashKey>(50, 1500)), std::nullopt);
  std::vector<HashKey> nearly(50, 1500);
  nearly.push_back(1501);
  EXPECT_EQ(SplitPoint(kRange, nearly), std::nullopt);
  EXPECT_EQ(SplitPoint({7, 9}, {7, 8, 9}), std::nullopt);
}

TEST(SplitPointTest, WhereNothingIsKnownItIsTheMiddle) {
  EXPECT_EQ(SplitPoint(kRange, {}), 1501);
  // Of records whose explicit hash key chose the shard.
  EXPECT_EQ(SplitPoint(kRange, {1, 2, 5000}), 1501);
}

}  // namespace
}  // namespace trireme
