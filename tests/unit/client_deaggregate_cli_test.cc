// trireme put --aggregate and --compress, get and tail --deaggregate.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "client/aggregation.h"
#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "client/compression.h"
#include "tests/unit/cli_fixture.h"

namespace trireme::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// "line 0 of key"... with their line feeds.
std::string Lines(int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) absl::StrAppend(&lines, "line ", i, "\n");
  return lines;
}

std::string DataOf(const Json& record) {
  std::string data;
  absl::Base64Unescape(record["Data"].get<std::string>(), &data);
  return data;
}

TEST_F(CliTest, LinesAreAggregatedAndCompressedWhenAsked) {
  MakeStream(1);
  const std::string path = TemporaryFile(Lines(1000));
  ASSERT_EQ(Run({"put", "s", "--lines", path, "--key", "k", "--aggregate",
                 "--compress"}),
            kExitOk)
      << err_;
  EXPECT_THAT(out_, HasSubstr("1,000 records"));
  ASSERT_LT(fake_.records("s").size(), 10u);
  EXPECT_TRUE(client::MayBeCompressed(fake_.records("s")[0].data()));

  ASSERT_EQ(Run({"get", "s"}), kExitOk);
  EXPECT_THAT(out_, Not(HasSubstr("line 7\n")));
  ASSERT_EQ(Run({"get", "s", "--deaggregate"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr(":7  k             line 7\n"));

  ASSERT_EQ(Run({"--output", "json", "get", "s", "--deaggregate", "--shard",
                 "0", "--limit", "900"}),
            kExitOk)
      << err_;
  const auto lines = JsonLines();
  ASSERT_EQ(lines.size(), 900u);
  EXPECT_EQ(lines[5]["SubSequenceNumber"], 5);
  EXPECT_EQ(lines[5]["PartitionKey"], "k");
  for (int i = 0; i < 900; ++i) {
    EXPECT_EQ(DataOf(lines[i]), absl::StrCat("line ", i));
  }
}

TEST_F(CliTest, TailDeaggregatesBeforeAndAfterASplit) {
  MakeStream(1);
  const std::string path = TemporaryFile(Lines(100));
  ASSERT_EQ(Run({"put", "s", "--lines", path, "--aggregate"}), kExitOk);
  fake_.SplitShard("s", "shardId-000000000000");
  ASSERT_EQ(Run({"put", "s", "--lines", path, "--aggregate"}), kExitOk);
  ASSERT_EQ(Run({"--output", "json", "tail", "s", "--from", "trim-horizon",
                 "--deaggregate", "--limit", "200"}),
            kExitOk);
  EXPECT_EQ(JsonLines().size(), 200u);
}

// There records are put into any shard, whatever their keys.
TEST_F(CliTest, NothingIsLeftOutOfAStreamThatDoesNotGoByHashKeys) {
  MakeStream(1);
  fake_.SplitShard("s", "shardId-000000000000");
  fake_.SetIgnoringHashKeys(true);
  client::Aggregate aggregate;
  for (const char* hash_key : {"0", "340282366920938463463374607431768211455"})
    aggregate.Add({"k", "x", hash_key});
  ASSERT_EQ(Run({"put", "s", "--key", "a", "--data", aggregate.Encode()}),
            kExitOk)
      << err_;
  ASSERT_EQ(Run({"--output", "json", "get", "s", "--deaggregate"}), kExitOk);
  EXPECT_EQ(JsonLines().size(), 0u);
  ASSERT_EQ(Run({"stream", "update-stream-record-distribution-strategy", "s",
                 "--record-distribution-strategy", "AUTO"}),
            kExitOk);
  ASSERT_EQ(Run({"--output", "json", "get", "s", "--deaggregate"}), kExitOk);
  EXPECT_EQ(JsonLines().size(), 2u);
  ASSERT_EQ(Run({"--output", "json", "tail", "s", "--from", "trim-horizon",
                 "--deaggregate", "--limit", "2"}),
            kExitOk);
  EXPECT_EQ(JsonLines().size(), 2u);
}

TEST_F(CliTest, RecordsThatAreNoAggregatesAreShownAsTheyAre) {
  MakeStream(1);
  ASSERT_EQ(Run({"put", "s", "--key", "k", "--data", "plain"}), kExitOk);
  ASSERT_EQ(Run({"--output", "json", "get", "s", "--deaggregate"}), kExitOk);
  const auto lines = JsonLines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(DataOf(lines[0]), "plain");
  EXPECT_FALSE(lines[0].contains("SubSequenceNumber"));
}

TEST_F(CliTest, ARecordThatWouldFillTheMemoryIsShownAsItIs) {
  MakeStream(1);
  // A frame of 64 MiB and one byte, by its header.
  const std::string bomb = "\x28\xB5\x2F\xFD\xA0\x01" + std::string(2, '\0') +
                           "\x04" + std::string(8, 'x');
  ASSERT_EQ(Run({"put", "s", "--lines", "-", "--key", "k"}, bomb), kExitOk);
  ASSERT_EQ(Run({"--output", "json", "get", "s", "--deaggregate"}), kExitOk);
  ASSERT_EQ(JsonLines().size(), 1u);
  EXPECT_EQ(DataOf(JsonLines()[0]), bomb);
  EXPECT_THAT(err_, HasSubstr("when it is decompressed; shown as it is"));
}

TEST_F(CliTest, AggregationIsRefusedWhereItMakesNoSense) {
  MakeStream(1);
  EXPECT_EQ(Run({"put", "s", "--key", "k", "--data", "x", "--aggregate"}),
            kExitUsage);
  EXPECT_EQ(Run({"put", "s", "--lines", "-", "--aggregate", "--no-key"}),
            kExitUsage);
  ASSERT_EQ(Run({"stream", "update-stream-record-distribution-strategy", "s",
                 "--record-distribution-strategy", "AUTO"}),
            kExitOk)
      << err_;
  EXPECT_EQ(Run({"put", "s", "--lines", "-", "--aggregate"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("AUTO"));
}

}  // namespace
}  // namespace trireme::cli
