// A Consumer in a group of its own, on a server that gives it every shard.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client/consumer.h"
#include "client/error.h"
#include "tests/unit/fake_client_test.h"

namespace trireme::client {
namespace {

constexpr char kShard[] = "shardId-000000000000";
constexpr absl::Duration kPatience = absl::Seconds(20);

// What the processors of a consumer did, in order.
class Journal {
 public:
  void Add(const std::string& line) {
    absl::MutexLock lock(&mu_);
    lines_.push_back(line);
  }
  bool AwaitLines(size_t count) {
    absl::MutexLock lock(&mu_);
    const auto enough = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return lines_.size() >= count;
    };
    return mu_.AwaitWithTimeout(absl::Condition(&enough), kPatience);
  }
  std::vector<std::string> lines() const {
    absl::MutexLock lock(&mu_);
    return lines_;
  }

 private:
  mutable absl::Mutex mu_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mu_);
};

// "0 a": a record of shard 0; "0 end", "0 hand-off", "0 lost".
class Notes : public RecordProcessor {
 public:
  Notes(Journal& journal, const ShardLease& lease)
      : journal_(journal), shard_(lease.shard_id.substr(19)) {}

  absl::Status Process(const RecordBatch& batch, Checkpointer&) override {
    for (const UserRecord& record : batch.records) Note(record.data);
    return absl::OkStatus();
  }
  absl::Status OnShardEnd(Checkpointer&) override {
    Note("end");
    return absl::OkStatus();
  }
  void OnHandOff(Checkpointer&) override { Note("hand-off"); }
  void OnLeaseLost() override { Note("lost"); }

 private:
  void Note(const std::string& what) {
    journal_.Add(absl::StrCat(shard_, " ", what));
  }

  Journal& journal_;
  const std::string shard_;
};

class ConsumerTest : public FakeClientTest {
 protected:
  void Put(const std::string& data) {
    v1::PutRecordRequest request;
    request.set_stream_name("s");
    request.set_partition_key("k");
    request.set_data(data);
    ASSERT_TRUE(client_->PutRecord(request).ok());
  }
  static ConsumerOptions Options() {
    ConsumerOptions options;
    options.stream_name = "s";
    options.group_name = "g";
    options.worker_id = "w";
    options.lease_duration = absl::Seconds(1);
    options.reading.checkpoint_interval = absl::Milliseconds(10);
    return options;
  }
  RecordProcessorFactory NoteAll() {
    return [this](const ShardLease& lease) {
      return std::make_unique<Notes>(journal_, lease);
    };
  }
  std::string CheckpointOf(const v1::Record& record) {
    return fake_
        .AwaitCheckpoint("s", "g", kShard,
                         [&](const v1::ShardPosition& at) {
                           return at.sequence_number() ==
                                  record.sequence_number();
                         })
        .sequence_number();
  }

  Journal journal_;
};

TEST_F(ConsumerTest, WhatIsProcessedIsCheckpointedByItself) {
  for (const char* data : {"a", "b", "c"}) Put(data);
  Consumer consumer(*client_, Options(), NoteAll());
  ASSERT_TRUE(journal_.AwaitLines(3));
  const v1::Record last = fake_.records("s").back();
  EXPECT_EQ(CheckpointOf(last), last.sequence_number());
  consumer.Stop();
  EXPECT_TRUE(consumer.Wait().ok());
  EXPECT_EQ(journal_.lines(),
            (std::vector<std::string>{"0 a", "0 b", "0 c", "0 hand-off"}));
  EXPECT_EQ(fake_.calls("LeaveConsumerGroup"), 1);
  EXPECT_EQ(consumer.metrics().records, 3u);
  EXPECT_EQ(consumer.metrics().leases_lost, 0u);
}

TEST_F(ConsumerTest, AShardIsReadToItsEndBeforeItsChildren) {
  Put("a");
  fake_.SplitShard("s", kShard);
  Put("b");
  Consumer consumer(*client_, Options(), NoteAll());
  ASSERT_TRUE(journal_.AwaitLines(3));
  consumer.Stop();
  const std::vector<std::string> lines = journal_.lines();
  EXPECT_EQ(lines[0], "0 a");
  EXPECT_EQ(lines[1], "0 end");
  EXPECT_TRUE(lines[2] == "1 b" || lines[2] == "2 b") << lines[2];
}

