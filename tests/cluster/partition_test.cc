// Zones cut off from one another while records are written: what was
// acknowledged stays, what is served is so, and the majority goes on.
#include <memory>
#include <string>
#include <utility>

#include "client/shard_reader.h"
#include "tests/cluster/cluster_test.h"

namespace trireme {
namespace {

class PartitionTest : public ClusterTest {
 protected:
  static void SetUpTestSuite() {
    auto made = ZoneNetworks::Create();
    if (made.ok()) {
      networks_ = std::move(*made);
    } else {
      why_not_ = made.status().ToString();
    }
  }
  static void TearDownTestSuite() { networks_.reset(); }

  PartitionTest() : ClusterTest(networks_.get()) {}

  void SetUp() override {
    if (networks_ == nullptr) GTEST_SKIP() << why_not_;
    ClusterTest::SetUp();
  }

  int LeaderOfFirstGroup() {
    const absl::StatusOr<int> leader = cluster_.LeaderOf(1, 0);
    EXPECT_TRUE(leader.ok()) << leader.status().ToString();
    return leader.ok() ? *leader : 0;
  }

  // One record more, through this node alone.
  absl::Status PutThrough(int node, absl::Duration timeout) {
    const uint64_t id = history_.Invoke(kProbe, "probe", options_.data_bytes);
    v1::PutRecordRequest request;
    request.set_stream_name(options_.stream);
    request.set_partition_key(history_.key(id));
    request.set_data(history_.data(id));
    history_.Sent(id);
    const auto response = cluster_.ClientOf(node, timeout)->PutRecord(request);
    if (response.ok()) {
      history_.Acked(id, {response->shard_id(), response->sequence_number()});
    } else {
      history_.Unknown(id);
    }
    return response.status();
  }
  // Of the first shard, from its beginning.
  absl::Status ReadThrough(int node, absl::Duration timeout) {
    const std::unique_ptr<client::Client> client =
        cluster_.ClientOf(node, timeout);
    client::ShardReader reader(*client, options_.stream, "shardId-000000000000",
                               client::FromTrimHorizon());
    return reader.Next().status();
  }

  static constexpr int kProbe = 1000;  // A writer beside those of Load.

  static inline std::unique_ptr<ZoneNetworks> networks_;
  static inline std::string why_not_;
};

TEST_F(PartitionTest, CutOffLeaderAcknowledgesAndServesNothing) {
  Load load(cluster_, options_, &history_);
  ExpectProgress("the start");
  const int leader = LeaderOfFirstGroup();
  networks_->Isolate(leader);
  ExpectProgress("a zone was cut off");
  // The others lead everything by now, so nobody confirms it any more.
  EXPECT_FALSE(PutThrough(leader, absl::Seconds(3)).ok());
  EXPECT_FALSE(ReadThrough(leader, absl::Seconds(3)).ok());
  ExpectProgress("the cut lasted");
  networks_->Heal();
  ASSERT_OK(cluster_.WaitReady());
  ExpectProgress("the network was mended");
  CheckAll(&load);
}

// The leader is heard but hears nobody: it must give up, not lead in name.
TEST_F(PartitionTest, DeafLeaderStepsDown) {
  Load load(cluster_, options_, &history_);
  ExpectProgress("the start");
  const int leader = LeaderOfFirstGroup();
  for (int other = 0; other < ZoneNetworks::kZones; ++other) {
    if (other != leader) networks_->Cut(other, leader);
  }
  ExpectProgress("the leader went deaf");
  networks_->Heal();
  ASSERT_OK(cluster_.WaitReady());
  CheckAll(&load);
}

TEST_F(PartitionTest, MuteLeaderIsReplaced) {
  Load load(cluster_, options_, &history_);
  ExpectProgress("the start");
  const int leader = LeaderOfFirstGroup();
  for (int other = 0; other < ZoneNetworks::kZones; ++other) {
    if (other != leader) networks_->Cut(leader, other);
  }
  ExpectProgress("the leader went mute");
  networks_->Heal();
  ASSERT_OK(cluster_.WaitReady());
  CheckAll(&load);
}

// Two zones that reach each other only through the third, on and off.
TEST_F(PartitionTest, BridgeKeepsWorking) {
  Load load(cluster_, options_, &history_);
  ExpectProgress("the start");
  for (int round = 0; round < 3; ++round) {
    const int one = round;
    const int other = (round + 1) % ZoneNetworks::kZones;
    networks_->Cut(one, other);
    networks_->Cut(other, one);
    ExpectProgress("two zones lost each other");
    networks_->Heal();
    ExpectProgress("they met again", 10);
  }
  ASSERT_OK(cluster_.WaitReady());
  CheckAll(&load);
}

TEST_F(PartitionTest, NothingIsAcknowledgedWhileAllAreAlone) {
  Load load(cluster_, options_, &history_);
  ExpectProgress("the start");
  for (int zone = 0; zone < ZoneNetworks::kZones; ++zone) {
    networks_->Cut(zone, (zone + 1) % ZoneNetworks::kZones);
    networks_->Cut((zone + 1) % ZoneNetworks::kZones, zone);
  }
  for (int node = 0; node < ClusterProcess::kNodes; ++node) {
    EXPECT_FALSE(PutThrough(node, absl::Seconds(3)).ok());
  }
  networks_->Heal();
  ASSERT_OK(cluster_.WaitReady());
  ExpectProgress("the network was mended");
  CheckAll(&load);
}

}  // namespace
}  // namespace trireme
