// Splits, merges and changes of the shard count while records are written:
// none lost, none twice, and the order of each key kept from parents to
// children.
#include "storage/hash_key.h"
#include "tests/cluster/cluster_test.h"

namespace trireme {
namespace {

class ReshardTest : public ClusterTest {
 protected:
  ReshardTest() { options_.shards = 4; }

  void SetUp() override {
    ClusterTest::SetUp();
    client_ = cluster_.ClientOfAll();
  }

  std::vector<v1::Shard> OpenShards() {
    auto shards = client_->ListShards(options_.stream);
    EXPECT_TRUE(shards.ok()) << shards.status().ToString();
    std::vector<v1::Shard> open;
    for (v1::Shard& shard : *shards) {
      if (shard.sequence_number_range().ending_sequence_number().empty()) {
        open.push_back(std::move(shard));
      }
    }
    std::sort(open.begin(), open.end(),
              [](const v1::Shard& a, const v1::Shard& b) {
                return StartOf(a) < StartOf(b);
              });
    return open;
  }
  static HashKey StartOf(const v1::Shard& shard) {
    return *ParseExplicitHashKey(shard.hash_key_range().starting_hash_key());
  }
  static HashKey EndOf(const v1::Shard& shard) {
    return *ParseExplicitHashKey(shard.hash_key_range().ending_hash_key());
  }

  void Split(const v1::Shard& shard) {
    v1::SplitShardRequest request;
    request.set_stream_name(options_.stream);
    request.set_shard_to_split(shard.shard_id());
    request.set_new_starting_hash_key(
        HashKeyToString(StartOf(shard) + (EndOf(shard) - StartOf(shard)) / 2));
    AwaitReshard(client_->SplitShard(request));
  }
  void Merge(const v1::Shard& shard, const v1::Shard& adjacent) {
    v1::MergeShardsRequest request;
    request.set_stream_name(options_.stream);
    request.set_shard_to_merge(shard.shard_id());
    request.set_adjacent_shard_to_merge(adjacent.shard_id());
    AwaitReshard(client_->MergeShards(request));
  }
  void UpdateTo(int target) {
    AwaitReshard(client_->UpdateShardCount(options_.stream, target).status());
    EXPECT_EQ(OpenShards().size(), static_cast<size_t>(target));
  }
  void AwaitReshard(const absl::Status& begun) {
    ASSERT_OK(begun);
    ASSERT_OK(client_->WaitUntilActive(options_.stream, absl::Seconds(20)));
  }

  // Many more are acked, of all kinds of writers together.
  void ExpectWrites() {
    const size_t before = history_.acked_count();
    EXPECT_TRUE(Await([&] { return history_.acked_count() > before + 2'000; }))
        << "writes stopped";
  }
  void TellWait(absl::Time since) {
    std::printf("  longest wait of a write: %.0f ms (to be under 500)\n",
                absl::ToDoubleMilliseconds(history_.LongestWait(since)));
  }

  std::unique_ptr<client::Client> client_;
};

TEST_F(ReshardTest, KeepsEveryRecordAndEachKeysOrder) {
  Load load(cluster_, options_, &history_);
  ExpectWrites();
  const absl::Time began = absl::Now();
  for (int round = 0; round < 3; ++round) {
    Split(OpenShards().front());
    Split(OpenShards().back());
    ExpectWrites();
    UpdateTo(10);
    ExpectWrites();
    UpdateTo(5);
    Merge(OpenShards()[1], OpenShards()[0]);
    ExpectWrites();
  }
  TellWait(began);
  CheckAll(&load);
}

TEST_F(ReshardTest, GoesOnAfterTheDeathOfWhoeverDrivesIt) {
  Load load(cluster_, options_, &history_);
  ExpectWrites();
  for (int node = 0; node < ClusterProcess::kNodes; ++node) {
    const absl::StatusOr<int> leader = cluster_.LeaderOf(0, 0);
    ASSERT_TRUE(leader.ok()) << leader.status().ToString();
    const int target = node % 2 == 0 ? 8 : 4;
    ASSERT_OK(client_->UpdateShardCount(options_.stream, target).status());
    cluster_.Kill(*leader);
    ASSERT_OK(client_->WaitUntilActive(options_.stream, absl::Seconds(30)));
    EXPECT_EQ(OpenShards().size(), static_cast<size_t>(target));
    ExpectWrites();
    cluster_.Start(*leader);
    ASSERT_OK(cluster_.WaitReady());
  }
  CheckAll(&load);
}

}  // namespace
}  // namespace trireme
