// What the tests of batches work with: a shard whose records, time, checkpoints
// and failures the test makes, and a function that it scripts.
#ifndef TRIREME_TESTS_UNIT_BATCH_FIXTURE_H_
#define TRIREME_TESTS_UNIT_BATCH_FIXTURE_H_

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/batch_processor.h"
#include "gtest/gtest.h"

namespace trireme::client {

// Of waiting for what comes at once unless something is broken.
inline constexpr absl::Duration kPatience = absl::Seconds(20);

// Numbered from 1 on.
inline RecordPosition PositionOf(int number) {
  return {absl::StrFormat("%056d", number)};
}

inline int NumberOf(const RecordPosition& position) {
  return std::stoi(position.sequence_number);
}

inline absl::Time TestStart() { return absl::FromUnixSeconds(1'800'000'000); }

inline UserRecord RecordOf(int number, const std::string& key = "key",
                           absl::Time arrival = TestStart(),
                           const std::string& data = "") {
  UserRecord record;
  record.position = PositionOf(number);
  record.partition_key = key;
  record.approximate_arrival_timestamp = arrival;
  record.data = data.empty() ? absl::StrCat("data ", number) : data;
  return record;
}

inline RecordBatch RecordsOf(int first, int last) {
  RecordBatch batch;
  for (int i = first; i <= last; ++i) batch.records.push_back(RecordOf(i));
  return batch;
}

// A call of the function, as the test saw it.
struct Invocation {
  std::vector<int> records;  // Their numbers.
  int attempt = 0;
  // Of the window.
  std::string state;
  absl::Time start;
  absl::Time end;
  bool is_final = false;
  bool is_terminated_early = false;
};

using Script = std::function<BatchResult(const Invocation&)>;

inline Script Succeeds() {
  return [](const Invocation&) { return BatchResult{}; };
}

inline BatchResult Failed() { return {absl::InternalError("no")}; }

inline BatchResult FailedAt(std::vector<int> numbers) {
  BatchResult result;
  for (const int number : numbers) {
    result.failed.push_back(PositionOf(number));
  }
  return result;
}

// Fails while the batch has one of these.
inline Script FailsWith(std::vector<int> bad) {
  return [bad](const Invocation& call) {
    for (const int number : call.records) {
      if (std::count(bad.begin(), bad.end(), number) > 0) return Failed();
    }
    return BatchResult{};
  };
}

class FakeCheckpointer : public Checkpointer {
 public:
  absl::Status Checkpoint(const RecordPosition& position) override {
    absl::MutexLock lock(&mu_);
    if (!next_error_.ok()) return std::exchange(next_error_, absl::OkStatus());
    const int number = NumberOf(position);
    EXPECT_GT(number, taken_.empty() ? 0 : taken_.back());
    taken_.push_back(number);
    return absl::OkStatus();
  }
  absl::Status Checkpoint() override {
    ADD_FAILURE() << "not everything that was given is done";
    return absl::OkStatus();
  }
  absl::Status Prepare(const RecordPosition&, absl::string_view) override {
    return absl::OkStatus();
  }
  bool holds_lease() const override { return holds_lease_; }
  bool is_ending() const override { return is_ending_; }

  void End() { is_ending_ = true; }
  void LoseLease() { holds_lease_ = false; }
  void FailNext(absl::Status error) {
    absl::MutexLock lock(&mu_);
    next_error_ = std::move(error);
  }
  // The last one; 0: none.
  int last() const {
    absl::MutexLock lock(&mu_);
    return taken_.empty() ? 0 : taken_.back();
  }
  std::vector<int> taken() const {
    absl::MutexLock lock(&mu_);
    return taken_;
  }
  void Await(int number) {
    const auto reached = [this, number]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return !taken_.empty() && taken_.back() >= number;
    };
    absl::MutexLock lock(&mu_);
    EXPECT_TRUE(mu_.AwaitWithTimeout(absl::Condition(&reached), kPatience));
  }

 private:
  std::atomic<bool> holds_lease_ = true;
  std::atomic<bool> is_ending_ = false;
  mutable absl::Mutex mu_;
  std::vector<int> taken_ ABSL_GUARDED_BY(mu_);
  absl::Status next_error_ ABSL_GUARDED_BY(mu_);
};

// Keeps what it was sent, unless told to fail.
class FakeDestination : public FailureDestination {
 public:
  struct Sent {
    std::vector<int> records;
    DiscardReason reason;
    int invoke_count;
    std::optional<absl::Status> error;
    std::string request_id;
  };

  absl::Status Send(const DiscardedBatch& batch) override {
    Sent entry = {
        {}, batch.reason, batch.invoke_count, batch.error, batch.request_id};
    for (const UserRecord& record : batch.records) {
      entry.records.push_back(NumberOf(record.position));
    }
    absl::MutexLock lock(&mu_);
    tried.push_back(entry);
    if (failures > 0) {
      --failures;
      return absl::UnavailableError("destination is down");
    }
    sent.push_back(std::move(entry));
    return absl::OkStatus();
  }

  // Read when no lane works.
  int failures = 0;
  std::vector<Sent> tried;
  std::vector<Sent> sent;

 private:
  absl::Mutex mu_;
};

class FakeFunction : public BatchFunction {
 public:
  FakeFunction(Script& script, std::vector<Invocation>& calls)
      : script_(script), calls_(calls) {}

  BatchResult Handle(const Batch& batch) override {
    Invocation call = {{}, batch.attempt};
    for (const UserRecord& record : batch.records) {
      call.records.push_back(NumberOf(record.position));
    }
    if (batch.window.has_value()) {
      call.state = std::string(batch.window->state);
      call.start = batch.window->start;
      call.end = batch.window->end;
      call.is_final = batch.window->is_final;
      call.is_terminated_early = batch.window->is_terminated_early;
    }
    calls_.push_back(call);
    return script_(call);
  }

 private:
  Script& script_;
  std::vector<Invocation>& calls_;
};

// A shard without a parallelization factor: all on the test's thread. The
// clock stands still unless moved.
class BatchTest : public ::testing::Test {
 protected:
  BatchTest() {
    options.now = [this] { return now; };
    options.failure_destination = destination;
  }

  void Start() {
    const auto factory =
        MakeBatchProcessorFactory(options, [this](const ShardLease&) {
          return std::make_unique<FakeFunction>(script, calls);
        });
    ASSERT_TRUE(factory.ok()) << factory.status();
    processor = (*factory)(
        ShardLease{"orders", "group", "worker-1", "shardId-000000000003"});
  }
  absl::Status Give(const RecordBatch& batch) {
    return processor->Process(batch, checkpointer);
  }
  absl::Status Give(int first, int last) {
    return Give(RecordsOf(first, last));
  }
  // As the consumer does when nothing comes; false: never.
  bool WakeUp() {
    const absl::Time at = processor->NextWakeUp();
    if (at == absl::InfiniteFuture()) return false;
    now = std::max(now, at);
    EXPECT_TRUE(Give(RecordBatch{}).ok());
    return true;
  }
  // Until nothing is left to be done; 1000 times at most.
  void WakeUpUntilIdle() {
    int wakes = 0;
    while (WakeUp()) ASSERT_LT(++wakes, 1000);
  }
  std::vector<std::vector<int>> CalledWith() const {
    std::vector<std::vector<int>> records;
    for (const Invocation& call : calls) records.push_back(call.records);
    return records;
  }

  absl::Time now = TestStart();
  BatchOptions options;
  std::shared_ptr<FakeDestination> destination =
      std::make_shared<FakeDestination>();
  Script script = Succeeds();
  std::vector<Invocation> calls;
  FakeCheckpointer checkpointer;
  std::unique_ptr<RecordProcessor> processor;
};

}  // namespace trireme::client

#endif  // TRIREME_TESTS_UNIT_BATCH_FIXTURE_H_
