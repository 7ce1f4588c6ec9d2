#include "storage/resharding.h"

#include <random>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/catalog_tables.h"
#include "storage/errors.h"
#include "tests/unit/state_fixture.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;

constexpr uint64_t kNow = 1'700'000'000;

Stream MakeStream(uint32_t shards) {
  Stream stream;
  stream.id = StreamId(1);
  stream.name = "s";
  stream.status = StreamStatus::kActive;
  const auto ranges = DivideHashKeySpace(shards);
  for (uint32_t i = 0; i < shards; ++i) {
    Shard shard;
    shard.index = ShardIndex(i);
    shard.group = GroupId(1);
    shard.range = ranges[i];
    shard.created_s = kNow;
    stream.shards.push_back(shard);
  }
  ListOpenShards(&stream);
  return stream;
}

// What CompleteReshards does to the shards.
void Complete(Stream* stream) {
  for (const Reshard& reshard : stream->reshards) {
    for (const ShardIndex parent : reshard.parents)
      stream->shards[parent.value()].end = MakeCounter(9, 0);
    stream->shards.insert(stream->shards.end(), reshard.children.begin(),
                          reshard.children.end());
  }
  stream->reshards.clear();
  ListOpenShards(stream);
}

void Reshape(std::vector<Reshard> reshards, Stream* stream) {
  ShardPlaces places({0, 0, 0});
  BeginReshards(std::move(reshards), kNow, &places, stream);
  // The row says so too, and is checked when it is read.
  ASSERT_OK(DecodeStream(EncodeStream(*stream)));
  Complete(stream);
  ASSERT_OK(DecodeStream(EncodeStream(*stream)));
}

TEST(ReshardingTest, ASplitGivesTwoChildrenTheLowerFirst) {
  Stream stream = MakeStream(2);
  const HashKey middle = stream.shards[1].range.start + 1000;
  auto plan = PlanSplit(stream, ShardIndex(1), middle);
  ASSERT_OK(plan);
  Reshape({*plan}, &stream);
  ASSERT_EQ(stream.shards.size(), 4u);
  const Shard& lower = stream.shards[2];
  const Shard& upper = stream.shards[3];
  EXPECT_EQ(lower.index, ShardIndex(2));
  EXPECT_EQ(lower.range,
            (HashKeyRange{stream.shards[1].range.start, middle - 1}));
  EXPECT_EQ(upper.range, (HashKeyRange{middle, stream.shards[1].range.end}));
  for (const Shard& child : {lower, upper}) {
    EXPECT_EQ(child.parent, ShardIndex(1));
    EXPECT_EQ(child.adjacent_parent, std::nullopt);
    // Its sequence numbers are above its parent's.
    EXPECT_EQ(child.created_s, kNow + 1);
  }
  EXPECT_NE(lower.group, upper.group);
}

TEST(ReshardingTest, AMergeNamesItsParentsInTheOrderAsked) {
  Stream stream = MakeStream(3);
  auto plan = PlanMerge(stream, ShardIndex(2), ShardIndex(1));
  ASSERT_OK(plan);
  Reshape({*plan}, &stream);
  const Shard& child = stream.shards[3];
  EXPECT_EQ(child.parent, ShardIndex(2));
  EXPECT_EQ(child.adjacent_parent, ShardIndex(1));
  EXPECT_EQ(child.range, (HashKeyRange{stream.shards[1].range.start,
                                       stream.shards[2].range.end}));
}

TEST(ReshardingTest, ASplitsHashKeyIsWellInsideTheShard) {
  const Stream stream = MakeStream(2);
  const HashKeyRange range = stream.shards[1].range;
  const auto reason = [&](HashKey start) {
    return ReasonOf(PlanSplit(stream, ShardIndex(1), start).status());
  };
  const auto bad = ErrorReason::kInvalidArgument;
  EXPECT_EQ(reason(0), bad);
  EXPECT_EQ(reason(range.start), bad);
  EXPECT_EQ(reason(range.start + 1), bad);
  EXPECT_EQ(reason(range.end), bad);
  EXPECT_EQ(reason(range.start + 2), ErrorReason::kNone);
  EXPECT_EQ(reason(range.end - 1), ErrorReason::kNone);
}

