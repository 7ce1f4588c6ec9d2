#include "storage/stream_name.h"

#include "gtest/gtest.h"
#include "storage/errors.h"

namespace trireme {
namespace {

TEST(StreamNameTest, TakesWhatTheServiceTakes) {
  for (const std::string& text :
       {std::string("a"), std::string("My_stream.v2-x"),
        std::string(128, 'z')}) {
    const auto name = StreamName::Parse(text);
    ASSERT_TRUE(name.ok()) << text;
    EXPECT_EQ(name->value(), text);
  }
}

TEST(StreamNameTest, RefusesInTheServicesWords) {
  const auto bad = StreamName::Parse("a/b");
  EXPECT_EQ(ReasonOf(bad.status()), ErrorReason::kValidation);
  EXPECT_EQ(bad.status().message(),
            "1 validation error detected: Value 'a/b' at 'streamName' failed "
            "to satisfy constraint: Member must satisfy regular expression "
            "pattern: [a-zA-Z0-9_.-]+");
  EXPECT_EQ(StreamName::Parse("").status().message(),
            "2 validation errors detected: Value '' at 'streamName' failed to "
            "satisfy constraint: Member must satisfy regular expression "
            "pattern: [a-zA-Z0-9_.-]+; Value '' at 'streamName' failed to "
            "satisfy constraint: Member must have length greater than or equal "
            "to 1");
  const std::string long_name(129, 'a');
  EXPECT_EQ(StreamName::Parse(long_name).status().message(),
            "1 validation error detected: Value '" + long_name +
                "' at 'streamName' failed to satisfy constraint: Member must "
                "have length less than or equal to 128");
}

TEST(ShardIdTest, AllSpellingsMeanTheSameShard) {
  EXPECT_EQ(ShardIdToString(ShardIndex(7)), "shardId-000000000007");
  for (const char* text :
       {"shardId-000000000007", "shardId-7", "7", "000000000007"}) {
    const auto shard = ParseShardId(text);
    ASSERT_TRUE(shard.ok()) << text;
    EXPECT_EQ(*shard, ShardIndex(7));
  }
  EXPECT_EQ(*ParseShardId(ShardIdToString(ShardIndex(0x7fffffff))),
            ShardIndex(0x7fffffff));
}

TEST(ShardIdTest, TellsBadCharactersFromUnknownShards) {
  EXPECT_EQ(ReasonOf(ParseShardId("shard/1").status()),
            ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(ParseShardId("").status()), ErrorReason::kValidation);
  for (const char* text : {"shardId-", "ShardId-1", "shardId-x", "-1", "1x",
                           "shardId-0000000000001", "2147483648"}) {
    EXPECT_EQ(ReasonOf(ParseShardId(text).status()),
              ErrorReason::kResourceNotFound)
        << text;
  }
}

}  // namespace
}  // namespace trireme
