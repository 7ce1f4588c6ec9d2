// How long a ShardConsumer holds a lease that is handed off.
#include <chrono>
#include <memory>

#include "absl/synchronization/notification.h"
#include "client/client.h"
#include "client/shard_consumer.h"
#include "gtest/gtest.h"
#include "tests/unit/fake_trireme.h"

namespace trireme::client {
namespace {

// Finishes when the test says so.
class SlowShard : public RecordProcessor {
 public:
  struct Switches {
    absl::Notification handing_off;
    absl::Notification finish;
    Checkpointer* checkpointer = nullptr;  // Once it hands off.
  };
  explicit SlowShard(Switches& switches) : switches_(switches) {}

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

TEST(ShardConsumerTest, ALeaseIsRenewedWhileItIsHandedOff) {
  testing::FakeTrireme fake;
  ClientOptions options;
  options.endpoints = {fake.address()};
  const auto client = Client::Create(options);
  ASSERT_TRUE(client.ok());
  ASSERT_TRUE((*client)->CreateStream("s", 1).ok());
  SlowShard::Switches switches;
  const ReadingOptions reading;
  const RecordProcessorFactory factory = [&](const ShardLease&) {
    return std::make_unique<SlowShard>(switches);
  };
  const auto context = std::make_shared<ShardContext>(ShardContext{
      **client, reading, factory, "s", "g", "w", [] {}, [](auto, auto&) {}});
  v1::WorkerLease lease;
  lease.set_shard_id("shardId-000000000000");
  const MonotonicTime now = std::chrono::steady_clock::now();
  const auto hour = std::chrono::hours(1);

  ShardConsumer shard(context, {}, lease, now + hour);
  shard.HandOff(now + 2 * hour);
  switches.handing_off.WaitForNotification();
  EXPECT_TRUE(switches.checkpointer->holds_lease());
  // Heartbeats go on, and say how long: here, that it is over.
  shard.Renew(now);
  EXPECT_FALSE(switches.checkpointer->holds_lease());
  shard.Renew(now + 3 * hour);
  EXPECT_TRUE(switches.checkpointer->holds_lease());
  switches.finish.Notify();
}

}  // namespace
}  // namespace trireme::client
