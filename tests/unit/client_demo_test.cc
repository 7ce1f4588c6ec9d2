#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "client/cli/demo_check.h"
#include "client/cli/demo_input.h"
#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "client/cli/latency.h"
#include "tests/unit/fake_trireme.h"

namespace trireme::cli {
namespace {

using ::testing::HasSubstr;
using trireme::testing::FakeTrireme;

DemoInput Input() {
  DemoInput input;
  input.keys = {{"a", {"1", "2", "3", "2"}}, {"b", {"1", "2"}}};
  input.records = 6;
  return input;
}

Verdict CompareWith(
    const std::vector<std::pair<std::string, std::string>>& came) {
  const DemoInput input = Input();
  Received received;
  for (const auto& [key, line] : came) received.Add("shard", key, line);
  return Compare({&input}, received);
}

TEST(DemoCheckTest, KeysMayInterleave) {
  const Verdict verdict = CompareWith(
      {{"b", "1"}, {"a", "1"}, {"a", "2"}, {"b", "2"}, {"a", "3"}, {"a", "2"}});
  EXPECT_TRUE(verdict.ok());
  EXPECT_EQ(verdict.right, 6u);
}

TEST(DemoCheckTest, ALostLineIsMissing) {
  const Verdict verdict =
      CompareWith({{"b", "1"}, {"b", "2"}, {"a", "1"}, {"a", "2"}, {"a", "3"}});
  EXPECT_FALSE(verdict.ok());
  EXPECT_EQ(verdict.missing, 1u);
  EXPECT_EQ(verdict.right, 5u);
  EXPECT_EQ(verdict.examples[0], "a: missing (1x): 2");
}

TEST(DemoCheckTest, ADuplicateIsFoundAmongEqualLines) {
  const Verdict verdict = CompareWith({{"b", "1"},
                                       {"b", "2"},
                                       {"a", "1"},
                                       {"a", "2"},
                                       {"a", "2"},
                                       {"a", "3"},
                                       {"a", "2"}});
  EXPECT_FALSE(verdict.ok());
  EXPECT_EQ(verdict.unexpected, 1u);
}

TEST(DemoCheckTest, AWrongOrderIsFound) {
  const Verdict verdict = CompareWith(
      {{"b", "2"}, {"b", "1"}, {"a", "1"}, {"a", "2"}, {"a", "3"}, {"a", "2"}});
  EXPECT_FALSE(verdict.ok());
  EXPECT_EQ(verdict.out_of_order, 2u);
  EXPECT_EQ(verdict.right, 4u);
}

TEST(DemoCheckTest, ForeignKeysAndASecondShardAreFound) {
  const DemoInput input = Input();
  Received received;
  for (const char* line : {"1", "2", "3", "2"}) received.Add("x", "a", line);
  received.Add("x", "b", "1");
  received.Add("y", "b", "2");
  received.Add("x", "c", "1");
  const Verdict verdict = Compare({&input}, received);
  EXPECT_EQ(verdict.on_other_shards, 1u);
  EXPECT_EQ(verdict.unexpected, 1u);
  EXPECT_FALSE(verdict.ok());
}

TEST(LatenciesTest, PercentilesAreOfTheSamples) {
  Latencies latencies;
  for (int i = 100; i > 0; --i) latencies.Add(i * 1'000'000);
  EXPECT_EQ(latencies.Percentile(0.5), 50);
  EXPECT_EQ(latencies.Percentile(0.99), 99);
  EXPECT_EQ(latencies.Percentile(1), 100);
  std::ostringstream out;
  latencies.PrintHistogram(out, false);
  EXPECT_THAT(out.str(), HasSubstr("<=    128 ms         36  ####"));
}

class DemoTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = absl::StrCat(
        ::testing::TempDir(), "/demo_test.",
        ::testing::UnitTest::GetInstance()->current_test_info()->name());
    input_ = folder_;
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    for (int file = 0; file < 20; ++file) {
      std::ofstream out(absl::StrCat(folder_, "/package", file, ".md5sums"));
      for (int line = 0; line < 50; ++line) out << "line " << line << "\n";
    }
    std::ofstream(absl::StrCat(folder_, "/not-this.list")) << "x\n";
  }

