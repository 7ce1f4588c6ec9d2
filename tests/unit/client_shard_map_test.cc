#include <gtest/gtest.h>

#include <vector>

#include "client/shard_map.h"

namespace trireme::client {
namespace {

v1::Shard Shard(const std::string& start, const std::string& end,
                uint32_t group) {
  v1::Shard shard;
  shard.mutable_hash_key_range()->set_starting_hash_key(start);
  shard.mutable_hash_key_range()->set_ending_hash_key(end);
  shard.set_replication_group(group);
  return shard;
}

ShardMap MapOf(const std::vector<v1::Shard>& shards) {
  v1::ListShardsResponse listed;
  listed.mutable_shards()->Assign(shards.begin(), shards.end());
  return ShardMap(listed);
}

// The three shards of kinesis-contract.md §2.1.
ShardMap ThreeShards() {
  return MapOf({Shard("0", "113427455640312821154458202477256070484", 4),
                Shard("113427455640312821154458202477256070485",
                      "226854911280625642308916404954512140969", 5),
                Shard("226854911280625642308916404954512140970",
                      "340282366920938463463374607431768211455", 6)});
}

TEST(ShardMapTest, AKeyBelongsWhereItsMd5Falls) {
  const ShardMap map = ThreeShards();
  // 16955237001963240173058271559858726497, 12707736894140473154801792860916-
  // 528374 and 159499196025307651934328298402289840726.
  EXPECT_EQ(map.GroupOf("a", ""), 4u);
  EXPECT_EQ(map.GroupOf("test", ""), 4u);
  EXPECT_EQ(map.GroupOf("partitionKey-1", ""), 5u);
}

TEST(ShardMapTest, AnExplicitHashKeyTakesThePlaceOfTheMd5) {
  const ShardMap map = ThreeShards();
  EXPECT_EQ(map.GroupOf("a", "0"), 4u);
  EXPECT_EQ(map.GroupOf("a", "113427455640312821154458202477256070484"), 4u);
  EXPECT_EQ(map.GroupOf("a", "113427455640312821154458202477256070485"), 5u);
  EXPECT_EQ(map.GroupOf("a", "340282366920938463463374607431768211455"), 6u);
}

TEST(ShardMapTest, WhatNoOpenShardHasBelongsNowhere) {
  const ShardMap map = ThreeShards();
  EXPECT_EQ(map.GroupOf("a", "340282366920938463463374607431768211456"),
            std::nullopt);
  EXPECT_EQ(map.GroupOf("a", "x"), std::nullopt);
  EXPECT_EQ(MapOf({}).GroupOf("a", ""), std::nullopt);
  EXPECT_EQ(MapOf({Shard("5", "9", 1)}).GroupOf("a", "4"), std::nullopt);
  EXPECT_EQ(MapOf({Shard("5", "9", 1)}).GroupOf("a", "10"), std::nullopt);
}

TEST(ShardMapTest, AClosedShardsRangeIsItsChildrens) {
  v1::Shard parent = Shard("0", "340282366920938463463374607431768211455", 1);
  parent.mutable_sequence_number_range()->set_ending_sequence_number("9");
  const ShardMap map =
      MapOf({parent, Shard("0", "99", 2),
             Shard("100", "340282366920938463463374607431768211455", 3)});
  EXPECT_EQ(map.GroupOf("a", "99"), 2u);
  EXPECT_EQ(map.GroupOf("a", "100"), 3u);
}

TEST(ShardMapTest, TellsTheShardOfAKeyAndTheRangeOfAnyShard) {
  v1::Shard parent = Shard("0", "9", 1);
  parent.set_shard_id("parent");
  parent.mutable_sequence_number_range()->set_ending_sequence_number("9");
  v1::Shard child = Shard("5", "9", 2);
  child.set_shard_id("child");
  const ShardMap map = MapOf({parent, child});
  EXPECT_EQ(map.ShardOf(4), nullptr);
  ASSERT_NE(map.ShardOf(5), nullptr);
  EXPECT_EQ(map.ShardOf(5)->id, "child");
  EXPECT_EQ(map.RangeOf("parent"), (HashKeyRange{0, 9}));
  EXPECT_EQ(map.RangeOf("child"), (HashKeyRange{5, 9}));
  EXPECT_EQ(map.RangeOf("other"), std::nullopt);
}

}  // namespace
}  // namespace trireme::client
