// Batch size, batching window, filters, hand-off: all that goes well.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/batch_fixture.h"

namespace trireme::client {
namespace {

using testing::ElementsAre;
using testing::SizeIs;
using Records = std::vector<int>;

class BatchProcessorTest : public BatchTest {};

TEST_F(BatchProcessorTest, RecordsComeInBatchesOfTheSizeInOrder) {
  options.batch_size = 2;
  Start();
  ASSERT_TRUE(Give(1, 5).ok());
  EXPECT_THAT(CalledWith(),
              ElementsAre(Records{1, 2}, Records{3, 4}, Records{5}));
  EXPECT_EQ(calls[2].attempt, 1);
  EXPECT_EQ(checkpointer.last(), 5);
  EXPECT_EQ(processor->NextWakeUp(), absl::InfiniteFuture());
}

TEST_F(BatchProcessorTest, ABatchHoldsNoMoreThanItsBytes) {
  options.batch_bytes_max = 20;
  Start();
  RecordBatch batch;
  for (int i = 1; i <= 3; ++i) {
    batch.records.push_back(RecordOf(i, "k", now, std::string(8, 'x')));
  }
  // Larger than a batch: a batch of its own.
  batch.records.push_back(RecordOf(4, "k", now, std::string(50, 'x')));
  batch.records.push_back(RecordOf(5, "k", now, "x"));
  ASSERT_TRUE(Give(batch).ok());
  EXPECT_THAT(CalledWith(),
              ElementsAre(Records{1, 2}, Records{3}, Records{4}, Records{5}));
}

TEST_F(BatchProcessorTest, ABatchThatIsNotFullWaitsForItsWindow) {
  options.batch_size = 3;
  options.batching_window = absl::Seconds(30);
  Start();
  ASSERT_TRUE(Give(1, 1).ok());
  EXPECT_EQ(processor->NextWakeUp(), now + absl::Seconds(30));
  now += absl::Seconds(29);
  ASSERT_TRUE(Give(2, 2).ok());
  EXPECT_THAT(calls, SizeIs(0));
  EXPECT_EQ(checkpointer.last(), 0);
  ASSERT_TRUE(WakeUp());
  EXPECT_EQ(now, TestStart() + absl::Seconds(30));
  EXPECT_THAT(CalledWith(), ElementsAre(Records{1, 2}));
  EXPECT_EQ(checkpointer.last(), 2);
}

TEST_F(BatchProcessorTest, AFullBatchDoesNotWait) {
  options.batch_size = 3;
  options.batching_window = absl::Seconds(30);
  Start();
  ASSERT_TRUE(Give(1, 7).ok());
  EXPECT_THAT(CalledWith(), ElementsAre(Records{1, 2, 3}, Records{4, 5, 6}));
  EXPECT_EQ(checkpointer.last(), 6);
}

TEST_F(BatchProcessorTest, TheEndOfTheShardDoesNotWaitForTheWindow) {
  options.batching_window = absl::Seconds(30);
  Start();
  ASSERT_TRUE(Give(1, 7).ok());
  EXPECT_TRUE(processor->OnShardEnd(checkpointer).ok());
  EXPECT_THAT(calls, SizeIs(1));
  EXPECT_EQ(checkpointer.last(), 7);
}

TEST_F(BatchProcessorTest, TheEndOfTheShardIsRefusedWhileABatchFails) {
  script = FailsWith({3});
  Start();
  ASSERT_TRUE(Give(1, 3).ok());
  EXPECT_TRUE(absl::IsUnavailable(processor->OnShardEnd(checkpointer)));
  script = Succeeds();
  now += absl::Seconds(10);
  EXPECT_TRUE(processor->OnShardEnd(checkpointer).ok());
  EXPECT_EQ(checkpointer.last(), 3);
}

TEST_F(BatchProcessorTest, FilteredRecordsAreSkippedAndCheckpointed) {
  options.filters = {R"({"partitionKey": ["wanted"]})"};
  Start();
  RecordBatch batch;
  batch.records = {RecordOf(1, "other"), RecordOf(2, "wanted"),
                   RecordOf(3, "other"), RecordOf(4, "wanted"),
                   RecordOf(5, "other")};
  ASSERT_TRUE(Give(batch).ok());
  EXPECT_THAT(CalledWith(), ElementsAre(Records{2, 4}));
  EXPECT_EQ(checkpointer.last(), 5);
  batch.records = {RecordOf(6, "other")};
  ASSERT_TRUE(Give(batch).ok());
  EXPECT_THAT(calls, SizeIs(1));
  EXPECT_EQ(checkpointer.last(), 6);
}

TEST_F(BatchProcessorTest, FilteredRecordsBehindOnesThatFailWait) {
  options.filters = {R"({"partitionKey": ["wanted"]})"};
  options.batch_size = 1;
  script = FailsWith({2});
  Start();
  RecordBatch batch;
  batch.records = {RecordOf(1, "wanted"), RecordOf(2, "wanted"),
                   RecordOf(3, "other")};
  ASSERT_TRUE(Give(batch).ok());
  EXPECT_EQ(checkpointer.last(), 1);
}

TEST_F(BatchProcessorTest, ManyBatchesAreCheckpointedOnceASecond) {
  options.batch_size = 1;
  script = [this](const Invocation&) {
    now += absl::Milliseconds(300);
    return BatchResult{};
  };
  Start();
  ASSERT_TRUE(Give(1, 10).ok());
  EXPECT_THAT(checkpointer.taken(), ElementsAre(1, 5, 9, 10));
}

TEST_F(BatchProcessorTest, ACheckpointThatFailsIsRepeated) {
  Start();
  checkpointer.FailNext(absl::UnavailableError("no leader"));
  ASSERT_TRUE(Give(1, 3).ok());
  EXPECT_EQ(checkpointer.last(), 0);
  ASSERT_TRUE(WakeUp());
  EXPECT_EQ(checkpointer.last(), 3);
  EXPECT_THAT(calls, SizeIs(1));
}

TEST_F(BatchProcessorTest, ALeaseThatIsLostEndsTheWork) {
  Start();
  checkpointer.FailNext(absl::FailedPreconditionError("another's"));
  ASSERT_TRUE(Give(1, 3).ok());
  ASSERT_TRUE(Give(4, 6).ok());
  EXPECT_THAT(calls, SizeIs(1));
  EXPECT_EQ(processor->NextWakeUp(), absl::InfiniteFuture());
}

TEST_F(BatchProcessorTest, NoBatchIsBegunOnceTheLeaseIsToBeGivenUp) {
  options.batch_size = 1;
  script = [this](const Invocation& call) {
    if (call.records[0] == 3) checkpointer.End();
    return BatchResult{};
  };
  Start();
  ASSERT_TRUE(Give(1, 10).ok());
  EXPECT_THAT(calls, SizeIs(3));
  processor->OnHandOff(checkpointer);
  EXPECT_EQ(checkpointer.last(), 3);
}

TEST_F(BatchProcessorTest, ABatchThatFailsDoesNotHoldUpAHandOff) {
  options.batch_size = 2;
  script = FailsWith({4});
  Start();
  ASSERT_TRUE(Give(1, 10).ok());
  checkpointer.End();
  EXPECT_EQ(processor->NextWakeUp(), absl::InfiniteFuture());
  processor->OnHandOff(checkpointer);
  EXPECT_EQ(checkpointer.last(), 2);
}

TEST_F(BatchProcessorTest, WhatIsDoneWithoutALeaseIsNotCheckpointed) {
  script = [this](const Invocation&) {
    checkpointer.LoseLease();
    return BatchResult{};
  };
  Start();
  ASSERT_TRUE(Give(1, 2).ok());
  EXPECT_EQ(checkpointer.last(), 0);
  processor->OnLeaseLost();
}

}  // namespace
}  // namespace trireme::client