TEST(ReshardingTest, OnlyOpenNeighboursMerge) {
  Stream stream = MakeStream(3);
  const auto reason = [&](uint32_t a, uint32_t b) {
    return ReasonOf(PlanMerge(stream, ShardIndex(a), ShardIndex(b)).status());
  };
  EXPECT_EQ(reason(0, 2), ErrorReason::kInvalidArgument);
  // Not even round the end of the hash key space.
  EXPECT_EQ(reason(2, 0), ErrorReason::kInvalidArgument);
  EXPECT_EQ(reason(1, 1), ErrorReason::kInvalidArgument);
  EXPECT_EQ(reason(0, 9), ErrorReason::kResourceNotFound);
  Reshape({*PlanMerge(stream, ShardIndex(0), ShardIndex(1))}, &stream);
  EXPECT_EQ(reason(0, 1), ErrorReason::kInvalidArgument);
  EXPECT_EQ(reason(3, 2), ErrorReason::kNone);
}

// Rounds until the target is reached; every state on the way is a stream whose
// open shards cover the hash key space (DecodeStream checks it).
int RoundsTowards(uint32_t target, Stream* stream) {
  for (int rounds = 0; rounds < 100; ++rounds) {
    std::vector<Reshard> round = PlanRound(*stream, target);
    if (round.empty()) return rounds;
    Reshape(std::move(round), stream);
  }
  return 100;
}

TEST(ReshardingTest, AnyTargetIsReachedInAFewRounds) {
  for (uint32_t from = 1; from <= 12; ++from) {
    for (uint32_t target = 1; target <= 24; ++target) {
      Stream stream = MakeStream(from);
      EXPECT_LE(RoundsTowards(target, &stream), 12) << from << " " << target;
      EXPECT_EQ(stream.open.size(), target) << "from " << from;
      // Nearly equal: none differs from the even share by a hundredth.
      const HashKey even = absl::Uint128Max() / target;
      for (const uint32_t position : stream.open) {
        const HashKeyRange& range = stream.shards[position].range;
        const HashKey size = range.end - range.start;
        const HashKey off = size > even ? size - even : even - size;
        EXPECT_LE(off, even / 100) << from << " to " << target;
      }
    }
  }
}

TEST(ReshardingTest, DoublingSplitsEachShardOnceAndHalvingMergesPairs) {
  for (const uint32_t shards : {1u, 3u, 7u, 10u}) {
    Stream stream = MakeStream(shards);
    EXPECT_EQ(RoundsTowards(2 * shards, &stream), 1);
    EXPECT_EQ(stream.shards.size(), 3 * shards);
    EXPECT_EQ(RoundsTowards(shards, &stream), 1);
    EXPECT_EQ(stream.shards.size(), 4 * shards);
  }
}

TEST(ReshardingTest, ARandomHistoryNeverLosesAKey) {
  std::mt19937_64 random(3);
  Stream stream = MakeStream(4);
  for (int i = 0; i < 300; ++i) {
    const size_t at = random() % stream.open.size();
    const Shard& shard = stream.shards[stream.open[at]];
    if (random() % 2 == 0) {
      const auto plan = PlanSplit(
          stream, shard.index,
          shard.range.start + (shard.range.end - shard.range.start) / 3);
      if (plan.ok()) Reshape({*plan}, &stream);
    } else if (at + 1 < stream.open.size()) {
      const Shard& next = stream.shards[stream.open[at + 1]];
      Reshape({*PlanMerge(stream, shard.index, next.index)}, &stream);
    }
  }
  EXPECT_GT(stream.shards.size(), 200u);
  EXPECT_LE(RoundsTowards(5, &stream), 20);
  EXPECT_EQ(stream.open.size(), 5u);
}

TEST(ReshardingTest, ADamagedRowOfAReshardIsDataLoss) {
  Stream stream = MakeStream(2);
  ShardPlaces places({0, 0, 0});
  BeginReshards({*PlanSplit(stream, ShardIndex(0), 1000)}, kNow, &places,
                &stream);
  ASSERT_OK(DecodeStream(EncodeStream(stream)));
  Stream gap = stream;
  gap.reshards[0].children[1].range.start += 1;
  Stream short_end = stream;
  short_end.reshards[0].children.pop_back();
  Stream unknown = stream;
  unknown.reshards[0].parents[0] = ShardIndex(7);
  Stream old_number = stream;
  old_number.reshards[0].children[0].index = ShardIndex(1);
  Stream none = stream;
  none.reshards[0].children.clear();
  for (const Stream& bad : {gap, short_end, unknown, old_number, none}) {
    EXPECT_EQ(DecodeStream(EncodeStream(bad)).status().code(),
              absl::StatusCode::kDataLoss);
  }
}

}  // namespace
}  // namespace trireme
