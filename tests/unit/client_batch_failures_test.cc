// Batches that fail: the scenarios recorded in kinesis-contract.md §6.3.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/batch_fixture.h"

namespace trireme::client {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;
using Records = std::vector<int>;

class BatchFailuresTest : public BatchTest {
 protected:
  BatchFailuresTest() { options.max_retry_attempts = 1; }

  // A batch of records 1 to 4, whose first call is answered so, all others
  // well. What the second call gets; empty: there was none.
  Records SecondCallAfter(const BatchResult& answer) {
    calls.clear();
    options.report_batch_item_failures = true;
    script = [answer](const Invocation& call) {
      return call.attempt == 1 ? answer : BatchResult{};
    };
    Start();
    FakeCheckpointer checkpointer;
    EXPECT_TRUE(processor->Process(RecordsOf(1, 4), checkpointer).ok());
    now += absl::Seconds(10);
    EXPECT_TRUE(processor->Process({}, checkpointer).ok());
    EXPECT_EQ(checkpointer.last(), 4);
    processor.reset();
    return calls.size() < 2 ? Records{} : calls[1].records;
  }
};

TEST_F(BatchFailuresTest, ABatchIsCalledWithOnceMoreThanItsRetries) {
  for (const int retries : {0, 1, 3}) {
    calls.clear();
    destination->sent.clear();
    options.max_retry_attempts = retries;
    script = FailsWith({2});
    Start();
    FakeCheckpointer checkpointer;
    ASSERT_TRUE(processor->Process(RecordsOf(1, 3), checkpointer).ok());
    for (int i = 0; i < retries; ++i) {
      EXPECT_EQ(checkpointer.last(), 0);
      now = processor->NextWakeUp();
      ASSERT_TRUE(processor->Process({}, checkpointer).ok());
    }
    EXPECT_THAT(CalledWith(), Each(Records{1, 2, 3}));
    EXPECT_THAT(calls, SizeIs(retries + 1));
    EXPECT_EQ(calls.back().attempt, retries + 1);
    ASSERT_THAT(destination->sent, SizeIs(1));
    const FakeDestination::Sent& sent = destination->sent[0];
    EXPECT_EQ(sent.records, (Records{1, 2, 3}));
    EXPECT_EQ(sent.reason, DiscardReason::kRetryAttemptsExhausted);
    EXPECT_EQ(sent.invoke_count, retries + 1);
    EXPECT_EQ(sent.error, absl::InternalError("no"));
    EXPECT_EQ(checkpointer.last(), 3);
  }
}

TEST_F(BatchFailuresTest, RetriesBlockTheShardAndPauseLongerEachTime) {
  options.max_retry_attempts = -1;
  options.batch_size = 2;
  script = FailsWith({1});
  Start();
  ASSERT_TRUE(Give(1, 4).ok());
  absl::Duration longest;
  for (int i = 0; i < 30; ++i) {
    const absl::Duration pause = processor->NextWakeUp() - now;
    EXPECT_GT(pause, absl::ZeroDuration());
    EXPECT_LE(pause, absl::Seconds(10));
    longest = std::max(longest, pause);
    ASSERT_TRUE(WakeUp());
  }
  EXPECT_GE(longest, absl::Seconds(5));
  EXPECT_THAT(CalledWith(), Each(Records{1, 2}));
  EXPECT_EQ(checkpointer.last(), 0);
  script = Succeeds();
  ASSERT_TRUE(WakeUp());
  EXPECT_EQ(calls.back().records, (Records{3, 4}));
  EXPECT_EQ(checkpointer.last(), 4);
}

TEST_F(BatchFailuresTest, ACallBeforeTheRetryIsDueChangesNothing) {
  script = FailsWith({1});
  Start();
  ASSERT_TRUE(Give(1, 1).ok());
  ASSERT_TRUE(Give(2, 2).ok());
  EXPECT_THAT(calls, SizeIs(1));
}

TEST_F(BatchFailuresTest, RecordsAreRefusedWhenThereIsNoRoomForThem) {
  options.max_retry_attempts = -1;
  options.batch_size = 2;
  script = FailsWith({1});
  Start();
  ASSERT_TRUE(Give(1, 5).ok());
  EXPECT_TRUE(absl::IsUnavailable(Give(6, 7)));
  script = Succeeds();
  now = processor->NextWakeUp();
  ASSERT_TRUE(Give(6, 7).ok());
  EXPECT_THAT(CalledWith(),
              ElementsAre(Records{1, 2}, Records{1, 2}, Records{3, 4},
                          Records{5}, Records{6, 7}));
  EXPECT_EQ(checkpointer.last(), 7);
}

TEST_F(BatchFailuresTest, TheLowestReportedRecordIsTheCheckpoint) {
  options.report_batch_item_failures = true;
  script = [](const Invocation& call) {
    return call.attempt == 1 ? FailedAt({4, 3}) : BatchResult{};
  };
  Start();
  ASSERT_TRUE(Give(1, 5).ok());
  EXPECT_EQ(checkpointer.last(), 2);
  ASSERT_TRUE(WakeUp());
  EXPECT_THAT(CalledWith(),
              ElementsAre(Records{1, 2, 3, 4, 5}, Records{3, 4, 5}));
  EXPECT_EQ(checkpointer.last(), 5);
}

TEST_F(BatchFailuresTest, FormsOfFullSuccess) {
  EXPECT_THAT(SecondCallAfter(BatchResult{}), IsEmpty());
  EXPECT_THAT(SecondCallAfter(FailedAt({})), IsEmpty());
}

TEST_F(BatchFailuresTest, FormsOfFullFailure) {
  const Records all = {1, 2, 3, 4};
  EXPECT_EQ(SecondCallAfter(Failed()), all);
  EXPECT_EQ(SecondCallAfter(FailedAt({1})), all);
  EXPECT_EQ(SecondCallAfter(FailedAt({5})), all);
  EXPECT_EQ(SecondCallAfter(FailedAt({3, 5})), all);
  BatchResult with_empty = FailedAt({3});
  with_empty.failed.push_back({});
  EXPECT_EQ(SecondCallAfter(with_empty), all);
  BatchResult with_error = FailedAt({3});
  with_error.status = absl::InternalError("no");
  EXPECT_EQ(SecondCallAfter(with_error), all);
}

TEST_F(BatchFailuresTest, ReportsWithoutTheOptionAreAFullFailure) {
  script = [](const Invocation& call) {
    return call.attempt == 1 ? FailedAt({3}) : BatchResult{};
  };
  Start();
  ASSERT_TRUE(Give(1, 4).ok());
  EXPECT_EQ(checkpointer.last(), 0);
  ASSERT_TRUE(WakeUp());
  EXPECT_EQ(calls[1].records, (Records{1, 2, 3, 4}));
}

TEST_F(BatchFailuresTest, ReportedRecordsUseUpAttemptsAndGiveNoError) {
  options.report_batch_item_failures = true;
  script = [](const Invocation&) { return FailedAt({2}); };
  Start();
  ASSERT_TRUE(Give(1, 3).ok());
  ASSERT_TRUE(WakeUp());
  ASSERT_THAT(destination->sent, SizeIs(1));
  EXPECT_EQ(destination->sent[0].records, (Records{2, 3}));
  EXPECT_EQ(destination->sent[0].invoke_count, 2);
  EXPECT_EQ(destination->sent[0].error, std::nullopt);
  EXPECT_EQ(checkpointer.last(), 3);
}

TEST_F(BatchFailuresTest, BisectingSinglesOutTheRecordThatFails) {
  options.bisect_on_error = true;
  options.max_retry_attempts = 2;
  script = FailsWith({6});
  Start();
  ASSERT_TRUE(Give(1, 8).ok());
  WakeUpUntilIdle();
  EXPECT_THAT(CalledWith(),
              ElementsAre(Records{1, 2, 3, 4, 5, 6, 7, 8}, Records{1, 2, 3, 4},
                          Records{5, 6, 7, 8}, Records{5, 6}, Records{5},
                          Records{6}, Records{6}, Records{6}, Records{7, 8}));
  ASSERT_THAT(destination->sent, SizeIs(1));
  EXPECT_EQ(destination->sent[0].records, Records{6});
  EXPECT_EQ(checkpointer.last(), 8);
}

TEST_F(BatchFailuresTest, BisectingUsesUpNoAttempts) {
  options.bisect_on_error = true;
  options.max_retry_attempts = 0;
  options.batch_size = 1000;
  script = FailsWith({1, 500, 1000});
  Start();
  ASSERT_TRUE(Give(1, 1000).ok());
  WakeUpUntilIdle();
  EXPECT_THAT(
      destination->sent,
      ElementsAre(Field(&FakeDestination::Sent::records, Records{1}),
                  Field(&FakeDestination::Sent::records, Records{500}),
                  Field(&FakeDestination::Sent::records, Records{1000})));
  EXPECT_EQ(checkpointer.last(), 1000);
}

TEST_F(BatchFailuresTest, ABatchIsSplitAtTheRecordThatIsReported) {
  options.bisect_on_error = true;
  options.report_batch_item_failures = true;
  options.max_retry_attempts = 0;
  script = [](const Invocation& call) {
    for (const int number : call.records) {
      if (number == 6) return FailedAt({6});
    }
    return BatchResult{};
  };
  Start();
  ASSERT_TRUE(Give(1, 8).ok());
  WakeUpUntilIdle();
  EXPECT_THAT(CalledWith(),
              ElementsAre(Records{1, 2, 3, 4, 5, 6, 7, 8}, Records{6, 7, 8},
                          Records{6}, Records{7, 8}));
  ASSERT_THAT(destination->sent, SizeIs(1));
  EXPECT_EQ(destination->sent[0].records, Records{6});
}

TEST_F(BatchFailuresTest, RecordsThatAreTooOldAreNotHandled) {
  options.max_record_age = absl::Seconds(60);
  Start();
  RecordBatch batch;
  batch.records = {RecordOf(1, "k", now - absl::Seconds(61)),
                   RecordOf(2, "k", now - absl::Seconds(61)),
                   RecordOf(3, "k", now - absl::Seconds(60))};
  ASSERT_TRUE(Give(batch).ok());
  EXPECT_THAT(CalledWith(), ElementsAre(Records{3}));
  ASSERT_THAT(destination->sent, SizeIs(1));
  EXPECT_EQ(destination->sent[0].records, (Records{1, 2}));
  EXPECT_EQ(destination->sent[0].reason, DiscardReason::kRecordAgeExceeded);
  EXPECT_EQ(destination->sent[0].invoke_count, 1);
  EXPECT_EQ(destination->sent[0].error, std::nullopt);
  EXPECT_EQ(checkpointer.last(), 3);
}

TEST_F(BatchFailuresTest, ABatchThatKeepsFailingEndsByItsAge) {
  options.max_retry_attempts = -1;
  options.max_record_age = absl::Seconds(60);
  script = FailsWith({1});
  Start();
  ASSERT_TRUE(Give(1, 2).ok());
  WakeUpUntilIdle();
  ASSERT_THAT(destination->sent, SizeIs(1));
  EXPECT_EQ(destination->sent[0].reason, DiscardReason::kRecordAgeExceeded);
  EXPECT_EQ(destination->sent[0].invoke_count, static_cast<int>(calls.size()));
  EXPECT_GT(calls.size(), 5u);
  EXPECT_LE(now - TestStart(), absl::Seconds(70));
  EXPECT_EQ(checkpointer.last(), 2);
}

TEST_F(BatchFailuresTest, NothingIsCheckpointedBeforeTheDestinationHasIt) {
  options.max_retry_attempts = 0;
  options.batch_size = 2;
  destination->failures = 3;
  script = FailsWith({2});
  Start();
  ASSERT_TRUE(Give(1, 4).ok());
  for (size_t tried = 1; tried <= 3; ++tried) {
    EXPECT_THAT(destination->tried, SizeIs(tried));
    EXPECT_THAT(calls, SizeIs(1));
    EXPECT_EQ(checkpointer.last(), 0);
    ASSERT_TRUE(WakeUp());
  }
  ASSERT_THAT(destination->sent, SizeIs(1));
  EXPECT_THAT(destination->tried, Each(Field(&FakeDestination::Sent::request_id,
                                             destination->sent[0].request_id)));
  EXPECT_THAT(CalledWith(), ElementsAre(Records{1, 2}, Records{3, 4}));
  EXPECT_EQ(checkpointer.last(), 4);
}

TEST_F(BatchFailuresTest, ADestinationThatFailsDoesNotHoldUpAHandOff) {
  options.max_retry_attempts = 0;
  destination->failures = 1000;
  script = FailsWith({2});
  Start();
  ASSERT_TRUE(Give(1, 4).ok());
  checkpointer.End();
  processor->OnHandOff(checkpointer);
  EXPECT_EQ(checkpointer.last(), 0);
  EXPECT_THAT(destination->sent, IsEmpty());
}

TEST_F(BatchFailuresTest, WithoutADestinationADiscardedBatchIsSkipped) {
  options.failure_destination = nullptr;
  options.max_retry_attempts = 0;
  options.batch_size = 2;
  script = FailsWith({2});
  Start();
  ASSERT_TRUE(Give(1, 4).ok());
  EXPECT_THAT(CalledWith(), ElementsAre(Records{1, 2}, Records{3, 4}));
  EXPECT_EQ(checkpointer.last(), 4);
}

TEST_F(BatchFailuresTest, MembersOfAnAggregateAreToldApart) {
  options.report_batch_item_failures = true;
  script = [](const Invocation& call) {
    BatchResult result;
    if (call.attempt == 1) {
      result.failed = {{PositionOf(1).sequence_number, 2}};
    }
    return result;
  };
  Start();
  RecordBatch batch;
  for (uint64_t i = 0; i < 4; ++i) {
    UserRecord& record = batch.records.emplace_back(RecordOf(1));
    record.position.sub_sequence_number = i;
    record.aggregated = true;
  }
  ASSERT_TRUE(Give(batch).ok());
  EXPECT_EQ(checkpointer.last(), 1);
  checkpointer.LoseLease();  // The fake knows no places within a record.
  EXPECT_THAT(calls[0].records, SizeIs(4));
}

}  // namespace
}  // namespace trireme::client
