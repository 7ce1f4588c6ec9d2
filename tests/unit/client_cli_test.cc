#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "client/cli/progress.h"
#include "client/cli/table.h"
#include "tests/unit/cli_fixture.h"
#include "tests/unit/fake_trireme.h"

namespace trireme::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using trireme::testing::FakeTrireme;
using trireme::testing::TypedError;

TEST_F(CliTest, EveryCommandHasHelpWithExamples) {
  const std::vector<std::vector<std::string>> commands = {
      {},
      {"stream"},
      {"stream", "create"},
      {"stream", "list"},
      {"stream", "describe"},
      {"stream", "delete"},
      {"shard"},
      {"shard", "list"},
      {"shard", "split"},
      {"shard", "merge"},
      {"stream", "update-shard-count"},
      {"stream", "add-tags"},
      {"stream", "remove-tags"},
      {"stream", "list-tags"},
      {"stream", "update-max-record-size"},
      {"stream", "describe-limits"},
      {"put"},
      {"get"},
      {"tail"},
      {"cluster"},
      {"cluster", "status"},
      {"demo"}};
  for (std::vector<std::string> command : commands) {
    command.push_back("--help");
    EXPECT_EQ(RunAnywhere(command), kExitOk);
    EXPECT_THAT(out_, HasSubstr("Examples:\n  trireme ")) << command[0];
  }
}

TEST_F(CliTest, WrongCommandLinesAreUsageErrors) {
  const std::vector<std::vector<std::string>> commands = {
      {},
      {"frobnicate"},
      {"stream"},
      {"stream", "create"},
      {"stream", "create", "s", "--shards", "0"},
      {"put", "s"},
      {"put", "s", "--data", "x"},
      {"put", "s", "--data", "x", "--lines", "f"},
      {"put", "s", "--key", "k", "--lines", "-", "--key-field", "1"},
      {"put", "s", "--data", "x", "--key", "\xff"},
      {"get", "s", "--limit", "0"},
      {"tail", "s", "--limit", "0"},
      {"tail", "s", "--shard", "foo"},
      {"get", "s", "--shard", "-1"},
      {"stream", "create", "s", "--tags", "team"},
      {"stream", "create", "s", "--tags", "team=a", "team=b"},
      {"get", "s", "--from", "yesterday"},
      {"get", "s", "--from", "123"},
      {"--timeout", "-3s", "stream", "list"},
      {"--output", "yaml", "stream", "list"},
      {"--endpoint", "nowhere", "stream", "list"}};
  for (const auto& command : commands) {
    EXPECT_EQ(RunAnywhere(command), kExitUsage)
        << (command.empty() ? "" : command.back());
    EXPECT_FALSE(err_.empty());
  }
}

TEST_F(CliTest, ALimitOfNothingIsToldWhatToDo) {
  EXPECT_EQ(RunAnywhere({"get", "s", "--limit", "0"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("--limit: must be 1 or more, not 0; leave it out "
                              "for no limit"));
}

TEST_F(CliTest, MessagesNameTheFlagTheValueAndWhatIsAllowed) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"frobnicate"},
       "unknown command `frobnicate`; commands are stream, shard, consumer, "
       "group, consume, resource, account, "
       "put, get, tail, cluster, demo\n"},
      {{"stream", "make", "s"},
       "unknown command `make`; commands of stream are create, list, describe, "
       "delete, update-shard-count, "},
      {{"cluster"}, "a command is missing; commands of cluster are status\n"},
      {{"stream", "create"}, "NAME is required\n"},
      {{"stream", "create", "s", "--shards", "0"},
       "--shards: must be 1 to 10,000, not 0\n"},
      {{"put", "s", "--lines", "-", "--key-field", "0"},
       "--key-field: must be 1 to 2,147,483,647, not 0\n"},
      {{"demo", "--rate", "x"}, "--rate: must be 1 to 100,000, not x\n"},
      {{"put", "s", "--key", "", "--lines", "-"},
       "--key: must have 1 to 256 characters, not 0\n"},
      {{"put", "s", "--lines", "/no/such/file"},
       "cannot read /no/such/file: No such file or directory\n"},
      {{"put", "s", "--lines", "/"}, "cannot read /: Is a directory\n"}};
  for (const auto& [command, message] : cases) {
    EXPECT_EQ(RunAnywhere(command), kExitUsage);
    EXPECT_THAT(err_, HasSubstr(message));
  }
}

