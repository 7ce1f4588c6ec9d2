#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "client/batch_processor.h"
#include "client/lease_clock.h"
#include "client/shard_consumer.h"
#include "tests/unit/fake_client_test.h"

namespace trireme::client {
namespace {

constexpr char kShard[] = "shardId-000000000000";

class ShardConsumerTest : public FakeClientTest {
 protected:
  void Put(int count) {
    for (int i = 0; i < count; ++i) {
      v1::PutRecordRequest request;
      request.set_stream_name("s");
      request.set_partition_key("k");
      request.set_data(absl::StrCat(i));
      ASSERT_TRUE(client_->PutRecord(request).ok());
    }
  }

  void Start(RecordProcessorFactory factory) {
    factory_ = std::move(factory);
    auto context = std::make_shared<ShardContext>(
        ShardContext{*client_, reading_, factory_, "s", "g", "w", [] {},
                     [](absl::string_view, const absl::Status&) {}});
    v1::WorkerLease lease;
    lease.set_shard_id(kShard);
    lease.mutable_details()->mutable_checkpoint()->set_kind(
        v1::ShardPosition::TRIM_HORIZON);
    consumer_.emplace(std::move(context), v1::WorkerHandle(), lease,
                      LeaseNow() + absl::Hours(1));
  }

  bool EventuallyProcessed(uint64_t records) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (consumer_->progress().records < records) {
      if (absl::Now() >= deadline) return false;
      client_->cancellation().WaitFor(absl::Milliseconds(5));
    }
    return true;
  }

  ReadingOptions reading_;
  RecordProcessorFactory factory_;
  std::optional<ShardConsumer> consumer_;  // Uses the above.
};

class Accepts : public RecordProcessor {
 public:
  absl::Status Process(const RecordBatch&, Checkpointer&) override {
    return absl::OkStatus();
  }
};

TEST_F(ShardConsumerTest, WhatIsProcessedIsToBeCheckpointed) {
  Put(3);
  Start([](const ShardLease&) { return std::make_unique<Accepts>(); });
  ASSERT_TRUE(EventuallyProcessed(3));
  EXPECT_EQ(consumer_->ToCheckpoint(), consumer_->progress().processed);
}

// Always fails.
class Fails : public BatchFunction {
 public:
  BatchResult Handle(const Batch&) override {
    return {absl::InternalError("no")};
  }
};

TEST_F(ShardConsumerTest, ABatchThatFailedIsNotCheckpointedForIt) {
  Put(3);
  auto factory = MakeBatchProcessorFactory(
      {}, [](const ShardLease&) { return std::make_unique<Fails>(); });
  ASSERT_TRUE(factory.ok());
  Start(*std::move(factory));
  // Taken by the processor, which tries it again and again.
  ASSERT_TRUE(EventuallyProcessed(3));
  EXPECT_EQ(consumer_->ToCheckpoint(), std::nullopt);
}

// Finishes when the test says so.
class SlowRecords : public RecordProcessor {
 public:
  struct Switches {
    absl::Notification handing_off;
    absl::Notification finish;
    Checkpointer* checkpointer = nullptr;  // Once it hands off.
  };
  explicit SlowRecords(Switches& switches) : switches_(switches) {}

  absl::Status Process(const RecordBatch&, Checkpointer&) override {
    return absl::OkStatus();
  }
  void OnHandOff(Checkpointer& checkpointer) override {
    switches_.checkpointer = &checkpointer;
    switches_.handing_off.Notify();
    switches_.finish.WaitForNotification();
  }

 private:
  Switches& switches_;
};

TEST_F(ShardConsumerTest, ALeaseIsRenewedWhileItIsHandedOff) {
  SlowRecords::Switches switches;
  const absl::Duration now = LeaseNow();
  const auto hour = absl::Hours(1);
  Start([&](const ShardLease&) {
    return std::make_unique<SlowRecords>(switches);
  });
  consumer_->HandOff(now + 2 * hour);
  switches.handing_off.WaitForNotification();
  EXPECT_TRUE(switches.checkpointer->holds_lease());
  // Heartbeats go on, and say how long: here, that it is over.
  consumer_->Renew(now);
  EXPECT_FALSE(switches.checkpointer->holds_lease());
  consumer_->Renew(now + 3 * hour);
  EXPECT_TRUE(switches.checkpointer->holds_lease());
  switches.finish.Notify();
  consumer_.reset();
}

}  // namespace
}  // namespace trireme::client
