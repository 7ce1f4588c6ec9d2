#include "server/shard_tail.h"

#include "gtest/gtest.h"
#include "tests/unit/state_fixture.h"

namespace trireme {
namespace {

const ShardKey kShard = ShardOf(1, 0);

Shard ShardRow(uint32_t index = 0) {
  Shard shard;
  shard.index = ShardIndex(index);
  shard.group = GroupId(1);
  shard.created_s = 1'700'000'000;
  return shard;
}

class Waiter : public TailWaiter {
 public:
  void OnTail() override { ++calls; }
  int calls = 0;
};

// Of an entry whose records are all written.
ApplyResult ResultOf(const CommittedEntry& entry) {
  const auto decoded = DecodePayload(*entry.payload);
  ApplyResult result;
  result.stamp_ms = decoded->stamp_ms;
  for (const ShardBatch& batch : decoded->batches)
    result.batches.push_back({absl::OkStatus(), batch});
  return result;
}

class ShardTailsTest : public ::testing::Test {
 protected:
  explicit ShardTailsTest(uint64_t bytes_max = 1 << 20)
      : tails_(bytes_max, &pool_) {}

  void Apply(LogIndex index, const DataByShard& data) {
    const CommittedEntry entry = Entry(1, index, RecordsPayload(1'000, data));
    tails_.OnApplied(entry, ResultOf(entry));
  }
  void ApplyCommand(LogIndex index, const v1::Command& command) {
    tails_.OnApplied(Entry(1, index, CommandPayload(1'000, command)),
                     ApplyResult());
  }
  ShardTails::Found Find(Counter from, size_t bytes_max = 1 << 20,
                         size_t blocks_max = 100) {
    return tails_.Find(kShard, from, bytes_max, blocks_max);
  }

  WorkPool pool_{"wakes", 0, 1000};
  ShardTails tails_;
};

TEST_F(ShardTailsTest, APositionIsKnownOnceSomethingWasApplied) {
  EXPECT_EQ(Find(0).place, ShardTails::Place::kUnknown);
  Apply(5, {{kShard, {"a", "b"}}});
  EXPECT_EQ(Find(MakeCounter(5, 0)).place, ShardTails::Place::kHeld);
  EXPECT_EQ(Find(MakeCounter(5, 2)).place, ShardTails::Place::kTip);
  // What was before it, this tail cannot tell.
  EXPECT_EQ(Find(MakeCounter(4, 0)).place, ShardTails::Place::kBefore);
}

TEST_F(ShardTailsTest, BlocksComeFromThePositionOn) {
  for (LogIndex i = 1; i <= 9; ++i) Apply(i, {{kShard, {"a", "b"}}});
  const auto found = Find(MakeCounter(4, 1));
  ASSERT_EQ(found.blocks.size(), 6u);
  EXPECT_EQ(found.blocks.front()->first(), MakeCounter(4, 0));
  EXPECT_EQ(found.tip, MakeCounter(9, 2));
  // Between two entries: from the next one on.
  EXPECT_EQ(Find(MakeCounter(4, 2)).blocks.front()->first(), MakeCounter(5, 0));
  EXPECT_EQ(Find(MakeCounter(1, 0), 1 << 20, 3).blocks.size(), 3u);
  EXPECT_EQ(Find(MakeCounter(1, 0), 1).blocks.size(), 1u);
}

TEST_F(ShardTailsTest, ABatchTheStateRefusedIsNotThere) {
  const CommittedEntry entry =
      Entry(1, 5, RecordsPayload(1, {{kShard, {"a"}}, {ShardOf(2, 0), {"b"}}}));
  ApplyResult result = ResultOf(entry);
  result.batches[1].status = absl::NotFoundError("dropped");
  tails_.OnApplied(entry, result);
  EXPECT_EQ(Find(MakeCounter(5, 0)).place, ShardTails::Place::kHeld);
  EXPECT_EQ(tails_.Find(ShardOf(2, 0), 0, 1, 1).place,
            ShardTails::Place::kUnknown);
}

TEST_F(ShardTailsTest, ABlockIsEncodedOnceForAllItsReaders) {
  Apply(5, {{kShard, {"a", "b"}}});
  const auto block = Find(MakeCounter(5, 0)).blocks.front();
  const auto first = tails_.Encode(*block, ShardRow());
  const auto second = tails_.Encode(*block, ShardRow());
  ASSERT_OK(first);
  EXPECT_EQ(first->bytes.get(), second->bytes.get());
  EXPECT_EQ(first->record_count, 2u);
}

class SmallShardTailsTest : public ShardTailsTest {
 protected:
  SmallShardTailsTest() : ShardTailsTest(10'000) {}
};

TEST_F(SmallShardTailsTest, TheOldestBlocksOfAllShardsGoFirst) {
  const ShardKey other = ShardOf(1, 1);
  Apply(1, {{other, {"quiet"}}});
  for (LogIndex i = 2; i < 20; ++i) {
    Apply(i, {{kShard, {std::string(1000, 'x')}}});
    EXPECT_LE(tails_.held_bytes(), 10'000u);
  }
  EXPECT_EQ(tails_.Find(other, MakeCounter(1, 0), 1, 1).place,
            ShardTails::Place::kBefore);
  EXPECT_EQ(tails_.Find(other, MakeCounter(1, 1), 1, 1).place,
            ShardTails::Place::kTip);
  EXPECT_EQ(Find(MakeCounter(2, 0)).place, ShardTails::Place::kBefore);
  EXPECT_EQ(Find(MakeCounter(19, 0)).place, ShardTails::Place::kHeld);
  // A reader at the border of what went finds what follows.
  const auto held = Find(MakeCounter(13, 1));
  ASSERT_EQ(held.place, ShardTails::Place::kHeld);
  EXPECT_EQ(held.blocks.front()->first(), MakeCounter(14, 0));
}

TEST_F(SmallShardTailsTest, EncodingCountsAgainstTheBound) {
  // A record of one byte is encoded to more than 80.
  const std::vector<std::string> tiny(60, "x");
  for (LogIndex i = 1; i <= 8; ++i) Apply(i, {{kShard, tiny}});
  const auto blocks = Find(MakeCounter(1, 0)).blocks;
  ASSERT_EQ(blocks.size(), 8u);
  for (const auto& block : blocks) {
    ASSERT_OK(tails_.Encode(*block, ShardRow()));
    EXPECT_LE(tails_.held_bytes(), 10'000u);
  }
  EXPECT_EQ(Find(MakeCounter(1, 0)).place, ShardTails::Place::kBefore);
}

TEST_F(ShardTailsTest, AWaiterIsWokenOnceOnTheWakePool) {
  Apply(5, {{kShard, {"a"}}});
  const auto waiter = std::make_shared<Waiter>();
  EXPECT_FALSE(tails_.Wait(kShard, MakeCounter(5, 0), waiter));
  EXPECT_TRUE(tails_.Wait(kShard, MakeCounter(5, 1), waiter));
  Apply(6, {{ShardOf(1, 1), {"of another shard"}}});
  EXPECT_FALSE(pool_.RunOne());
  Apply(7, {{kShard, {"b"}}});
  EXPECT_EQ(waiter->calls, 0);  // Not on the applier's thread.
  EXPECT_TRUE(pool_.RunOne());
  EXPECT_EQ(waiter->calls, 1);
  Apply(8, {{kShard, {"c"}}});
  EXPECT_FALSE(pool_.RunOne());
}

TEST_F(ShardTailsTest, AWaiterThatStopsIsLetGo) {
  const auto waiter = std::make_shared<Waiter>();
  EXPECT_TRUE(tails_.Wait(kShard, 0, waiter));
  tails_.StopWaiting(kShard, waiter.get());
  EXPECT_EQ(waiter.use_count(), 1);
  Apply(5, {{kShard, {"a"}}});
  EXPECT_FALSE(pool_.RunOne());
}

TEST_F(ShardTailsTest, TheEndAndTheDroppingOfAShardWakeItsWaiters) {
  const auto waiter = std::make_shared<Waiter>();
  tails_.Wait(kShard, 0, waiter);
  ApplyCommand(5, SealShard(1, 0));
  while (pool_.RunOne()) {
  }
  EXPECT_EQ(waiter->calls, 1);
  tails_.Wait(kShard, 0, waiter);
  ApplyCommand(6, DropShards(1, {0}));
  while (pool_.RunOne()) {
  }
  EXPECT_EQ(waiter->calls, 2);
}

TEST_F(ShardTailsTest, AReplacedStateIsForgottenAndWakes) {
  Apply(5, {{kShard, {"a"}}});
  const auto waiter = std::make_shared<Waiter>();
  tails_.Wait(kShard, MakeCounter(5, 1), waiter);
  tails_.OnStateReplaced(GroupId(2));
  EXPECT_EQ(Find(MakeCounter(5, 0)).place, ShardTails::Place::kHeld);
  tails_.OnStateReplaced(GroupId(1));
  EXPECT_EQ(Find(MakeCounter(5, 0)).place, ShardTails::Place::kUnknown);
  EXPECT_TRUE(pool_.RunOne());
  EXPECT_EQ(waiter->calls, 1);
}

}  // namespace
}  // namespace trireme
