#include <string>
#include <vector>

#include "client/tumbling_window.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/batch_fixture.h"

namespace trireme::client {
namespace {

using testing::ElementsAre;
using testing::SizeIs;
using Records = std::vector<int>;

constexpr absl::Duration kWindow = absl::Seconds(60);

// The state is the sum of the records' numbers.
BatchResult Sums(const Invocation& call) {
  int sum = call.state.empty() ? 0 : std::stoi(call.state);
  for (const int number : call.records) sum += number;
  BatchResult result;
  result.state = std::to_string(sum);
  return result;
}

class TumblingWindowTest : public BatchTest {
 protected:
  TumblingWindowTest() {
    options.tumbling_window = kWindow;
    options.batch_size = 2;
    script = Sums;
  }

  absl::Status GiveAt(absl::Duration since_start, std::vector<int> numbers,
                      absl::Duration behind = absl::ZeroDuration()) {
    RecordBatch batch;
    for (const int number : numbers) {
      batch.records.push_back(
          RecordOf(number, "key", TestStart() + since_start));
    }
    batch.behind_latest = behind;
    return Give(batch);
  }
  static std::string Shown(const Invocation& call) {
    return absl::StrCat(call.records.size(), " records, state '", call.state,
                        "'", call.is_final ? ", final" : "",
                        call.is_terminated_early ? ", early" : "");
  }
  std::vector<std::string> Calls() const {
    std::vector<std::string> shown;
    for (const Invocation& call : calls) shown.push_back(Shown(call));
    return shown;
  }
};

TEST(TumblingWindowBoundsTest, WindowsAreAlignedToTheEpoch) {
  TumblingWindow window(absl::Seconds(900));
  window.Open(absl::FromUnixMillis(1'800'000'899'999));
  EXPECT_EQ(window.start(), absl::FromUnixSeconds(1'800'000'000));
  EXPECT_EQ(window.end(), absl::FromUnixSeconds(1'800'000'900));
  window.Open(absl::FromUnixMillis(-1));
  EXPECT_EQ(window.start(), absl::FromUnixSeconds(-900));
}

TEST_F(TumblingWindowTest, StateIsCarriedUntilARecordOfTheNextWindowComes) {
  Start();
  ASSERT_TRUE(GiveAt(absl::Seconds(1), {1, 2, 3}).ok());
  ASSERT_TRUE(GiveAt(absl::Seconds(59), {4}).ok());
  EXPECT_EQ(checkpointer.last(), 0);
  ASSERT_TRUE(GiveAt(absl::Seconds(60), {5}).ok());
  EXPECT_THAT(
      Calls(),
      ElementsAre("2 records, state ''", "1 records, state '3'",
                  "1 records, state '6'", "0 records, state '10', final",
                  "1 records, state ''"));
  EXPECT_EQ(calls[3].start, TestStart());
  EXPECT_EQ(calls[3].end, TestStart() + kWindow);
  EXPECT_EQ(calls[4].start, TestStart() + kWindow);
  EXPECT_EQ(checkpointer.last(), 4);
}

TEST_F(TumblingWindowTest, ABatchHoldsRecordsOfOneWindow) {
  Start();
  RecordBatch batch;
  batch.records = {RecordOf(1, "key", TestStart()),
                   RecordOf(2, "key", TestStart() + kWindow),
                   RecordOf(3, "key", TestStart() + 2 * kWindow)};
  ASSERT_TRUE(Give(batch).ok());
  EXPECT_THAT(CalledWith(), ElementsAre(Records{1}, Records{}, Records{2},
                                        Records{}, Records{3}));
  EXPECT_EQ(checkpointer.last(), 2);
}

TEST_F(TumblingWindowTest, AWindowEndsByTimeWhenNoRecordComes) {
  Start();
  ASSERT_TRUE(GiveAt(absl::Seconds(1), {1}).ok());
  EXPECT_EQ(processor->NextWakeUp(),
            TestStart() + kWindow + TumblingWindow::kGrace);
  ASSERT_TRUE(WakeUp());
  EXPECT_THAT(Calls(), ElementsAre("1 records, state ''",
                                   "0 records, state '1', final"));
  EXPECT_EQ(checkpointer.last(), 1);
  EXPECT_EQ(processor->NextWakeUp(), absl::InfiniteFuture());
}

TEST_F(TumblingWindowTest, AReaderThatIsBehindDoesNotEndWindowsByTime) {
  now = TestStart() + absl::Hours(5);
  Start();
  ASSERT_TRUE(GiveAt(absl::Seconds(1), {1}, absl::Hours(5)).ok());
  EXPECT_EQ(processor->NextWakeUp(), absl::InfiniteFuture());
  ASSERT_TRUE(GiveAt(absl::Seconds(2), {2}, absl::Hours(5)).ok());
  EXPECT_THAT(Calls(),
              ElementsAre("1 records, state ''", "1 records, state '1'"));
  // The newest record of the shard.
  ASSERT_TRUE(GiveAt(absl::Seconds(3), {3}).ok());
  EXPECT_EQ(Calls().back(), "0 records, state '6', final");
}

TEST_F(TumblingWindowTest, WhatWaitsForABatchIsHandledBeforeTheWindowEnds) {
  options.batching_window = absl::Seconds(300);
  Start();
  ASSERT_TRUE(GiveAt(absl::Seconds(1), {1}).ok());
  EXPECT_THAT(calls, SizeIs(0));
  ASSERT_TRUE(WakeUp());
  EXPECT_THAT(Calls(), ElementsAre("1 records, state ''",
                                   "0 records, state '1', final"));
}

TEST_F(TumblingWindowTest, AFinalInvocationThatFailsBlocks) {
  options.max_retry_attempts = 0;
  script = [](const Invocation& call) {
    return call.is_final ? Failed() : Sums(call);
  };
  Start();
  ASSERT_TRUE(GiveAt(absl::Seconds(1), {1}).ok());
  ASSERT_TRUE(GiveAt(absl::Seconds(61), {2}).ok());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(WakeUp());
  EXPECT_THAT(calls, SizeIs(7));
  EXPECT_EQ(calls.back().attempt, 6);
  EXPECT_EQ(Calls().back(), "0 records, state '1', final");
  EXPECT_EQ(checkpointer.last(), 0);
  script = Sums;
  ASSERT_TRUE(WakeUp());
  EXPECT_EQ(Calls().back(), "1 records, state ''");
  EXPECT_EQ(checkpointer.last(), 1);
}

TEST_F(TumblingWindowTest, AStateThatIsTooLargeEndsTheWindowEarly) {
  script = [](const Invocation& call) {
    if (call.is_terminated_early) return BatchResult{};
    BatchResult result = Sums(call);
    if (call.records == Records{1, 2}) {
      result.state = std::string(TumblingWindow::kStateBytesMax + 1, 'x');
    }
    return result;
  };
  Start();
  ASSERT_TRUE(GiveAt(absl::Seconds(1), {1, 2, 3}).ok());
  ASSERT_THAT(calls, SizeIs(3));
  EXPECT_TRUE(calls[1].is_final);
  EXPECT_TRUE(calls[1].is_terminated_early);
  EXPECT_THAT(calls[1].state, SizeIs(TumblingWindow::kStateBytesMax + 1));
  EXPECT_EQ(Calls()[2], "1 records, state ''");
  EXPECT_EQ(calls[2].start, calls[0].start);
  EXPECT_EQ(checkpointer.last(), 2);
  ASSERT_TRUE(GiveAt(absl::Seconds(61), {4}).ok());
  EXPECT_EQ(Calls()[3], "0 records, state '3', final");
}

TEST_F(TumblingWindowTest, TheLargestStateIsCarried) {
  script = [](const Invocation& call) {
    BatchResult result;
    if (!call.is_final) {
      result.state = std::string(TumblingWindow::kStateBytesMax, 'x');
    }
    return result;
  };
  Start();
  ASSERT_TRUE(GiveAt(absl::Seconds(1), {1, 2, 3}).ok());
  ASSERT_THAT(calls, SizeIs(2));
  EXPECT_THAT(calls[1].state, SizeIs(TumblingWindow::kStateBytesMax));
}

TEST_F(TumblingWindowTest, AnAnswerWithoutAStateIsAFailure) {
  options.max_retry_attempts = 0;
  script = [](const Invocation&) { return BatchResult{}; };
  Start();
  ASSERT_TRUE(GiveAt(absl::Seconds(1), {1}).ok());
  ASSERT_THAT(destination->sent, SizeIs(1));
  EXPECT_TRUE(absl::IsFailedPrecondition(*destination->sent[0].error));
}

TEST_F(TumblingWindowTest, APartialFailureKeepsTheStateOfWhatIsDone) {
  options.report_batch_item_failures = true;
  options.batch_size = 3;
  script = [](const Invocation& call) {
    if (call.records != Records{1, 2, 3}) return Sums(call);
    BatchResult result = FailedAt({2});
    result.state = "1";
    return result;
  };
  Start();
  ASSERT_TRUE(GiveAt(absl::Seconds(1), {1, 2, 3}).ok());
  ASSERT_TRUE(WakeUp());
  EXPECT_THAT(Calls(),
              ElementsAre("3 records, state ''", "2 records, state '1'"));
}

TEST_F(TumblingWindowTest, TheEndOfTheShardEndsTheWindow) {
  Start();
  ASSERT_TRUE(GiveAt(absl::Seconds(1), {1}).ok());
  EXPECT_TRUE(processor->OnShardEnd(checkpointer).ok());
  EXPECT_EQ(Calls().back(), "0 records, state '1', final");
  EXPECT_EQ(checkpointer.last(), 1);
}

TEST_F(TumblingWindowTest, AHandOffWithinAWindowCheckpointsTheOneBefore) {
  Start();
  ASSERT_TRUE(GiveAt(absl::Seconds(1), {1, 2}).ok());
  ASSERT_TRUE(GiveAt(absl::Seconds(61), {3, 4}).ok());
  checkpointer.End();
  processor->OnHandOff(checkpointer);
  EXPECT_EQ(checkpointer.last(), 2);
  EXPECT_EQ(Calls().back(), "2 records, state ''");
}

TEST_F(TumblingWindowTest, AWindowDoesNotEndWhileItsRecordsAreRefused) {
  options.max_retry_attempts = -1;
  script = FailsWith({1});
  Start();
  ASSERT_TRUE(GiveAt(absl::Seconds(1), {1, 2}).ok());
  EXPECT_FALSE(GiveAt(absl::Seconds(2), {3}).ok());
  now = TestStart() + absl::Minutes(10);
  script = Sums;
  ASSERT_TRUE(GiveAt(absl::Seconds(2), {3}).ok());
  EXPECT_EQ(Calls().back(), "0 records, state '6', final");
}

TEST_F(TumblingWindowTest, FilteredRecordsOpenNoWindow) {
  options.filters = {R"({"partitionKey": ["wanted"]})"};
  Start();
  ASSERT_TRUE(GiveAt(absl::Seconds(1), {1}).ok());
  EXPECT_THAT(calls, SizeIs(0));
  EXPECT_EQ(checkpointer.last(), 1);
  EXPECT_EQ(processor->NextWakeUp(), absl::InfiniteFuture());
}

}  // namespace
}  // namespace trireme::client
