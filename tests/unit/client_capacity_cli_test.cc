#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/cli_fixture.h"

namespace trireme::cli {
namespace {

using ::testing::HasSubstr;

TEST_F(CliTest, AnOnDemandStreamIsCreated) {
  ASSERT_EQ(
      Run({"stream", "create", "s", "--stream-mode", "ON_DEMAND",
           "--record-distribution-strategy", "AUTO", "--warm-throughput-mibps",
           "100", "--max-record-size-in-kib", "2048"}),
      kExitOk)
      << err_;
  EXPECT_EQ(fake_.request(),
            R"(stream_name: "s" max_record_size_in_kib: 2048 )"
            R"(stream_mode_details { stream_mode: ON_DEMAND } )"
            R"(warm_throughput_mibps: 100 )"
            R"(record_distribution_strategy: AUTO)");
  EXPECT_EQ(Run({"stream", "create", "t", "--stream-mode", "FAST"}),
            kExitUsage);
  EXPECT_EQ(Run({"stream", "create", "t", "--stream-mode", "ON_DEMAND",
                 "--shards", "4"}),
            kExitUsage);
  EXPECT_THAT(err_, HasSubstr("--shards is for PROVISIONED streams"));
}

TEST_F(CliTest, AModeIsChangedAndShown) {
  MakeStream();
  ASSERT_EQ(Run({"stream", "update-stream-mode", "s", "--stream-mode",
                 "ON_DEMAND", "--wait"}),
            kExitOk);
  EXPECT_EQ(out_, "stream s is ACTIVE\n");
  EXPECT_EQ(fake_.request(),
            R"(stream_name: "s" stream_mode_details { stream_mode: )"
            R"(ON_DEMAND })");
  ASSERT_EQ(Run({"stream", "describe", "s"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("ON_DEMAND"));
  ASSERT_EQ(Run({"stream", "describe-stream-summary", "s", "--output", "json"}),
            kExitOk);
  const Json summary = Json::parse(out_)["StreamDescriptionSummary"];
  EXPECT_EQ(summary["StreamModeDetails"]["StreamMode"], "ON_DEMAND");
  EXPECT_EQ(summary["StreamId"], "00000000000000000001-000");
  EXPECT_EQ(Run({"stream", "describe-stream-summary", "s"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("00000000000000000001-000"));
  EXPECT_EQ(Run({"stream", "update-stream-mode", "s"}), kExitUsage);
}

TEST_F(CliTest, WarmThroughputAndDistributionAreSet) {
  MakeStream();
  ASSERT_EQ(Run({"stream", "update-stream-warm-throughput", "s",
                 "--warm-throughput-mibps", "50", "--output", "json"}),
            kExitOk);
  const Json warm{{"TargetMiBps", 50}, {"CurrentMiBps", 0}};
  EXPECT_EQ(Json::parse(out_)["WarmThroughput"], warm);
  EXPECT_EQ(Run({"stream", "update-stream-warm-throughput", "s",
                 "--warm-throughput-mibps", "10241"}),
            kExitUsage);
  ASSERT_EQ(Run({"stream", "update-stream-record-distribution-strategy", "s",
                 "--record-distribution-strategy", "AUTO"}),
            kExitOk);
  EXPECT_EQ(fake_.request(),
            R"(stream_name: "s" record_distribution_strategy: AUTO)");
  EXPECT_EQ(out_, "the record distribution strategy of stream s is AUTO\n");
}

TEST_F(CliTest, ARecordIsPutWithoutAKey) {
  MakeStream(1);
  ASSERT_EQ(Run({"put", "s", "--no-key", "--data", "d"}), kExitOk) << err_;
  EXPECT_EQ(Run({"put", "s", "--no-key", "--lines", "-"}, "a\n"), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("strategy is not AUTO"));
  ASSERT_EQ(Run({"stream", "update-stream-record-distribution-strategy", "s",
                 "--record-distribution-strategy", "AUTO"}),
            kExitOk);
  ASSERT_EQ(Run({"put", "s", "--no-key", "--lines", "-"}, "a\nb\n"), kExitOk)
      << err_;
  ASSERT_EQ(fake_.records("s").size(), 3u);
  for (const v1::Record& record : fake_.records("s")) {
    EXPECT_EQ(record.partition_key(), "");
  }
  ASSERT_EQ(Run({"get", "s", "--output", "json"}), kExitOk);
  EXPECT_THAT(out_, ::testing::Not(HasSubstr("PartitionKey")));
  EXPECT_EQ(Run({"put", "s", "--no-key", "--key", "k", "--data", "d"}),
            kExitUsage);
  EXPECT_EQ(Run({"put", "s", "--data", "d"}), kExitUsage);
}

TEST_F(CliTest, ADryRunSaysWhetherThePutWouldSucceed) {
  MakeStream(1);
  fake_.FailNext("PutRecord",
                 trireme::testing::TypedError(
                     grpc::StatusCode::FAILED_PRECONDITION,
                     "DryRunOperationException", "would have succeeded"));
  ASSERT_EQ(Run({"put", "s", "--key", "k", "--data", "d", "--dry-run"}),
            kExitOk);
  EXPECT_EQ(out_, "the put would succeed; nothing is put\n");
  EXPECT_EQ(fake_.calls("PutRecord"), 1);
  EXPECT_EQ(Run({"put", "none", "--key", "k", "--data", "d", "--dry-run"}),
            kExitNotFound);
}

TEST_F(CliTest, ScalingDecisionsAreShown) {
  MakeStream();
  ASSERT_EQ(Run({"stream", "list-scaling-decisions", "s"}), kExitOk);
  EXPECT_THAT(out_, ::testing::HasSubstr("SPLIT_SHARD"));
  EXPECT_THAT(out_, ::testing::HasSubstr("2023-11-14"));
  ASSERT_EQ(Run({"stream", "list-scaling-decisions", "s", "--output", "json"}),
            kExitOk);
  const Json decision = Json::parse(out_)["ScalingDecisions"][0];
  EXPECT_EQ(decision["ShardIds"], (Json{"shardId-000000000000"}));
  EXPECT_EQ(decision["Reason"], "hot");
  EXPECT_EQ(Run({"stream", "list-scaling-decisions", "none"}), kExitNotFound);
}

}  // namespace
}  // namespace trireme::cli
