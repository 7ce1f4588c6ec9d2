#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli_fixture.h"

namespace trireme::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(CliTest, ShardsAreSplitMergedAndCounted) {
  MakeStream(2);
  ASSERT_EQ(Run({"shard", "split", "s", "0", "--new-starting-hash-key", "77"}),
            kExitOk);
  EXPECT_EQ(out_, "stream s is UPDATING\n");
  // In the middle, if nothing else is said.
  ASSERT_EQ(Run({"shard", "split", "s", "shardId-000000000001", "--wait"}),
            kExitOk);
  EXPECT_EQ(out_, "stream s is ACTIVE\n");
  ASSERT_EQ(Run({"shard", "merge", "s", "0", "1"}), kExitOk);
  ASSERT_EQ(Run({"stream", "update-shard-count", "s", "--target", "4",
                 "--output", "json"}),
            kExitOk);
  EXPECT_EQ(Json::parse(out_), (Json{{"StreamName", "s"},
                                     {"StreamStatus", "UPDATING"},
                                     {"CurrentShardCount", 2},
                                     {"TargetShardCount", 4}}));
  EXPECT_THAT(
      fake_.reshards(),
      ElementsAre(
          R"(stream_name: "s" shard_to_split: "shardId-000000000000" )"
          R"(new_starting_hash_key: "77")",
          AllOf(HasSubstr(R"(shard_to_split: "shardId-000000000001")"),
                HasSubstr(R"(new_starting_hash_key: "2552117751907038)")),
          AllOf(
              HasSubstr(R"(shard_to_merge: "shardId-000000000000")"),
              HasSubstr(R"(adjacent_shard_to_merge: "shardId-000000000001")")),
          R"(stream_name: "s" target_shard_count: 4)"));
  EXPECT_EQ(Run({"shard", "split", "none", "0"}), kExitNotFound);
}

}  // namespace
}  // namespace trireme::cli
