// Batches of a shard that are worked on at once. What a test waits for it waits
// for by condition: the lanes' threads run as they like.
#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/batch_fixture.h"

namespace trireme::client {
namespace {

// What the functions of all lanes have done. Fails where it is told to.
class Ledger {
 public:
  BatchResult Handle(const Batch& batch) {
    absl::MutexLock lock(&mu_);
    ++calls_;
    mu_.Await(absl::Condition(&open_));
    for (const UserRecord& record : batch.records) {
      int& failures = failures_[record.partition_key];
      if (failures > 0) {
        --failures;
        return Failed();
      }
    }
    const bool fails_at_last = Happens();
    for (const UserRecord& record : batch.records) {
      if (Happens()) return FailedAt({NumberOf(record.position)});
      done_[record.partition_key].push_back(NumberOf(record.position));
      all_.insert(NumberOf(record.position));
    }
    return fails_at_last ? Failed() : BatchResult{};
  }

  void SetOpen(bool open) {
    absl::MutexLock lock(&mu_);
    open_ = open;
  }
  // The next `times` batches with this key fail.
  void FailKey(const std::string& key, int times) {
    absl::MutexLock lock(&mu_);
    failures_[key] = times;
  }
  // Percent of the records, and of the batches.
  void SetFailureRate(uint64_t rate) {
    absl::MutexLock lock(&mu_);
    failure_rate_ = rate;
  }
  // Every record up to it is done.
  bool AllDone(int number) const {
    absl::MutexLock lock(&mu_);
    while (all_.contains(all_through_ + 1)) ++all_through_;
    return all_through_ >= number;
  }
  void AwaitDone(size_t records) {
    const auto reached = [this, records]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return all_.size() >= records;
    };
    absl::MutexLock lock(&mu_);
    EXPECT_TRUE(mu_.AwaitWithTimeout(absl::Condition(&reached), kPatience));
  }
  void AwaitCalls(int calls) {
    const auto reached = [this, calls]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return calls_ >= calls;
    };
    absl::MutexLock lock(&mu_);
    EXPECT_TRUE(mu_.AwaitWithTimeout(absl::Condition(&reached), kPatience));
  }
  std::map<std::string, std::vector<int>> done() const {
    absl::MutexLock lock(&mu_);
    return done_;
  }

 private:
  bool Happens() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return random_() % 100 < failure_rate_;
  }

  mutable absl::Mutex mu_;
  bool open_ ABSL_GUARDED_BY(mu_) = true;
  int calls_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<std::string, int> failures_ ABSL_GUARDED_BY(mu_);
  uint64_t failure_rate_ ABSL_GUARDED_BY(mu_) = 0;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mu_){7};
  std::map<std::string, std::vector<int>> done_ ABSL_GUARDED_BY(mu_);
  std::set<int> all_ ABSL_GUARDED_BY(mu_);
  mutable int all_through_ ABSL_GUARDED_BY(mu_) = 0;
};

class LedgerFunction : public BatchFunction {
 public:
  explicit LedgerFunction(Ledger& ledger) : ledger_(ledger) {}
  BatchResult Handle(const Batch& batch) override {
    return ledger_.Handle(batch);
  }

 private:
  Ledger& ledger_;
};

// Checks each checkpoint against the ledger.
class CheckedCheckpointer : public FakeCheckpointer {
 public:
  explicit CheckedCheckpointer(const Ledger& ledger) : ledger_(ledger) {}
  absl::Status Checkpoint(const RecordPosition& position) override {
    EXPECT_TRUE(ledger_.AllDone(NumberOf(position))) << NumberOf(position);
    return FakeCheckpointer::Checkpoint(position);
  }

 private:
  const Ledger& ledger_;
};

class ParallelBatchesTest : public testing::Test {
 protected:
  ParallelBatchesTest() {
    options_.batch_size = 1;
    options_.parallelization_factor = 4;
    // Each look at the clock is later than the longest pause.
    options_.now = [this] {
      return TestStart() + absl::Seconds(seconds_ += 11);
    };
  }

  void Start() {
    const auto factory =
        MakeBatchProcessorFactory(options_, [this](const ShardLease&) {
          ++functions_;
          return std::make_unique<LedgerFunction>(ledger_);
        });
    ASSERT_TRUE(factory.ok()) << factory.status();
    processor_ = (*factory)(ShardLease{"orders", "group", "worker", "shard"});
  }
  static std::string KeyOf(int number, int keys) {
    return absl::StrCat("key ", number % keys);
  }
  absl::Status Give(int first, int last, int keys) {
    RecordBatch batch;
    for (int i = first; i <= last; ++i) {
      batch.records.push_back(RecordOf(i, KeyOf(i, keys)));
    }
    return processor_->Process(batch, checkpointer_);
  }
  // As the consumer does: what is refused is given again.
  void GiveUntilTaken(int first, int last, int keys) {
    while (!Give(first, last, keys).ok()) std::this_thread::yield();
  }
  void EndShard() {
    while (!processor_->OnShardEnd(checkpointer_).ok()) {
      std::this_thread::yield();
    }
  }

