#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/format.h"
#include "client/cli/shard_program.h"
#include "tests/unit/batch_fixture.h"

namespace trireme::cli {
namespace {

using client::FakeCheckpointer;
using client::PositionOf;
using client::RecordBatch;
using client::RecordsOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Of a record's line.
constexpr char kNumberOfLine[] =
    "sed -u 's/.*\"SequenceNumber\":\"\\([0-9]*\\)\".*/\\1/'";

class ShardProgramTest : public ::testing::Test {
 protected:
  ShardProgramTest() {
    options_.checkpoint_interval = absl::ZeroDuration();
    options_.restart_pause = absl::Nanoseconds(1);
    options_.restart_pause_max = absl::Nanoseconds(1);
    options_.kill_after = absl::Milliseconds(1);
    hooks_.print = [this](absl::string_view lines) {
      absl::StrAppend(&printed_, lines);
    };
    hooks_.flush = [this] { return flush_; };
    hooks_.tell = [this](absl::string_view, const std::string& message) {
      told_.push_back(message);
    };
    hooks_.on_acknowledged = [this](uint64_t records) {
      acknowledged_ += records;
    };
    hooks_.on_not_checkpointed = [this](uint64_t records) {
      not_checkpointed_ += records;
    };
    hooks_.on_restart = [this] { ++restarts_; };
    hooks_.give_up = [this](const absl::Status& why) { gave_up_ = why; };
  }
  // A program of the shell.
  void Make(const std::string& script) {
    options_.command = {"/bin/sh", "-c", script};
    client::ShardLease lease;
    lease.stream_name = "s";
    lease.group_name = "g";
    lease.worker_id = "w";
    lease.shard_id = "shardId-000000000007";
    processor_.emplace(options_, hooks_, lease);
  }
  absl::Status Give(const RecordBatch& batch) {
    return processor_->Process(batch, checkpointer_);
  }
  // Looks after the program until so much is checkpointed.
  void AwaitCheckpoint(int number) {
    while (checkpointer_.last() < number) ASSERT_TRUE(Give({}).ok());
  }

  ProgramOptions options_;
  ProgramHooks hooks_;
  FakeCheckpointer checkpointer_;
  std::string printed_;
  absl::Status flush_;
  std::vector<std::string> told_;
  uint64_t acknowledged_ = 0;
  uint64_t not_checkpointed_ = 0;
  int restarts_ = 0;
  absl::Status gave_up_;
  std::optional<ShardProgram> processor_;
};

TEST_F(ShardProgramTest, ARecordIsGivenAsALineOfJson) {
  options_.ack = AckMode::kRead;
  Make(
      "echo $TRIREME_STREAM $TRIREME_GROUP $TRIREME_WORKER_ID "
      "$TRIREME_SHARD_ID; cat");
  RecordBatch batch = RecordsOf(1, 1);
  batch.records[0].aggregated = true;
  batch.records[0].position.sub_sequence_number = 5;
  batch.records[0].explicit_hash_key = "17";
  ASSERT_TRUE(Give(batch).ok());
  AwaitCheckpoint(1);
  EXPECT_TRUE(processor_->OnShardEnd(checkpointer_).ok());
  const std::vector<std::string> lines = absl::StrSplit(printed_, '\n');
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], "s g w shardId-000000000007");
  EXPECT_EQ(Json::parse(lines[1]),
            (Json{{"ShardId", "shardId-000000000007"},
                  {"SequenceNumber", PositionOf(1).sequence_number},
                  {"SubSequenceNumber", 5},
                  {"ApproximateArrivalTimestamp", "2027-01-15T08:00:00.000Z"},
                  {"Data", "ZGF0YSAx"},
                  {"PartitionKey", "key"},
                  {"ExplicitHashKey", "17"}}));
}

