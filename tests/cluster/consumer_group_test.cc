// Consumer groups whose workers are killed and paused, and whose nodes die,
// while shards split and merge: every record is processed, in order, parents
// first.
#include "client/error.h"
#include "tests/cluster/cluster_test.h"
#include "tests/cluster/group_workers.h"

namespace trireme {
namespace {

constexpr int kLeaseMs = 2'000;

class ConsumerGroupTest : public ClusterTest {
 protected:
  ConsumerGroupTest() : workers_(cluster_, "load", kLeaseMs) {
    options_.shards = 4;
    options_.batchers = 1;
    options_.producers = 1;
    options_.streamers = 1;
    options_.batch_records = 5;
  }

  void SetUp() override {
    ClusterTest::SetUp();
    client_ = cluster_.ClientOfAll();
  }

  void UpdateTo(int target) {
    ASSERT_OK(client_->UpdateShardCount("load", target).status());
    ASSERT_OK(client_->WaitUntilActive("load", absl::Seconds(30)));
  }
  // The workers process so many more.
  void ExpectProcessing(const char* after, size_t records = 500) {
    const size_t before = workers_.TakeAll().size();
    EXPECT_TRUE(Await([&] {
      return workers_.TakeAll().size() > before + records;
    })) << "processing stopped after "
        << after;
  }
  // Each of the first shards, while there are no others.
  void ExpectProcessingOfEachShard(const char* after, size_t records) {
    std::map<std::string, size_t> before;
    for (const Processed& one : workers_.TakeAll()) ++before[one.shard];
    const auto grown = [&] {
      std::map<std::string, size_t> now;
      for (const Processed& one : workers_.TakeAll()) ++now[one.shard];
      size_t count = 0;
      for (const auto& [shard, processed] : now) {
        count += processed > before[shard] + records;
      }
      return count >= static_cast<size_t>(options_.shards);
    };
    EXPECT_TRUE(Await(grown)) << "processing stopped after " << after;
  }
  void CheckProcessing() {
    EXPECT_TRUE(Await([&] {
      return GroupWorkers::IsCaughtUp(*client_, "load");
    })) << "the group does not catch up";
    for (const std::string& worker : workers_.running()) {
      const auto code = workers_.Terminate(worker);
      ASSERT_OK(code.status());
      EXPECT_EQ(*code, 0);
    }
    const auto shards = client_->ListShards("load");
    ASSERT_OK(shards.status());
    const std::vector<Processed> processed = workers_.TakeAll();
    const auto again = CheckProcessed(processed, stored_, *shards);
    ASSERT_OK(again.status());
    std::printf("  %zu processed, %zu of them again\n", processed.size(),
                *again);
  }
  // The longest that a shard stood still, from `since` on.
  absl::Duration LongestPause(int64_t since_ns) const {
    std::map<std::string, int64_t> last;
    int64_t longest = 0;
    for (const Processed& one : workers_.TakeAll()) {
      const auto [at, is_first] = last.try_emplace(one.shard, one.at_ns);
      if (!is_first && one.at_ns > since_ns) {
        longest = std::max(longest, one.at_ns - at->second);
      }
      at->second = one.at_ns;
    }
    return absl::Nanoseconds(longest);
  }
  int64_t LastNanos() const {
    const auto all = workers_.TakeAll();
    return all.empty() ? 0 : all.back().at_ns;
  }

