#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <istream>
#include <streambuf>
#include <string>

#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "tests/unit/cli_fixture.h"
#include "tests/unit/fake_trireme.h"

namespace trireme::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using trireme::testing::TypedError;

// Standard input that does something before its first line and at its end.
class EventfulInput : private std::streambuf, public std::istream {
 public:
  EventfulInput(std::string text, std::function<void()> at_start,
                std::function<void()> at_end)
      : std::istream(this),
        text_(std::move(text)),
        at_start_(std::move(at_start)),
        at_end_(std::move(at_end)) {}

 private:
  int underflow() override {
    if (eback() == nullptr) {
      at_start_();
      setg(text_.data(), text_.data(), text_.data() + text_.size());
      return std::char_traits<char>::to_int_type(text_[0]);
    }
    at_end_();
    return std::char_traits<char>::eof();
  }

  std::string text_;
  const std::function<void()> at_start_;
  const std::function<void()> at_end_;
};

TEST_F(CliTest, LinesBecomeRecordsWithTheirFieldAsKey) {
  MakeStream(3);
  const std::string path =
      TemporaryFile("one  alpha\ntwo beta\n\nthree alpha\n");
  ASSERT_EQ(Run({"put", "s", "--lines", path, "--key-field", "2"}),
            kExitPartial);
  EXPECT_THAT(err_, HasSubstr("line 3: has 0 fields; --key-field is 2"));
  EXPECT_THAT(err_, HasSubstr("trireme: 1 of 4 lines failed\n"));
  EXPECT_THAT(out_, HasSubstr("3 records (29 B) written"));
  std::string alpha;
  for (const v1::Record& record : fake_.records("s")) {
    if (record.partition_key() == "alpha") alpha += record.data() + ";";
  }
  EXPECT_EQ(alpha, "one  alpha;three alpha;");
}

TEST_F(CliTest, AKeyThatIsNotUtf8IsNotSentAndItsLineIsNamed) {
  ASSERT_EQ(Run({"stream", "create", "s", "--wait"}), kExitOk);
  EXPECT_EQ(Run({"put", "s", "--lines", "-", "--key-field", "1"},
                "k 1\nk\xff 2\nk 3\n"),
            kExitPartial);
  EXPECT_THAT(err_, HasSubstr("line 2: the partition key is not UTF-8\n"));
  EXPECT_EQ(fake_.records("s").size(), 2u);
  // Data may be any bytes.
  EXPECT_EQ(Run({"put", "s", "--lines", "-", "--key", "k"}, "\xff\n"), kExitOk);
}

TEST_F(CliTest, LinesComeFromStandardInputToo) {
  MakeStream(1);
  ASSERT_EQ(Run({"put", "s", "--lines", "-", "--output", "json"}, "a\n\nb"),
            kExitOk)
      << err_;
  EXPECT_EQ(Json::parse(out_)["Written"], 3);
  std::string keys;
  for (const v1::Record& record : fake_.records("s")) {
    keys += record.partition_key();
  }
  EXPECT_THAT(std::vector<char>(keys.begin(), keys.end()),
              ::testing::UnorderedElementsAre('a', '-', 'b'));
}

TEST_F(CliTest, AllLinesFailingIsNotPartial) {
  EXPECT_EQ(Run({"put", "no", "--lines", "-"}, "a\n"), kExitNotFound);
  EXPECT_EQ(Run({"put", "no", "--lines", "/no/such/file"}), kExitUsage);
}

TEST_F(CliTest, LinesThatAreNoRecordsAreNoMatterOfTheCommandLine) {
  MakeStream(1);
  std::string lines;
  for (int i = 0; i < 8; ++i) lines += "a\n";
  EXPECT_EQ(Run({"put", "s", "--lines", "-", "--key-field", "2"}, lines),
            kExitFailed);
  EXPECT_THAT(err_, HasSubstr("line 5: has 1 fields; --key-field is 2"));
  EXPECT_THAT(err_, HasSubstr("more lines fail; they are only counted"));
  EXPECT_THAT(err_, Not(HasSubstr("line 6")));
  EXPECT_THAT(err_, HasSubstr("8 of 8 lines failed"));
}

TEST_F(CliTest, LinesEndWhenTheStreamIsGone) {
  MakeStream(1);
  std::string lines;
  for (int i = 0; i < 1'000'000; ++i) lines += "a\n";
  bool read_all = false;
  EventfulInput input(
      lines,
      [&] {
        fake_.FailNext("PutRecordsStream request",
                       TypedError(grpc::StatusCode::NOT_FOUND,
                                  "ResourceNotFoundException", "it is gone"),
                       1 << 20);
      },
      [&] { read_all = true; });
  EXPECT_EQ(RunOn(input, {"put", "s", "--lines", "-"}), kExitNotFound);
  EXPECT_FALSE(read_all);
}

TEST_F(CliTest, UnknownOutcomesOfLinesAreReportedAtMostOnce) {
  MakeStream(1);
  fake_.BreakPutStreamAt(0, /*written=*/true);
  EXPECT_EQ(Run({"put", "s", "--lines", "-", "--key", "k", "--delivery",
                 "at-most-once"},
                "a\n"),
            kExitUnavailable);
  EXPECT_THAT(err_, HasSubstr("OutcomeUnknown"));
  EXPECT_EQ(fake_.records("s").size(), 1u);
}

TEST_F(CliTest, LinesAreWrittenExactlyOnce) {
  MakeStream(1);
  fake_.BreakPutStreamAt(0, /*written=*/true);
  EXPECT_EQ(Run({"put", "s", "--lines", "-", "--key", "k"}, "a\nb\n"), kExitOk)
      << err_;
  EXPECT_EQ(fake_.records("s").size(), 2u);
  fake_.BreakPutStreamAt(0, /*written=*/true);
  EXPECT_EQ(Run({"put", "s", "--lines", "-", "--key", "k", "--delivery",
                 "at-least-once"},
                "c\n"),
            kExitOk)
      << err_;
  EXPECT_EQ(fake_.records("s").size(), 4u);
}

TEST_F(CliTest, LinesThatCtrlCKeptFromBeingSentAreNotFailures) {
  MakeStream(1);
  EventfulInput input(
      "a\nb\n", [&] { fake_.Shutdown(); }, [&] { interrupt_.Cancel(); });
  EXPECT_EQ(RunOn(input, {"put", "s", "--lines", "-", "--output", "json"}),
            kExitInterrupted);
  EXPECT_THAT(err_, HasSubstr("trireme: interrupted\n"));
  Json counts = Json::parse(out_);
  EXPECT_EQ(counts["NotSent"], 2);
  EXPECT_EQ(counts["Unknown"], 0);
  EXPECT_EQ(counts["Failed"], 0);
}

TEST_F(CliTest, LinesThatCtrlCLeftUnansweredMayBeWritten) {
  MakeStream(1);
  EventfulInput input(
      "a\n",
      [&] {
        fake_.FailNext("PutRecordsStream request",
                       grpc::Status(grpc::StatusCode::UNAVAILABLE, "broken"),
                       1 << 20);
      },
      [&] {
        EXPECT_TRUE(fake_.AwaitCall("PutRecordsStream request"));
        interrupt_.Cancel();
      });
  EXPECT_EQ(RunOn(input, {"put", "s", "--lines", "-"}), kExitInterrupted);
  EXPECT_THAT(out_, HasSubstr("; 0 failed, 1 unknown\n"));
}

}  // namespace
}  // namespace trireme::cli
