#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli_fixture.h"

namespace trireme::cli {
namespace {

using ::testing::HasSubstr;

TEST_F(CliTest, TagsAreAddedListedAndRemoved) {
  MakeStream();
  ASSERT_EQ(Run({"stream", "add-tags", "s", "team=a=b", "empty="}), kExitOk);
  EXPECT_EQ(out_, "stream s has 2 tags added or changed\n");
  ASSERT_EQ(Run({"stream", "list-tags", "s"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("team   a=b"));
  ASSERT_EQ(Run({"stream", "remove-tags", "s", "team", "none"}), kExitOk);
  ASSERT_EQ(Run({"stream", "list-tags", "s", "--output", "json"}), kExitOk);
  EXPECT_EQ(Json::parse(out_),
            Json::parse(R"({"Tags": [{"Key": "empty", "Value": ""}],
                            "HasMoreTags": false})"));
  EXPECT_EQ(Run({"stream", "add-tags", "none", "k=v"}), kExitNotFound);
  EXPECT_EQ(Run({"stream", "add-tags", "s"}), kExitUsage);
}

TEST_F(CliTest, TheLargestRecordIsSet) {
  MakeStream();
  ASSERT_EQ(Run({"stream", "update-max-record-size", "s", "--kib", "4096",
                 "--output", "json"}),
            kExitOk);
  EXPECT_EQ(Json::parse(out_),
            (Json{{"StreamName", "s"}, {"MaxRecordSizeInKiB", 4096}}));
  EXPECT_EQ(fake_.calls("UpdateMaxRecordSize"), 1);
  EXPECT_EQ(Run({"stream", "update-max-record-size", "s", "--kib", "1023"}),
            kExitUsage);
}

TEST_F(CliTest, ShardsAreFiltered) {
  MakeStream();
  const std::vector<std::pair<std::string, std::string>> filters = {
      {"at-latest", "type: AT_LATEST"},
      {"after-shard-id=0", R"(type: AFTER_SHARD_ID shard_id: "0")"},
      {"from-timestamp=@1700000000",
       "type: FROM_TIMESTAMP timestamp { seconds: 1700000000 }"}};
  for (const auto& [option, sent] : filters) {
    EXPECT_EQ(Run({"shard", "list", "s", "--filter", option}), kExitOk) << err_;
    EXPECT_EQ(fake_.shard_filter(), sent);
  }
  for (const char* option : {"latest", "at-latest=1", "at-timestamp",
                             "at-timestamp=latest", "type-unspecified"}) {
    EXPECT_EQ(Run({"shard", "list", "s", "--filter", option}), kExitUsage);
    EXPECT_THAT(err_, HasSubstr("--filter: ")) << option;
  }
  EXPECT_EQ(Run({"shard", "list", "s"}), kExitOk);
  EXPECT_EQ(fake_.shard_filter(), "");
}

TEST_F(CliTest, ShardsOfOneCreationAreListed) {
  MakeStream();
  ASSERT_EQ(Run({"shard", "list", "s", "--stream-creation-timestamp",
                 "2023-11-14T22:13:20Z"}),
            kExitOk)
      << err_;
  EXPECT_EQ(fake_.request(),
            R"(stream_name: "s" stream_creation_timestamp { seconds: )"
            R"(1700000000 })");
  EXPECT_EQ(Run({"shard", "list", "s", "--stream-creation-timestamp", "soon"}),
            kExitUsage);
}

TEST_F(CliTest, AStreamIsCreatedWithTags) {
  ASSERT_EQ(Run({"stream", "create", "s", "--tags", "team=a", "env=prod"}),
            kExitOk)
      << err_;
  ASSERT_EQ(Run({"stream", "list-tags", "s", "--output", "json"}), kExitOk);
  EXPECT_EQ(Json::parse(out_)["Tags"].size(), 2u);
}

TEST_F(CliTest, MonitoringIsEnabledAndDisabled) {
  MakeStream();
  ASSERT_EQ(Run({"stream", "enable-enhanced-monitoring", "s",
                 "--shard-level-metrics", "IncomingBytes", "OutgoingBytes"}),
            kExitOk);
  EXPECT_EQ(out_, "shards of stream s report IncomingBytes, OutgoingBytes\n");
  ASSERT_EQ(Run({"stream", "describe", "s"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("IncomingBytes, OutgoingBytes"));
  ASSERT_EQ(Run({"stream", "disable-enhanced-monitoring", "s",
                 "--shard-level-metrics", "ALL", "--output", "json"}),
            kExitOk);
  EXPECT_EQ(Json::parse(out_)["CurrentShardLevelMetrics"], Json({"ALL"}));
  EXPECT_EQ(Json::parse(out_)["DesiredShardLevelMetrics"], Json::array());
  EXPECT_EQ(Run({"stream", "enable-enhanced-monitoring", "s"}), kExitUsage);
}

TEST_F(CliTest, EncryptionIsStartedAndStopped) {
  MakeStream();
  ASSERT_EQ(
      Run({"stream", "start-stream-encryption", "s", "--key-id", "alias/k"}),
      kExitOk);
  EXPECT_EQ(out_, "stream s is UPDATING\n");
  EXPECT_EQ(fake_.request(),
            R"(stream_name: "s" encryption_type: KMS key_id: "alias/k")");
  ASSERT_EQ(Run({"stream", "describe", "s", "--output", "json"}), kExitOk);
  EXPECT_EQ(Json::parse(out_)["StreamDescription"]["EncryptionType"], "KMS");
  EXPECT_EQ(Json::parse(out_)["StreamDescription"]["KeyId"], "alias/k");
  ASSERT_EQ(Run({"stream", "stop-stream-encryption", "s", "--key-id", "alias/k",
                 "--wait", "--output", "json"}),
            kExitOk);
  EXPECT_EQ(Json::parse(out_), (Json{{"StreamName", "s"},
                                     {"StreamStatus", "ACTIVE"},
                                     {"EncryptionType", "NONE"}}));
  EXPECT_EQ(Run({"stream", "start-stream-encryption", "s"}), kExitUsage);
}

TEST_F(CliTest, TheAccountIsShownAndChanged) {
  ASSERT_EQ(Run({"account", "describe-account-settings"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("DISABLED"));
  ASSERT_EQ(Run({"account", "update-account-settings",
                 "--minimum-throughput-billing-commitment", "ENABLED",
                 "--output", "json"}),
            kExitOk);
  const Json expected{{"Status", "ENABLED"},
                      {"StartedAt", "2023-11-14T22:13:20.000Z"}};
  EXPECT_EQ(Json::parse(out_)["MinimumThroughputBillingCommitment"], expected);
  EXPECT_EQ(Run({"account", "update-account-settings",
                 "--minimum-throughput-billing-commitment", "MAYBE"}),
            kExitUsage);
}

TEST_F(CliTest, LimitsAreShown) {
  MakeStream(3);
  ASSERT_EQ(Run({"stream", "describe-limits"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("open shards"));
  ASSERT_EQ(Run({"stream", "describe-limits", "--output", "json"}), kExitOk);
  EXPECT_EQ(Json::parse(out_), (Json{{"ShardLimit", 10'000},
                                     {"OpenShardCount", 3},
                                     {"OnDemandStreamCount", 0},
                                     {"OnDemandStreamCountLimit", 50}}));
}

}  // namespace
}  // namespace trireme::cli