  std::unique_ptr<client::Client> client_;
  GroupWorkers workers_;
};

TEST_F(ConsumerGroupTest, AKilledWorkersShardsGoOnWithTheOthers) {
  Load load(cluster_, options_, &history_);
  workers_.Start("a");
  workers_.Start("b");
  ExpectProcessingOfEachShard("the start", 200);
  const int64_t killed_ns = LastNanos();
  workers_.Kill("a");
  ExpectProcessingOfEachShard("a worker's death", 2'000);
  std::printf("  longest pause of a shard: %.0f ms (to be under %d)\n",
              absl::ToDoubleMilliseconds(LongestPause(killed_ns)),
              2 * kLeaseMs);
  workers_.Start("a");
  workers_.Start("c", /*polls=*/true);
  ExpectProcessingOfEachShard("two have joined", 2'000);
  CheckAll(&load);
  CheckProcessing();
}

TEST_F(ConsumerGroupTest, NothingIsSkippedWhateverDiesWhileShardsChange) {
  Load load(cluster_, options_, &history_);
  for (const char* worker : {"a", "b"}) workers_.Start(worker);
  workers_.Start("p", /*polls=*/true);
  ExpectProcessing("the start");
  workers_.Pause("a");
  UpdateTo(8);
  ExpectProcessing("a split");
  workers_.Kill("b");
  workers_.Start("c");
  UpdateTo(4);
  workers_.Resume("a");
  ExpectProcessing("a merge");
  const absl::StatusOr<int> leader = cluster_.LeaderOf(0, 0);
  ASSERT_OK(leader.status());
  cluster_.Kill(*leader);
  workers_.Pause("p");
  UpdateTo(6);
  ExpectProcessing("the death of the meta group's leader");
  cluster_.Start(*leader);
  workers_.Resume("p");
  workers_.Start("b");
  UpdateTo(3);
  ExpectProcessing("all are back");
  CheckAll(&load);
  CheckProcessing();
}

// The calls that workers make, by hand and through different nodes.
TEST_F(ConsumerGroupTest, TheCallsSayWhatTheyDidAndWhatIsWrong) {
  v1::JoinConsumerGroupRequest join;
  join.set_stream_name("load");
  join.set_group_name("by-hand");
  join.set_worker_id("w");
  const auto client = cluster_.ClientOf(1);
  const auto joined = client->JoinConsumerGroup(join);
  ASSERT_OK(joined.status());
  EXPECT_EQ(joined->settings().lease_duration_ms(), 10'000);
  EXPECT_EQ(joined->settings().hand_off_timeout_ms(), 30'000);

  v1::HeartbeatRequest heartbeat;
  *heartbeat.mutable_worker() = joined->worker();
  const auto beat = [&](int node) {
    return cluster_.ClientOf(node)->Heartbeat(heartbeat,
                                              absl::Now() + absl::Seconds(5));
  };
  v1::HeartbeatResponse leases;
  ASSERT_TRUE(Await([&] {
    const auto response = beat(2);
    if (response.ok()) leases = *response;
    return leases.leases_size() == options_.shards;
  }));
  EXPECT_EQ(leases.leases(0).details().checkpoint().kind(),
            v1::ShardPosition::TRIM_HORIZON);

  v1::PutRecordRequest put;
  put.set_stream_name("load");
  put.set_explicit_hash_key("0");
  put.set_partition_key("k");
  const auto first = client->PutRecord(put);
  const auto second = client->PutRecord(put);
  ASSERT_OK(second.status());
  v1::CheckpointRequest request;
  *request.mutable_worker() = joined->worker();
  const auto checkpoint = [&](const v1::WorkerLease& lease,
                              const std::string& number) {
    request.clear_checkpoints();
    v1::ShardCheckpoint& one = *request.add_checkpoints();
    one.set_shard_id(lease.shard_id());
    one.set_lease_counter(lease.lease_counter());
    one.mutable_checkpoint()->set_kind(
        number.empty() ? v1::ShardPosition::SHARD_END
                       : v1::ShardPosition::SEQUENCE_NUMBER);
    one.mutable_checkpoint()->set_sequence_number(number);
    const auto response = cluster_.ClientOf(0)->Checkpoint(request);
    return response.ok() ? response->results(0).error_code()
                         : client::Reason(response.status());
  };
  EXPECT_EQ(checkpoint(leases.leases(0), second->sequence_number()), "");
  EXPECT_EQ(checkpoint(leases.leases(0), first->sequence_number()),
            "InvalidArgumentException");
  EXPECT_EQ(checkpoint(leases.leases(0), ""), "InvalidArgumentException");
  EXPECT_EQ(checkpoint(leases.leases(1), second->sequence_number()),
            "InvalidArgumentException");
  v1::WorkerLease other = leases.leases(0);
  other.set_lease_counter(other.lease_counter() + 1);
  EXPECT_EQ(checkpoint(other, second->sequence_number()), "LeaseLostException");

  const auto group = client->DescribeConsumerGroup("load", "by-hand");
  ASSERT_OK(group.status());
  EXPECT_EQ(group->leases(0).checkpoint().sequence_number(),
            second->sequence_number());
  EXPECT_EQ(group->leases(0).millis_behind(), 0);
  EXPECT_EQ(group->leases(0).worker_id(), "w");
  EXPECT_EQ(client::Reason(client->DeleteConsumerGroup("load", "by-hand")),
            "ResourceInUseException");
  ASSERT_OK(client->JoinConsumerGroup(join).status());
  EXPECT_EQ(client::Reason(beat(0).status()), "WorkerReplacedException");
}

}  // namespace
}  // namespace trireme