// Takes the first record of each batch, and not the rest.
class TakesTheFirst : public RecordProcessor {
 public:
  explicit TakesTheFirst(Journal& journal) : journal_(journal) {}

  absl::Status Process(const RecordBatch& batch, Checkpointer&) override {
    if (!batch.records.empty()) first_ = batch.records.front().position;
    journal_.Add("given");
    return absl::UnavailableError("later");
  }
  bool checkpoints_itself() const override { return true; }
  void OnHandOff(Checkpointer& checkpointer) override {
    journal_.Add(checkpointer.Checkpoint(first_).ToString());
    RecordPosition beyond = first_;
    beyond.sequence_number.back() = '9';
    journal_.Add(std::string(checkpointer.Checkpoint(beyond).message()));
  }

 private:
  Journal& journal_;
  RecordPosition first_;
};

TEST_F(ConsumerTest, WhatIsDoneOfARefusedBatchCanBeCheckpointed) {
  for (const char* data : {"a", "b", "c"}) Put(data);
  Consumer consumer(*client_, Options(), [this](const ShardLease&) {
    return std::make_unique<TakesTheFirst>(journal_);
  });
  ASSERT_TRUE(journal_.AwaitLines(1));
  consumer.Stop();
  const std::vector<std::string> lines = journal_.lines();
  ASSERT_GE(lines.size(), 3u);
  EXPECT_EQ(lines[lines.size() - 2], "OK");
  EXPECT_NE(lines.back().find("comes after the last record that was given"),
            std::string::npos)
      << lines.back();
  const v1::Record first = fake_.records("s").front();
  EXPECT_EQ(CheckpointOf(first), first.sequence_number());
}

TEST_F(ConsumerTest, AWorkerThatWasExpiredJoinsAgain) {
  Put("a");
  fake_.FailNext("Heartbeat",
                 testing::TypedError(grpc::StatusCode::FAILED_PRECONDITION,
                                     "WorkerExpiredException", "too late"));
  Consumer consumer(*client_, Options(), NoteAll());
  ASSERT_TRUE(journal_.AwaitLines(1));
  EXPECT_EQ(fake_.calls("JoinConsumerGroup"), 2);
}

TEST_F(ConsumerTest, AGroupThatWasDeletedIsNotMadeAgain) {
  Put("a");
  Consumer consumer(*client_, Options(), NoteAll());
  ASSERT_TRUE(journal_.AwaitLines(1));
  ASSERT_TRUE(client_->DeleteConsumerGroup("s", "g").ok());
  EXPECT_EQ(Reason(consumer.Wait()), "ResourceNotFoundException");
  EXPECT_EQ(journal_.lines(), (std::vector<std::string>{"0 a", "0 lost"}));
  EXPECT_EQ(consumer.metrics().leases_lost, 1u);
}

TEST_F(ConsumerTest, WhatRepeatingDoesNotCureEndsIt) {
  const auto end_of = [this](const ConsumerOptions& options) {
    std::vector<std::string> told;
    ConsumerOptions with = options;
    with.on_error = [&](absl::string_view, const absl::Status& status) {
      told.push_back(Reason(status));
    };
    Consumer consumer(*client_, with, NoteAll());
    const std::string reason = Reason(consumer.Wait());
    EXPECT_EQ(told, std::vector<std::string>{reason});
    return reason;
  };
  ConsumerOptions of_no_stream = Options();
  of_no_stream.stream_name = "no";
  EXPECT_EQ(end_of(of_no_stream), "ResourceNotFoundException");
  ConsumerOptions of_no_records = Options();
  of_no_records.reading.records_max = 0;
  EXPECT_EQ(end_of(of_no_records), "InvalidArgumentException");
  fake_.FailNext("Heartbeat",
                 testing::TypedError(grpc::StatusCode::FAILED_PRECONDITION,
                                     "WorkerReplacedException", "another"));
  EXPECT_EQ(end_of(Options()), "WorkerReplacedException");
}

}  // namespace
}  // namespace trireme::client