  int RunDemo(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {
        "--endpoint", fake_.address(), "demo",   "--input", input_,
        "--paced",    paced_,          "--rate", "500"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    std::istringstream in;
    std::ostringstream out, err;
    Console console{in, out, err};
    const int code = RunTrireme(std::move(arguments), console, interrupt_);
    out_ = out.str();
    err_ = err.str();
    const size_t at = err_.find("stream demo-");
    stream_ = at == std::string::npos ? "" : err_.substr(at + 7, 13);
    return code;
  }

  FakeTrireme fake_;
  client::Cancellation interrupt_;
  std::string folder_;
  std::string input_;  // The folder, unless a test sets it.
  std::string paced_ = "100ms";
  std::string out_;
  std::string err_;
  std::string stream_;
};

TEST_F(DemoTest, EveryLineComesBackTwiceAndTheStreamIsDeleted) {
  EXPECT_EQ(RunDemo(), kExitOk) << out_ << err_;
  EXPECT_TRUE(out_.ends_with(
      "demo: 1050 of 1050 records came back exactly once and in order, pushed "
      "and re-read\n"))
      << out_;
  EXPECT_THAT(out_, HasSubstr("at full speed         1,000"));
  EXPECT_THAT(out_, HasSubstr("at a moderate rate       50"));
  // Group 1 has a leader; of the others the cluster says none.
  EXPECT_THAT(out_, HasSubstr("shardId-000000000000  zone-a"));
  EXPECT_THAT(out_, HasSubstr("shardId-000000000001  -"));
  EXPECT_FALSE(fake_.HasStream(stream_));
}

TEST_F(DemoTest, KeepLeavesTheStream) {
  EXPECT_EQ(RunDemo({"--keep", "--output", "json"}), kExitOk);
  EXPECT_TRUE(fake_.HasStream(stream_));
  EXPECT_EQ(Json::parse(out_)["Reread"]["Right"], 1050);
}

TEST_F(DemoTest, LostDuplicatedAndSwappedRecordsFailIt) {
  fake_.SetReadFault(FakeTrireme::Fault::kDuplicate);
  EXPECT_EQ(RunDemo(), kExitFailed);
  EXPECT_THAT(out_, HasSubstr("4 duplicated or unknown"));
  EXPECT_TRUE(out_.ends_with("re-read: FAILED\n")) << out_;
  fake_.SetReadFault(FakeTrireme::Fault::kSwap);
  EXPECT_EQ(RunDemo(), kExitFailed);
  EXPECT_THAT(out_, HasSubstr(" out of order"));
  EXPECT_FALSE(fake_.HasStream(stream_));
}

TEST_F(DemoTest, ThrottlingDoesNotSpoilTheOrder) {
  for (int i = 0; i < 20; ++i) {
    fake_.FailKey(absl::StrCat("package", i),
                  "ProvisionedThroughputExceededException", i % 3);
  }
  EXPECT_EQ(RunDemo(), kExitOk) << out_;
}

TEST_F(DemoTest, NoInputIsAUsageError) {
  input_ = folder_ + "/*.nothing";
  EXPECT_EQ(RunDemo(), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("no line to stream"));
  EXPECT_EQ(fake_.calls("CreateStream"), 0);
}

TEST_F(DemoTest, CtrlCDeletesTheStream) {
  paced_ = "10m";
  int code = -1;
  std::thread demo([&] { code = RunDemo(); });
  EXPECT_TRUE(fake_.AwaitCall("PutRecordsStream request"));
  interrupt_.Cancel();
  demo.join();
  EXPECT_EQ(code, kExitInterrupted) << out_;
  EXPECT_FALSE(fake_.HasStream(stream_));
}

}  // namespace
}  // namespace trireme::cli