  std::atomic<int64_t> seconds_ = 0;
  BatchOptions options_;
  Ledger ledger_;
  CheckedCheckpointer checkpointer_{ledger_};
  std::atomic<int> functions_ = 0;
  std::unique_ptr<RecordProcessor> processor_;
};

TEST_F(ParallelBatchesTest, EachLaneHasAFunctionOfItsOwn) {
  Start();
  EXPECT_EQ(functions_, 4);
}

TEST_F(ParallelBatchesTest, NoCheckpointComesAfterTheEndOfTheShard) {
  options_.parallelization_factor = 10;
  for (int round = 0; round < 100; ++round) {
    Start();
    ASSERT_TRUE(Give(30 * round + 1, 30 * round + 30, 17).ok());
    EndShard();
    ASSERT_EQ(checkpointer_.last(), 30 * round + 30);
  }
}

TEST_F(ParallelBatchesTest, AKeyThatFailsBlocksOnlyItsLane) {
  options_.batch_size = 100;
  ledger_.FailKey("key 3", 1'000'000'000);
  Start();
  ASSERT_TRUE(Give(1, 100, 20).ok());
  ledger_.AwaitDone(1);  // Another lane's.
  EXPECT_LT(checkpointer_.last(), 3);
  EXPECT_FALSE(ledger_.done().contains("key 3"));
  ledger_.FailKey("key 3", 0);
  checkpointer_.Await(100);
  EXPECT_TRUE(ledger_.AllDone(100));
}

TEST_F(ParallelBatchesTest, ProcessWaitsForRoom) {
  options_.batch_size = 2;
  ledger_.SetOpen(false);
  Start();
  ASSERT_TRUE(Give(1, 8, 100).ok());
  std::atomic<bool> taken = false;
  std::thread giver([&] {
    EXPECT_TRUE(Give(9, 16, 100).ok());
    taken = true;
  });
  ledger_.AwaitCalls(1);
  EXPECT_FALSE(taken);
  ledger_.SetOpen(true);
  giver.join();
  checkpointer_.Await(16);
}

TEST_F(ParallelBatchesTest, ProcessDoesNotWaitForRoomWhenTheLeaseIsToBeLeft) {
  options_.batch_size = 2;
  ledger_.SetOpen(false);
  Start();
  ASSERT_TRUE(Give(1, 8, 100).ok());
  ledger_.AwaitCalls(1);
  checkpointer_.End();
  EXPECT_TRUE(absl::IsUnavailable(Give(9, 16, 100)));
  ledger_.SetOpen(true);
}

TEST_F(ParallelBatchesTest, ARetryDoesNotHoldUpAHandOff) {
  for (const int key : {0, 1, 2}) {
    ledger_.FailKey(KeyOf(key, 3), 1'000'000'000);
  }
  options_.batch_size = 100;
  options_.now = [] { return TestStart(); };
  Start();
  ASSERT_TRUE(Give(1, 30, 3).ok());
  ledger_.AwaitCalls(1);
  checkpointer_.End();
  processor_->OnHandOff(checkpointer_);
  EXPECT_EQ(checkpointer_.last(), 0);
}

TEST_F(ParallelBatchesTest, ARecordWithoutAKeyGoesToAnyLane) {
  options_.batch_size = 1;
  ledger_.SetOpen(false);
  Start();
  RecordBatch batch;
  for (int i = 1; i <= 100; ++i) batch.records.push_back(RecordOf(i, ""));
  ASSERT_TRUE(processor_->Process(batch, checkpointer_).ok());
  ledger_.AwaitCalls(2);
  ledger_.SetOpen(true);
  checkpointer_.Await(100);
}

class RandomParallelBatchesTest : public ParallelBatchesTest,
                                  public testing::WithParamInterface<int> {};

// Keys fail and recover, functions fail at random or report records: each key's
// records are done in order, each at least once, and no checkpoint passes one
// that is not done.
TEST_P(RandomParallelBatchesTest, NothingIsLostAndKeysStayInOrder) {
  constexpr int kRecords = 3000;
  constexpr int kKeys = 17;
  options_.parallelization_factor = GetParam();
  options_.batch_size = 1 + GetParam();
  options_.report_batch_item_failures = true;
  options_.bisect_on_error = GetParam() % 2 == 1;
  ledger_.SetFailureRate(5);
  Start();
  std::mt19937_64 random(static_cast<uint64_t>(GetParam()));
  for (int next = 1; next <= kRecords;) {
    const int last = std::min(kRecords, next + static_cast<int>(random() % 40));
    ledger_.FailKey(KeyOf(static_cast<int>(random() % kKeys), kKeys), 3);
    GiveUntilTaken(next, last, kKeys);
    next = last + 1;
  }
  EndShard();
  EXPECT_EQ(checkpointer_.last(), kRecords);
  EXPECT_TRUE(ledger_.AllDone(kRecords));
  for (const auto& [key, numbers] : ledger_.done()) {
    // It may go back to what was done before, but leaves out nothing.
    int before = 0;
    for (const int number : numbers) {
      EXPECT_LE(number, before + kKeys) << key;
      before = number;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Factors, RandomParallelBatchesTest,
                         testing::Values(2, 3, 10));

}  // namespace
}  // namespace trireme::client