TEST_F(CliTest, HelpShowsWhereReadersStart) {
  EXPECT_EQ(RunAnywhere({"get", "--help"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("[default: trim-horizon]"));
  EXPECT_EQ(RunAnywhere({"tail", "--help"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("[default: latest]"));
}

TEST_F(CliTest, ThereIsAVersion) {
  EXPECT_EQ(RunAnywhere({"--version"}), kExitOk);
  EXPECT_THAT(out_, ::testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(CliTest, StreamsAreMadeListedDescribedAndDeleted) {
  ASSERT_EQ(Run({"stream", "create", "orders", "--shards", "3", "--wait"}),
            kExitOk);
  EXPECT_EQ(out_, "stream orders is ACTIVE\n");
  EXPECT_EQ(Run({"stream", "create", "orders"}), kExitFailed);
  EXPECT_THAT(err_, StartsWith("trireme: CreateStream: ResourceInUseException: "
                               "Stream orders already exists. "
                               "(ALREADY_EXISTS)\n  hint: "));
  EXPECT_EQ(Run({"stream", "list"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("orders  ACTIVE  "));
  EXPECT_EQ(Run({"stream", "list", "--output", "json"}), kExitOk);
  EXPECT_EQ(Json::parse(out_)["StreamSummaries"][0]["StreamName"], "orders");
  EXPECT_EQ(Run({"stream", "describe", "orders"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("open shards    3\n"));
  EXPECT_EQ(Run({"--output", "json", "stream", "describe", "orders"}), kExitOk);
  EXPECT_EQ(Json::parse(out_)["StreamDescription"]["Shards"].size(), 3u);
  EXPECT_EQ(Run({"stream", "delete", "orders", "--wait"}), kExitOk);
  EXPECT_EQ(Run({"stream", "describe", "orders"}), kExitNotFound);
  EXPECT_THAT(err_,
              StartsWith("trireme: DescribeStream: ResourceNotFoundException: "
                         "Stream orders not found. (NOT_FOUND)\n"));
}

TEST_F(CliTest, ShardsShowTheirShareOfTheKeys) {
  MakeStream(4);
  fake_.CloseShard("s", "shardId-000000000001", {"shardId-000000000004"});
  ASSERT_EQ(Run({"shard", "list", "s"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("shardId-000000000000  open        1   25.0 %"));
  EXPECT_THAT(out_, HasSubstr("shardId-000000000001  closed      2   25.0 %"));
  ASSERT_EQ(Run({"shard", "list", "s", "--output", "json"}), kExitOk);
  EXPECT_EQ(Json::parse(out_)["Shards"][4]["ParentShardId"],
            "shardId-000000000001");
}

TEST_F(CliTest, ARecordIsPutAndGot) {
  MakeStream();
  ASSERT_EQ(
      Run({"put", "s", "--key", "k", "--data", "hello", "--output", "json"}),
      kExitOk)
      << err_;
  const Json put = Json::parse(out_);
  ASSERT_EQ(Run({"get", "s", "--output", "json"}), kExitOk);
  ASSERT_EQ(JsonLines().size(), 1u);
  const Json got = JsonLines()[0];
  EXPECT_EQ(got["Data"], "aGVsbG8=");
  EXPECT_EQ(got["PartitionKey"], "k");
  EXPECT_EQ(got["ShardId"], put["ShardId"]);
  EXPECT_EQ(got["SequenceNumber"], put["SequenceNumber"]);
  ASSERT_EQ(Run({"get", "s"}), kExitOk);
  EXPECT_THAT(out_, StartsWith("ARRIVED"));
  EXPECT_THAT(out_, HasSubstr("  k             hello\n"));
}

TEST_F(CliTest, TheHashKeyPicksTheShard) {
  MakeStream(4);
  ASSERT_EQ(
      Run({"put", "s", "--key", "k", "--data", "x", "--hash-key",
           "255211775190703847597530955573826158592", "--output", "json"}),
      kExitOk);
  EXPECT_EQ(Json::parse(out_)["ShardId"], "shardId-000000000003");
}

TEST_F(CliTest, GetStartsWhereItIsTold) {
  MakeStream(1);
  std::vector<std::string> numbers;
  for (const char* data : {"a", "b", "c"}) {
    ASSERT_EQ(
        Run({"put", "s", "--key", "k", "--data", data, "--output", "json"}),
        kExitOk);
    numbers.push_back(Json::parse(out_)["SequenceNumber"]);
  }
  const auto get = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"get", "s", "--output", "json"});
    EXPECT_EQ(Run(more), kExitOk) << err_;
    std::string all;
    for (const Json& record : JsonLines()) all += record["Data"];
    return all;
  };
  EXPECT_EQ(get({}), "YQ==Yg==Yw==");
  EXPECT_EQ(get({"--limit", "2"}), "YQ==Yg==");
  EXPECT_EQ(get({"--from", "latest"}), "");
  EXPECT_EQ(get({"--shard", "0", "--from", numbers[1]}), "Yg==Yw==");
  EXPECT_EQ(get({"--shard", "0", "--from", "after:" + numbers[1]}), "Yw==");
  EXPECT_EQ(get({"--from", "1h"}), "YQ==Yg==Yw==");
  EXPECT_EQ(get({"--from", "2000-01-01T00:00:00Z"}), "YQ==Yg==Yw==");
  EXPECT_EQ(Run({"get", "s", "--shard", "7"}), kExitNotFound);
}

TEST_F(CliTest, ErrorsAreJsonForPrograms) {
  EXPECT_EQ(Run({"stream", "describe", "no", "--output", "json"}),
            kExitNotFound);
  const Json error = Json::parse(err_)["Error"];
  EXPECT_EQ(error["Code"], "ResourceNotFoundException");
  EXPECT_EQ(error["Operation"], "DescribeStream");
  EXPECT_THAT(error["Hint"].get<std::string>(), HasSubstr("stream list"));
  EXPECT_EQ(Run({"put", "s", "--data", "x", "--output", "json"}), kExitUsage);
  EXPECT_EQ(Json::parse(err_)["Error"]["Message"], "--key is missing");
}

TEST_F(CliTest, TailEndsWhenNothingComes) {
  MakeStream(1);
  EXPECT_EQ(Run({"tail", "s", "--idle-exit", "100ms"}), kExitOk) << err_;
  EXPECT_EQ(out_, "");
}

TEST_F(CliTest, TailGoesOnWithTheChildrenOfAShard) {
  MakeStream(1);
  ASSERT_EQ(Run({"put", "s", "--key", "k", "--data", "parent"}), kExitOk);
  fake_.CloseShard("s", "shardId-000000000000", {"shardId-000000000001"});
  ASSERT_EQ(Run({"put", "s", "--key", "k", "--data", "child"}), kExitOk);
  ASSERT_EQ(Run({"tail", "s", "--from", "trim-horizon", "--limit", "2"}),
            kExitOk);
  EXPECT_LT(out_.find("parent"), out_.find("child"));
  ASSERT_EQ(Run({"get", "s", "--follow", "--shard", "0"}), kExitOk);
  EXPECT_THAT(out_, Not(HasSubstr("child\n")));
}

// Shard 8 has the parents 1, which ends at once, and 7, a descendant of 0 that
// is reached late.
TEST_F(CliTest, TailWaitsForParentsThatItHasNotReachedYet) {
  const auto id = [](int shard) {
    return absl::StrCat("shardId-00000000000", shard);
  };
  MakeStream(2);
  fake_.CloseShard("s", id(0), {id(2), id(3)});
  fake_.CloseShard("s", id(3), {id(4), id(5)});
  fake_.CloseShard("s", id(5), {id(6), id(7)});
  fake_.CloseShard("s", id(2), {});
  fake_.CloseShard("s", id(4), {});
  fake_.CloseShard("s", id(6), {});
  // To 7, or to 1, which are the open ones.
  ASSERT_EQ(
      Run({"put", "s", "--key", "k", "--hash-key",
           "340282366920938463463374607431768211455", "--data", "before"}),
      kExitOk);
  fake_.MergeShards("s", id(7), id(1), id(8));
  ASSERT_EQ(Run({"put", "s", "--key", "k", "--data", "after"}), kExitOk);
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(Run({"tail", "s", "--from", "trim-horizon", "--limit", "2"}),
              kExitOk);
    ASSERT_NE(out_.find("before"), std::string::npos);
    EXPECT_LT(out_.find("before"), out_.find("after")) << out_;
  }
}

TEST_F(CliTest, TailReportsAStreamThatIsNotThere) {
  EXPECT_EQ(Run({"tail", "no"}), kExitNotFound);
  EXPECT_EQ(Run({"tail", "no", "--shard", "0"}), kExitNotFound);
}

TEST_F(CliTest, CtrlCEndsATailNormally) {
  MakeStream(1);
  int code = -1;
  std::thread tail([&] { code = Run({"tail", "s"}); });
  EXPECT_TRUE(fake_.AwaitCall("SubscribeToShard"));
  interrupt_.Cancel();
  tail.join();
  EXPECT_EQ(code, kExitOk) << err_;
}

TEST_F(CliTest, CtrlCEndsACallThatWaits) {
  fake_.FailNext("ListStreams",
                 TypedError(grpc::StatusCode::UNAVAILABLE, "NoLeader", ""),
                 1 << 20);
  int code = -1;
  std::thread list([&] { code = Run({"stream", "list"}); });
  EXPECT_TRUE(fake_.AwaitCall("ListStreams"));
  interrupt_.Cancel();
  list.join();
  EXPECT_EQ(code, kExitInterrupted);
}

TEST_F(CliTest, ClusterStatusWaitsUntilAllIsHealthy) {
  fake_.SetUnhealthy(true);
  EXPECT_EQ(Run({"cluster", "status", "--wait", "--timeout", "300ms"}),
            kExitFailed);
  EXPECT_GT(fake_.calls("GetClusterStatus"), 1);
  std::thread healer([this, calls = fake_.calls("GetClusterStatus")] {
    while (fake_.calls("GetClusterStatus") == calls) std::this_thread::yield();
    fake_.SetUnhealthy(false);
  });
  EXPECT_EQ(Run({"cluster", "status", "--wait"}), kExitOk);
  healer.join();
}

TEST_F(CliTest, ClusterStatusShowsNodesAndGroups) {
  ASSERT_EQ(Run({"cluster", "status", "--check"}), kExitOk);
  EXPECT_THAT(out_,
              HasSubstr("zone-b     2  " + fake_.address() + "  HEALTHY"));
  EXPECT_THAT(out_, HasSubstr("1d 01:01:01"));
  EXPECT_THAT(out_, HasSubstr("1: -  2: 0  3: 7"));
  fake_.SetUnhealthy(true);
  EXPECT_EQ(Run({"cluster", "status"}), kExitOk);
  EXPECT_EQ(Run({"cluster", "status", "--check"}), kExitFailed);
  EXPECT_THAT(out_, HasSubstr("trouble: node 3 in zone-c is UNREACHABLE, last "
                              "heard of 42.0 s ago\n"));
  EXPECT_THAT(out_, HasSubstr("1: -  2: 0  3: ?")) << "node 3 is dead";
  EXPECT_THAT(out_, HasSubstr("1: ?  2: ?  3: ?")) << "nobody leads";
  EXPECT_THAT(out_, HasSubstr("trouble: group 1 has no leader\n"));
  ASSERT_EQ(Run({"cluster", "status", "--output", "json"}), kExitOk);
  Json status = Json::parse(out_);
  EXPECT_EQ(status["Healthy"], false);
  EXPECT_EQ(status["Groups"][0]["Replicas"][1]["Lag"], 0);
  EXPECT_TRUE(status["Groups"][0]["Replicas"][2]["Lag"].is_null());
}

TEST_F(CliTest, NobodyThereIsUnavailable) {
  fake_.Shutdown();
  const absl::Time start = absl::Now();
  EXPECT_EQ(Run({"stream", "list"}), kExitUnavailable);
  EXPECT_LT(absl::Now() - start, absl::Seconds(3)) << "it refused";
  EXPECT_THAT(err_, HasSubstr("cannot connect to 127.0.0.1:"));
  EXPECT_THAT(err_, HasSubstr("hint: is triremed running there?"));
}

TEST_F(CliTest, TheNextEndpointIsTried) {
  FakeTrireme gone;
  gone.Shutdown();
  EXPECT_EQ(RunAnywhere({"stream", "list", "--endpoint",
                         absl::StrCat(gone.address(), ",", fake_.address())}),
            kExitOk)
      << err_;
  EXPECT_EQ(RunAnywhere({"--endpoint", gone.address(), "--endpoint",
                         fake_.address(), "stream", "list"}),
            kExitOk)
      << err_;
}

TEST_F(CliTest, TheRealProgramWorks) {
  MakeStream(1);
  const auto run = [&](const std::string& arguments) {
    FILE* pipe = popen(absl::StrCat("TRIREME_ENDPOINT=", fake_.address(), " ",
                                    TRIREME_PROGRAM, " ", arguments)
                           .c_str(),
                       "r");
    std::array<char, 4096> buffer;
    out_.clear();
    while (size_t n = fread(buffer.data(), 1, buffer.size(), pipe)) {
      out_.append(buffer.data(), n);
    }
    return WEXITSTATUS(pclose(pipe));
  };
  EXPECT_EQ(run("put s --key k --data 'hello there'"), kExitOk);
  EXPECT_EQ(run("get s"), kExitOk);
  EXPECT_THAT(out_, HasSubstr("hello there\n"));
  EXPECT_EQ(run("get no 2>&1"), kExitNotFound);
  EXPECT_EQ(run("--help"), kExitOk);
  EXPECT_EQ(run("tail s --from trim-horizon --limit 1 --output json"), kExitOk);
  EXPECT_EQ(JsonLines().size(), 1u);
}

TEST(TableTest, AlignsByCharactersAndBoxesOnTerminals) {
  Table table({{"NAME"}, {"N", Align::kRight}});
  table.AddRow({"größe", "7"});
  table.AddRow({"x", "1,000"});
  std::ostringstream plain, boxed;
  table.Print(plain, false);
  table.Print(boxed, true);
  EXPECT_EQ(plain.str(), "NAME       N\ngröße      7\nx      1,000\n");
  EXPECT_THAT(boxed.str(), HasSubstr("│ größe │     7 │\n"));
}

TEST(ProgressTest, IsSilentWithoutATerminal) {
  std::istringstream in;
  std::ostringstream out, err;
  Console console{in, out, err};
  Progress(console, "put", 100).Update(50, "half");
  EXPECT_EQ(err.str(), "");
  console.err_is_terminal = true;
  Progress(console, "put", 100).Update(50, "half");
  EXPECT_THAT(err.str(), HasSubstr(" 50%  half"));
  EXPECT_EQ(Progress::Bar(1, 2, 4), "██░░");
}

TEST(FormatTest, DataIsTextOnlyWhenPrintable) {
  EXPECT_EQ(DataText("größe\t1"), "größe\t1");
  EXPECT_EQ(DataText(""), "");
  EXPECT_EQ(DataText(std::string("\0\x01\x02", 3)), "base64:AAEC");
  EXPECT_EQ(DataText("\x1b[2J"), "base64:G1sySg==");
  EXPECT_EQ(DataText("\xc3"), "base64:ww==");
  EXPECT_EQ(DataText("\xc0\x80"), "base64:wIA=");
  EXPECT_EQ(DataText("\xc2\x9b"), "base64:wps=") << "C1 controls";
}

TEST(FormatTest, NumbersAreReadable) {
  EXPECT_EQ(FormatCount(7), "7");
  EXPECT_EQ(FormatCount(123), "123");
  EXPECT_EQ(FormatCount(1234567), "1,234,567");
  EXPECT_EQ(Counted(1, "record"), "1 record");
  EXPECT_EQ(Counted(1200, "record"), "1,200 records");
  EXPECT_EQ(FormatBytes(1023), "1023 B");
  EXPECT_EQ(FormatBytes(1536), "1.5 KiB");
  EXPECT_EQ(DurationText(absl::Microseconds(1250)), "1.25 ms");
  EXPECT_EQ(ParseShardId("3"), "shardId-000000000003");
  EXPECT_EQ(ParseShardId("shardId-x"), "shardId-x");
}

TEST_F(CliTest, GetReadsManyShardsAtOnceAndPrintsThemInOrder) {
  MakeStream(40);
  fake_.SetPageSizes(100, 100, 2);
  std::string lines;
  for (int i = 0; i < 200; ++i) absl::StrAppend(&lines, i, "\n");
  ASSERT_EQ(Run({"put", "s", "--lines", "-"}, lines), kExitOk);
  fake_.AwaitReadersOfRecords(16);
  ASSERT_EQ(Run({"get", "s", "--output", "json"}), kExitOk) << err_;
  EXPECT_EQ(JsonLines().size(), 200u);
  std::string last;
  for (const Json& record : JsonLines()) {
    const std::string place =
        absl::StrCat(std::string(record["ShardId"]), " ",
                     std::string(record["SequenceNumber"]));
    EXPECT_GT(place, last);
    last = place;
  }
  ASSERT_EQ(Run({"get", "s", "--limit", "7", "--output", "json"}), kExitOk);
  EXPECT_EQ(JsonLines().size(), 7u);
}

TEST_F(CliTest, TailPrintsWhatIsPushedOfAllShards) {
  MakeStream(3);
  ASSERT_EQ(Run({"put", "s", "--lines", "-"}, "a\nb\nc\nd\n"), kExitOk);
  ASSERT_EQ(Run({"tail", "s", "--from", "trim-horizon", "--limit", "4",
                 "--output", "json"}),
            kExitOk)
      << err_;
  EXPECT_EQ(JsonLines().size(), 4u);
}

TEST_F(CliTest, TailTellsAnOutageOnceAndItsEnd) {
  MakeStream(3);
  ASSERT_EQ(Run({"put", "s", "--lines", "-"}, "a\n"), kExitOk);
  fake_.FailNext("SubscribeToShard",
                 TypedError(grpc::StatusCode::UNAVAILABLE, "NoLeader", "none"),
                 7);
  ASSERT_EQ(Run({"tail", "s", "--idle-exit", "2s"}), kExitOk);
  EXPECT_THAT(err_, ::testing::MatchesRegex(
                        "trireme: shardId-[0-9]+: interrupted, trying again: "
                        "none\ntrireme: subscribed again\n"));
}

}  // namespace
}  // namespace trireme::cli
