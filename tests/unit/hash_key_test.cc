#include "storage/hash_key.h"

#include <random>

#include "gtest/gtest.h"
#include "storage/errors.h"

namespace trireme {
namespace {

constexpr char kMax[] = "340282366920938463463374607431768211455";

TEST(HashKeyTest, PartitionKeysHashAsTheContractSays) {
  EXPECT_EQ(HashKeyToString(HashPartitionKey("a")),
            "16955237001963240173058271559858726497");
  EXPECT_EQ(HashKeyToString(HashPartitionKey("test")),
            "12707736894140473154801792860916528374");
  EXPECT_EQ(HashKeyToString(HashPartitionKey("partitionKey-1")),
            "159499196025307651934328298402289840726");
}

TEST(HashKeyTest, ThreeShardsDivideTheSpaceAsTheContractSays) {
  const auto ranges = DivideHashKeySpace(3);
  ASSERT_EQ(ranges.size(), 3u);
  EXPECT_EQ(HashKeyToString(ranges[0].start), "0");
  EXPECT_EQ(HashKeyToString(ranges[0].end),
            "113427455640312821154458202477256070484");
  EXPECT_EQ(HashKeyToString(ranges[1].start),
            "113427455640312821154458202477256070485");
  EXPECT_EQ(HashKeyToString(ranges[1].end),
            "226854911280625642308916404954512140969");
  EXPECT_EQ(HashKeyToString(ranges[2].start),
            "226854911280625642308916404954512140970");
  EXPECT_EQ(HashKeyToString(ranges[2].end), kMax);
}

TEST(HashKeyTest, FourShardsStartAtExactQuarters) {
  const auto ranges = DivideHashKeySpace(4);
  EXPECT_EQ(HashKeyToString(ranges[1].start),
            "85070591730234615865843651857942052864");
  EXPECT_EQ(HashKeyToString(ranges[2].start),
            "170141183460469231731687303715884105728");
  EXPECT_EQ(HashKeyToString(ranges[3].start),
            "255211775190703847597530955573826158592");
}

TEST(HashKeyTest, AnyNumberOfShardsCoversTheSpaceWithoutGaps) {
  for (const uint32_t count : {1u, 2u, 3u, 7u, 10u, 1000u, 65536u}) {
    const auto ranges = DivideHashKeySpace(count);
    ASSERT_EQ(ranges.size(), count);
    EXPECT_EQ(ranges.front().start, HashKey{0});
    EXPECT_EQ(ranges.back().end, absl::Uint128Max());
    for (uint32_t i = 1; i < count; ++i)
      ASSERT_EQ(ranges[i - 1].end + 1, ranges[i].start) << count;
  }
}

TEST(HashKeyTest, ExplicitKeysRoundTrip) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 10'000; ++i) {
    // Shifted so that numbers of every length come up.
    const HashKey key = absl::MakeUint128(random(), random()) >>
                        static_cast<int>(random() % 128);
    const auto parsed = ParseExplicitHashKey(HashKeyToString(key));
    ASSERT_TRUE(parsed.ok()) << HashKeyToString(key);
    ASSERT_EQ(*parsed, key);
  }
  EXPECT_EQ(*ParseExplicitHashKey("0"), HashKey{0});
  EXPECT_EQ(*ParseExplicitHashKey(kMax), absl::Uint128Max());
}

TEST(HashKeyTest, ZerosInTheMiddleArePrinted) {
  for (const char* text :
       {"10000000000000000000", "100000000000000000000000000000000000000",
        "10000000000000000000000000000000000001"}) {
    EXPECT_EQ(HashKeyToString(*ParseExplicitHashKey(text)), text);
  }
}

TEST(HashKeyTest, RefusesWhatIsNoNumberOfTheSpace) {
  for (const char* text : {"", "-1", "+1", "01", "1a", " 1", "0x1",
                           "340282366920938463463374607431768211456",
                           "999999999999999999999999999999999999999",
                           "1000000000000000000000000000000000000000"}) {
    const auto parsed = ParseExplicitHashKey(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(ReasonOf(parsed.status()), ErrorReason::kInvalidArgument);
  }
  EXPECT_EQ(ParseExplicitHashKey("-1").status().message(),
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: "
            "[0, 2^128-1]. Specified value was -1");
}

}  // namespace
}  // namespace trireme