TEST_F(ShardProgramTest, WhatIsAcknowledgedIsCheckpointed) {
  // cat prints records, which name what they acknowledge.
  for (const char* script : {kNumberOfLine, "cat"}) {
    Make(script);
    const int first = checkpointer_.last() + 1;
    ASSERT_TRUE(Give(RecordsOf(first, first + 2)).ok());
    AwaitCheckpoint(first + 2);
    ASSERT_TRUE(Give(RecordsOf(first + 3, first + 4)).ok());
    EXPECT_TRUE(processor_->OnShardEnd(checkpointer_).ok());
    EXPECT_EQ(checkpointer_.last(), first + 4);
  }
  EXPECT_EQ(acknowledged_, 10u);
  EXPECT_EQ(printed_, "");
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(ShardProgramTest, OtherLinesArePassedOn) {
  Make(absl::StrCat("echo 'hello'; echo '{\"a\": 1}'; printf 'the end'; ",
                    "echo; ", kNumberOfLine, "; printf 'no newline'"));
  ASSERT_TRUE(Give(RecordsOf(1, 1)).ok());
  EXPECT_TRUE(processor_->OnShardEnd(checkpointer_).ok());
  EXPECT_EQ(printed_, "hello\n{\"a\": 1}\nthe end\nno newline\n");
}

TEST_F(ShardProgramTest, NoMoreIsGivenThanMayBeUnacknowledged) {
  options_.records_max = 2;
  // Acknowledges nothing before it has two lines.
  Make(absl::StrCat("while read -r a && read -r b; do echo \"$b\"; done"));
  ASSERT_TRUE(Give(RecordsOf(1, 10)).ok());
  AwaitCheckpoint(10);
  EXPECT_EQ(acknowledged_, 10u);
}

TEST_F(ShardProgramTest, RecordsLargerThanAPipeAreGiven) {
  options_.bytes_max = 1;
  Make("cat");
  RecordBatch batch = RecordsOf(1, 3);
  for (auto& record : batch.records) record.data = std::string(1 << 20, 'x');
  ASSERT_TRUE(Give(batch).ok());
  AwaitCheckpoint(3);
}

TEST_F(ShardProgramTest, AProgramThatEndsIsStartedAgainWithTheRest) {
  // Each takes two, acknowledges one and fails.
  Make("read -r a && read -r b; echo \"$a\"; exit 3");
  ASSERT_TRUE(Give(RecordsOf(1, 4)).ok());
  while (checkpointer_.last() < 3) ASSERT_TRUE(Give({}).ok());
  EXPECT_GE(restarts_, 2);
  EXPECT_THAT(told_[0], HasSubstr("the program ended with exit code 3; a new "
                                  "one is started in"));
  // The last one is alone, and is acknowledged with the end of the input.
  EXPECT_TRUE(processor_->OnShardEnd(checkpointer_).ok());
  EXPECT_EQ(checkpointer_.last(), 4);
  EXPECT_EQ(acknowledged_, 4u);
}

TEST_F(ShardProgramTest, TheEndOfAShardWaitsForAllToBeAcknowledged) {
  // The first one fails at the end of its input, the second acknowledges then.
  const std::string mark =
      absl::StrCat(::testing::TempDir(), "/shard_program_test.", getpid());
  rmdir(mark.c_str());
  Make(absl::StrCat("if mkdir ", mark,
                    " 2> /dev/null; then cat > /dev/null; exit 1; fi; ",
                    "while read -r line; do last=$line; done; echo \"$last\""));
  ASSERT_TRUE(Give(RecordsOf(1, 5)).ok());
  EXPECT_EQ(acknowledged_, 0u);
  EXPECT_TRUE(processor_->OnShardEnd(checkpointer_).ok());
  EXPECT_EQ(checkpointer_.last(), 5);
  EXPECT_EQ(restarts_, 1);
  EXPECT_TRUE(processor_->OnShardEnd(checkpointer_).ok());  // Once more.
  rmdir(mark.c_str());
}

TEST_F(ShardProgramTest, AProgramThatNeverAcknowledgesIsGivenUp) {
  options_.restarts_max = 2;
  Make("exit 1");
  while (gave_up_.ok()) (void)Give(RecordsOf(1, 1));
  EXPECT_EQ(restarts_, 2);
  EXPECT_THAT(gave_up_.message(),
              HasSubstr("the program ended with exit code 1; it was started 3 "
                        "times in a row and acknowledged nothing"));
  EXPECT_FALSE(Give({}).ok());
  EXPECT_FALSE(processor_->OnShardEnd(checkpointer_).ok());
  EXPECT_EQ(checkpointer_.last(), 0);
}

TEST_F(ShardProgramTest, AProgramThatCannotBeStartedIsTriedAgain) {
  options_.restarts_max = 1;
  Make("");
  options_.command = {"/no/such/program"};
  while (gave_up_.ok()) (void)Give({});
  EXPECT_THAT(told_[0], HasSubstr("cannot be started: /no/such/program"));
}

TEST_F(ShardProgramTest, AHandOffEndsTheInputAndTakesTheLastAnswers) {
  Make(absl::StrCat("last=; while read -r line; do last=$line; done; ",
                    "echo \"$last\"; exit 5"));
  ASSERT_TRUE(Give(RecordsOf(1, 5)).ok());
  checkpointer_.End();
  EXPECT_FALSE(Give(RecordsOf(6, 6)).ok());
  processor_->OnHandOff(checkpointer_);
  EXPECT_EQ(checkpointer_.last(), 5);
  EXPECT_EQ(restarts_, 0);
  EXPECT_THAT(told_.back(), HasSubstr("the program ended with exit code 5"));
}

TEST_F(ShardProgramTest, ALastCheckpointThatFailsIsTold) {
  options_.checkpoint_interval = absl::Hours(1);  // At the end alone.
  Make("cat");
  ASSERT_TRUE(Give(RecordsOf(1, 5)).ok());
  while (acknowledged_ < 5) ASSERT_TRUE(Give({}).ok());
  checkpointer_.FailNext(absl::UnavailableError("nobody is there"));
  processor_->OnHandOff(checkpointer_);
  EXPECT_EQ(not_checkpointed_, 5u);
  EXPECT_THAT(told_, ElementsAre("checkpoint: nobody is there; trying again",
                                 HasSubstr("5 records that the program "
                                           "acknowledged could not be")));
}

TEST_F(ShardProgramTest, AHandOffOfWhatWasNeverGivenIsNotToldOf) {
  options_.records_max = 5;
  Make("head -n 5; cat > /dev/null");
  ASSERT_TRUE(Give(RecordsOf(1, 5)).ok());
  AwaitCheckpoint(5);
  checkpointer_.End();
  EXPECT_FALSE(Give(RecordsOf(6, 9)).ok());
  processor_->OnHandOff(checkpointer_);
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_EQ(not_checkpointed_, 0u);
}

TEST_F(ShardProgramTest, AProgramThatDoesNotEndIsKilled) {
  options_.hand_off_timeout = absl::ZeroDuration();
  Make("trap '' TERM; echo up; while :; do read -r line; done");
  while (printed_.empty()) ASSERT_TRUE(Give({}).ok());
  ASSERT_TRUE(Give(RecordsOf(1, 1)).ok());
  processor_->OnHandOff(checkpointer_);
  EXPECT_THAT(told_.back(), HasSubstr("it is killed"));
  EXPECT_EQ(checkpointer_.last(), 0);
}

TEST_F(ShardProgramTest, ALostLeaseEndsTheProgramAndNothingIsSaid) {
  Make("cat");
  ASSERT_TRUE(Give(RecordsOf(1, 1)).ok());
  AwaitCheckpoint(1);
  checkpointer_.LoseLease();
  processor_->OnLeaseLost();
  EXPECT_EQ(checkpointer_.taken(), std::vector<int>{1});
}

TEST_F(ShardProgramTest, WhatAProgramHasNotReadIsNotProcessed) {
  options_.ack = AckMode::kRead;
  options_.restarts_max = 2;
  Make("exit 0");
  while (gave_up_.ok()) (void)Give(RecordsOf(1, 3));
  EXPECT_EQ(acknowledged_, 0u);
}

TEST_F(ShardProgramTest, RecordsOfOneNumberAreAcknowledgedOneByOne) {
  RecordBatch batch = RecordsOf(1, 2);
  batch.records.insert(batch.records.begin() + 1, 2, batch.records[0]);
  for (uint64_t i = 0; i < 3; ++i) {
    batch.records[i].position.sub_sequence_number = i;
    batch.records[i].aggregated = true;
  }
  options_.checkpoint_interval = absl::Hours(1);  // At the end alone.
  // Two lines of the number alone, of three records.
  Make(absl::StrCat("head -n 2 | ", kNumberOfLine, "; cat > /dev/null"));
  ASSERT_TRUE(Give(batch).ok());
  while (acknowledged_ < 2) ASSERT_TRUE(Give({}).ok());
  checkpointer_.End();
  processor_->OnHandOff(checkpointer_);
  EXPECT_EQ(acknowledged_, 2u);
}

TEST_F(ShardProgramTest, WhatWasNotGivenCannotBeAcknowledged) {
  const std::string number = PositionOf(9).sequence_number;
  Make(absl::StrCat("echo ", number, "; echo ", number, "; cat"));
  ASSERT_TRUE(Give(RecordsOf(1, 2)).ok());
  AwaitCheckpoint(2);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_THAT(told_[0], HasSubstr("which it was not given"));
}

TEST_F(ShardProgramTest, WhatCannotBePrintedIsNotCheckpointed) {
  options_.ack = AckMode::kRead;
  flush_ = absl::AbortedError("closed");
  Make("cat");
  (void)Give(RecordsOf(1, 1));
  while (gave_up_.ok()) (void)Give({});
  EXPECT_EQ(gave_up_.message(), "closed");
  processor_->OnHandOff(checkpointer_);
  EXPECT_EQ(checkpointer_.last(), 0);
}

TEST(AcknowledgementTest, IsANumberAloneOrInAnObject) {
  const std::string number(56, '4');
  EXPECT_EQ(ParseAcknowledgement(number + "\r\n")->sequence_number, number);
  const auto object = ParseAcknowledgement(absl::StrCat(
      R"( {"SequenceNumber": ")", number, R"(", "SubSequenceNumber": 3} )"));
  ASSERT_TRUE(object.has_value());
  EXPECT_EQ(object->sequence_number, number);
  EXPECT_EQ(object->sub_sequence_number, 3u);
  for (const std::string& other :
       {std::string("\n"), std::string(55, '4'), std::string("{"),
        std::string(R"({"SequenceNumber": 4})"),
        std::string(R"({"SequenceNumber": "4"})"),
        absl::StrCat(R"({"SequenceNumber": ")", number,
                     R"(", "SubSequenceNumber": -1})")}) {
    EXPECT_FALSE(ParseAcknowledgement(other).has_value()) << other;
  }
}

}  // namespace
}  // namespace trireme::cli
