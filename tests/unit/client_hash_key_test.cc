#include <gtest/gtest.h>

#include "client/hash_key.h"

namespace trireme::client {
namespace {

constexpr char kGreatest[] = "340282366920938463463374607431768211455";

TEST(HashKeyTest, IsTheMd5OfThePartitionKeyUnlessOneIsGiven) {
  // MD5("a") is 0cc175b9c0f1b6a831c399e269772661.
  EXPECT_EQ(HashKeyText(*HashKeyOf("a", "")),
            "16955237001963240173058271559858726497");
  EXPECT_EQ(HashKeyOf("a", "7"), HashKey(7));
  EXPECT_EQ(HashKeyOf("a", "x"), std::nullopt);
}

TEST(HashKeyTest, ReadsWhatTheServiceTakesAndNothingElse) {
  EXPECT_EQ(ParseHashKey("0"), HashKey(0));
  EXPECT_EQ(ParseHashKey(kGreatest), absl::Uint128Max());
  EXPECT_EQ(HashKeyText(absl::Uint128Max()), kGreatest);
  EXPECT_EQ(HashKeyText(0), "0");
  for (const char* text : {"", " 1", "1 ", "+1", "-1", "01", "00", "1.0", "0x1",
                           "340282366920938463463374607431768211456"}) {
    EXPECT_EQ(ParseHashKey(text), std::nullopt) << text;
  }
}

TEST(HashKeyTest, ARangeContainsBothItsEnds) {
  v1::HashKeyRange described;
  described.set_starting_hash_key("5");
  described.set_ending_hash_key("7");
  const auto range = ParseHashKeyRange(described);
  ASSERT_TRUE(range.has_value());
  EXPECT_FALSE(range->Contains(4));
  EXPECT_TRUE(range->Contains(5));
  EXPECT_TRUE(range->Contains(7));
  EXPECT_FALSE(range->Contains(8));
  described.set_ending_hash_key("");
  EXPECT_EQ(ParseHashKeyRange(described), std::nullopt);
}

}  // namespace
}  // namespace trireme::client
