#include "storage/keys.h"

#include <random>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"

namespace trireme {
namespace {

BlockId RandomBlock(std::mt19937_64* random) {
  const auto small = [random] {
    return static_cast<uint32_t>((*random)() % 3);
  };
  // Few values, and high ones, so that neighbours differ in any field.
  const uint32_t scale = (*random)() % 2 == 0 ? 1 : 0x70000001;
  return {GroupId(small() * scale),
          {StreamId(small() * scale), ShardIndex(small() * scale)},
          (*random)() >> (*random)() % 63};
}

auto Fields(const BlockId& id) {
  return std::tuple(id.group, id.shard.stream, id.shard.shard, id.first);
}

TEST(KeysTest, BlocksSortByGroupShardAndCounter) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 20'000; ++i) {
    const BlockId a = RandomBlock(&random);
    const BlockId b = RandomBlock(&random);
    ASSERT_EQ(BlockKey(a).view() < BlockKey(b).view(), Fields(a) < Fields(b));
    const auto decoded = DecodeBlockKey(BlockKey(a).view());
    ASSERT_TRUE(decoded.has_value());
    ASSERT_EQ(Fields(*decoded), Fields(a));
  }
}

TEST(KeysTest, PrefixesHoldTheirOwnKeysOnly) {
  std::mt19937_64 random(6);
  for (int i = 0; i < 20'000; ++i) {
    const BlockId a = RandomBlock(&random);
    const BlockId b = RandomBlock(&random);
    const Key shard = ShardBlocksKey(a.group, a.shard);
    const bool inside = BlockKey(b).view() >= shard.view() &&
                        BlockKey(b).view() < shard.PrefixEnd();
    ASSERT_EQ(inside, a.group == b.group && a.shard == b.shard);
  }
  // The carry goes over bytes of 0xff.
  const Key last =
      ShardBlocksKey(GroupId(1), {StreamId(2), ShardIndex(0xffffffff)});
  const BlockId next = {GroupId(1), {StreamId(3), ShardIndex(0)}, 0};
  EXPECT_GE(BlockKey(next).view(), last.PrefixEnd());
  EXPECT_LT(last.view(), last.PrefixEnd());
}

TEST(KeysTest, EveryKeyRoundTripsAndNoOtherDecodes) {
  const std::vector<std::string> keys = {
      std::string(FormatKey().view()),
      std::string(GroupKey(GroupId(7)).view()),
      std::string(
          ShardStateKey({GroupId(7), {StreamId(8), ShardIndex(9)}}).view()),
      std::string(PartitionKey({RetentionClass::kYear, 77}).view()),
      std::string(StreamKey(StreamId(9)).view()),
      std::string(NextStreamIdKey().view()),
      std::string(
          BlockKey({GroupId(7), {StreamId(8), ShardIndex(9)}, 10}).view()),
      std::string(TimeKey({GroupId(7), 1'700'000'000}).view()),
      std::string(
          ProducerKey(
              {GroupId(7), {StreamId(8), ShardIndex(9)}, {1ull << 40, 11}})
              .view()),
      std::string(ItemTableKey(12).view())};
  EXPECT_EQ(DecodeGroupKey(keys[1]), GroupId(7));
  EXPECT_EQ(DecodeShardStateKey(keys[2])->shard.shard, ShardIndex(9));
  EXPECT_EQ(DecodePartitionKey(keys[3])->number, 77u);
  EXPECT_EQ(DecodePartitionKey(keys[3])->retention, RetentionClass::kYear);
  EXPECT_EQ(DecodeStreamKey(keys[4]), StreamId(9));
  EXPECT_EQ(DecodeTimeKey(keys[7])->second, 1'700'000'000u);
  EXPECT_EQ(DecodeProducerKey(keys[8])->row, (ProducerRowId{1ull << 40, 11}));
  EXPECT_EQ(DecodeItemTableKey(keys[9]), 12u);
  for (const std::string& key : keys) {
    const int decoders =
        DecodeGroupKey(key).has_value() + DecodeShardStateKey(key).has_value() +
        DecodePartitionKey(key).has_value() + DecodeStreamKey(key).has_value() +
        DecodeBlockKey(key).has_value() + DecodeTimeKey(key).has_value() +
        DecodeProducerKey(key).has_value() +
        DecodeItemTableKey(key).has_value();
    EXPECT_EQ(decoders, key.size() == 1 ? 0 : 1);
    for (const std::string& other :
         {key + "x", key.substr(0, key.size() - 1)}) {
      EXPECT_FALSE(DecodeGroupKey(other) || DecodeShardStateKey(other) ||
                   DecodePartitionKey(other) || DecodeStreamKey(other) ||
                   DecodeBlockKey(other) || DecodeTimeKey(other) ||
                   DecodeProducerKey(other) || DecodeItemTableKey(other));
    }
  }
}

TEST(KeysTest, KeysOfItemsSortByTableAndTheirOwnBytes) {
  const std::string key = ItemKey({7, "leases"});
  ASSERT_TRUE(DecodeItemKey(key).has_value());
  EXPECT_EQ(DecodeItemKey(key)->table, 7u);
  EXPECT_EQ(DecodeItemKey(key)->key, "leases");
  EXPECT_FALSE(DecodeItemKey(key.substr(0, 8)).has_value());
  EXPECT_FALSE(DecodeItemKey(ItemTableKey(7).view()).has_value());
  EXPECT_LT(key, ItemKey({7, "leasf"}));
  EXPECT_LT(ItemKey({7, "\xff"}), ItemKey({256, ""}));
}

TEST(KeysTest, PartitionNamesRoundTrip) {
  EXPECT_EQ(PartitionName({RetentionClass::kDay, 17}), "part-day-17");
  for (const auto retention :
       {RetentionClass::kDay, RetentionClass::kWeek, RetentionClass::kYear}) {
    const auto id = ParsePartitionName(PartitionName({retention, 123}));
    ASSERT_TRUE(id.has_value());
    EXPECT_EQ(id->retention, retention);
    EXPECT_EQ(id->number, 123u);
  }
  for (const char* name : {"", "default", "part-day-", "part-hour-1", "part"})
    EXPECT_FALSE(ParsePartitionName(name).has_value()) << name;
}

}  // namespace
}  // namespace trireme
