// Rates that hold for a cluster, whichever node is asked; and without rates,
// that one stream does not starve another.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"
#include "storage/errors.h"
#include "storage/record.h"
#include "tests/sim/sim_cluster.h"

namespace trireme::sim {
namespace {

constexpr GroupId kGroup{1};
constexpr ShardKey kShard{StreamId(1), ShardIndex(0)};
constexpr Rate kRecords{20, 20};
constexpr Rate kBytes{1000, 4000};
constexpr int kRecordBytes = 100;  // The key included.
constexpr int kBatchRecords = 3;

SimNodeOptions LimitedNodes() {
  SimNodeOptions options = SmallNodes(3);
  options.loop.put_limits =
      PutLimits{kRecords, kBytes, [](StreamId) { return true; }};
  return options;
}

class LimitsScenarioTest : public ::testing::Test {
 protected:
  LimitsScenarioTest() : cluster_({.seed = 11, .node = LimitedNodes()}) {
    spdlog::set_level(spdlog::level::off);
    cluster_.StartAll();
    EXPECT_TRUE(cluster_.RunUntil([this] { return cluster_.AllServe(); },
                                  10 * kSecond));
    cluster_.Run(5 * kSecond);  // Leaders move to where they belong.
  }
  ~LimitsScenarioTest() override {
    cluster_.HealAndCheck(30 * kSecond);
    for (const std::string& failure : cluster_.history().failures()) {
      ADD_FAILURE() << failure;
    }
  }

  void Propose(int i, std::shared_ptr<const ProposalBody> body,
               ProposalDone done) {
    SimNode& node = cluster_.node(i);
    node.loop()->Propose(
        {kGroup, std::move(body), absl::Seconds(5), std::move(done)});
    node.Wake();
  }

  // A put of a few records to the shard at node `i`.
  void Put(int i) {
    const SimNode& node = cluster_.node(i);
    auto body = std::make_shared<ProposalBody>();
    PutBatch& put = body->puts.emplace_back();
    put.shard = kShard;
    put.record_count = kBatchRecords;
    std::vector<RecordId> ids;
    for (int j = 0; j < kBatchRecords; ++j) {
      ids.push_back(cluster_.history().NewRecord(
          Lane{node.id(), node.life(), kGroup, kShard}));
      const std::string key = absl::StrCat(ids.back());
      AppendRecord({key, std::string(kRecordBytes - key.size(), 'd')},
                   &put.batch);
    }
    ++asked_;
    Propose(i, body,
            [this, ids](ProposalOutcome outcome) { OnOutcome(ids, outcome); });
  }

  void OnOutcome(const std::vector<RecordId>& ids,
                 const ProposalOutcome& outcome) {
    ++answered_;
    const absl::Status& status =
        outcome.status.ok() ? outcome.places[0].status : outcome.status;
    const size_t refused = status.ok() ? outcome.places[0].refused : ids.size();
    for (size_t i = 0; i < ids.size(); ++i) {
      if (i + refused >= ids.size()) {
        ++refused_;
        cluster_.history().OnRefused(ids[i], "the rate");
        continue;
      }
      ++acked_;
      cluster_.history().OnAcked(ids[i], kGroup, outcome.places[0].first + i);
    }
    if (status.ok()) return;
    EXPECT_EQ(ReasonOf(status), ErrorReason::kProvisionedThroughputExceeded)
        << status;
    EXPECT_TRUE(RetryAfterOf(status).has_value());
  }

  // Puts at all nodes, far more than the shard takes.
  void Flood(Micros duration) {
    const Micros end = cluster_.events().now() + duration;
    while (cluster_.events().now() < end) {
      for (int i = 0; i < SimCluster::kNodes; ++i) Put(i);
      cluster_.Run(20 * kMillisecond);
    }
    cluster_.RunUntil([this] { return answered_ == asked_; }, 10 * kSecond);
    EXPECT_EQ(answered_, asked_);
  }

  SimCluster cluster_;
  int asked_ = 0;
  int answered_ = 0;
  int acked_ = 0;  // Records.
  int refused_ = 0;
};

TEST_F(LimitsScenarioTest, AShardTakesItsRateFromAllNodesTogether) {
  Flood(10 * kSecond);
  // A burst of 20 records first, then 1000 bytes a second: 10 records. The
  // bytes' burst is 4000.
  const int most = (4000 + 10 * 1000) / kRecordBytes;
  EXPECT_LE(acked_, most + 2);
  EXPECT_GE(acked_, most * 9 / 10);
  EXPECT_GT(refused_, 10 * acked_);
}

TEST_F(LimitsScenarioTest, AfterAChangeOfTheLeaderTheRateIsTheSame) {
  Flood(5 * kSecond);
  const int leader = cluster_.LeaderOf(kGroup);
  ASSERT_GE(leader, 0);
  cluster_.node(leader).Crash(SimNode::Stop::kKill);
  ASSERT_TRUE(cluster_.RunUntil(
      [this] { return cluster_.LeaderOf(kGroup) >= 0; }, 5 * kSecond));
  cluster_.node(leader).Start();
  cluster_.RunUntil([this] { return cluster_.AllServe(); }, 10 * kSecond);
  cluster_.Run(5 * kSecond);
  acked_ = 0;
  Flood(10 * kSecond);
  EXPECT_LE(acked_, (4000 + 10 * 1000) / kRecordBytes + 2);
  EXPECT_GE(acked_, 10 * 1000 / kRecordBytes * 9 / 10);
}

TEST_F(LimitsScenarioTest, ChargesAreCountedOnceForAllNodes) {
  int taken = 0;
  int refused = 0;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < SimCluster::kNodes; ++i) {
      auto body = std::make_shared<ProposalBody>();
      body->charges.push_back({"calls", {5, 5}});
      Propose(i, body, [&](ProposalOutcome outcome) {
        if (outcome.status.ok()) {
          ++taken;
          return;
        }
        ++refused;
        EXPECT_EQ(ReasonOf(outcome.status),
                  ErrorReason::kProvisionedThroughputExceeded);
        EXPECT_GT(RetryAfterOf(outcome.status), absl::ZeroDuration());
        EXPECT_LE(RetryAfterOf(outcome.status), absl::Milliseconds(200));
      });
    }
  }
  cluster_.Run(150 * kMillisecond);
  EXPECT_EQ(taken, 5);
  EXPECT_EQ(refused, 7);
}

// --- without rates ---

constexpr ShardKey kFlooded{StreamId(1), ShardIndex(0)};
constexpr ShardKey kModest{StreamId(2), ShardIndex(0)};

SimNodeOptions NodesWithoutRates() {
  SimNodeOptions options = SmallNodes(3);
  options.loop.batch_bytes_max = 8u << 10;
  options.disk_bytes = 512u << 20;
  return options;
}

class FloodScenarioTest : public ::testing::Test {
 protected:
  FloodScenarioTest() : cluster_({.seed = 13, .node = NodesWithoutRates()}) {
    spdlog::set_level(spdlog::level::off);
    cluster_.StartAll();
    EXPECT_TRUE(cluster_.RunUntil([this] { return cluster_.AllServe(); },
                                  10 * kSecond));
    cluster_.Run(5 * kSecond);
  }
  ~FloodScenarioTest() override {
    cluster_.HealAndCheck(30 * kSecond);
    for (const std::string& failure : cluster_.history().failures()) {
      ADD_FAILURE() << failure;
    }
  }

  struct Tally {
    int asked = 0;
    int acked = 0;
    int refused = 0;
    std::vector<Micros> latencies;

    Micros Percentile(double share) {
      std::sort(latencies.begin(), latencies.end());
      return latencies[static_cast<size_t>(
          share * static_cast<double>(latencies.size() - 1))];
    }
  };

  void Put(int i, ShardKey shard, size_t bytes, Tally* tally) {
    SimNode& node = cluster_.node(i);
    const RecordId id = cluster_.history().NewRecord(
        Lane{node.id(), node.life(), kGroup, shard});
    auto body = std::make_shared<ProposalBody>();
    PutBatch& put = body->puts.emplace_back();
    put.shard = shard;
    put.record_count = 1;
    AppendRecord({absl::StrCat(id), std::string(bytes, 'd')}, &put.batch);
    ++tally->asked;
    const Micros asked_at = cluster_.events().now();
    node.loop()->Propose(
        {kGroup, std::move(body), absl::Seconds(30),
         [this, id, tally, asked_at](ProposalOutcome outcome) {
           if (outcome.status.ok()) {
             ++tally->acked;
             tally->latencies.push_back(cluster_.events().now() - asked_at);
             cluster_.history().OnAcked(id, kGroup, outcome.places[0].first);
             return;
           }
           ++tally->refused;
           EXPECT_EQ(ReasonOf(outcome.status), ErrorReason::kOverloaded)
               << outcome.status;
           cluster_.history().OnRefused(id, "overload");
         }});
    node.Wake();
  }

  // A producer of 200 puts a second at node `i`; another stream is flooded at
  // all nodes, or not.
  Tally RunModest(int i, bool flood, Tally* flooding) {
    Tally modest;
    for (int round = 0; round < 300; ++round) {
      if (flood) {
        for (int node = 0; node < SimCluster::kNodes; ++node) {
          for (int k = 0; k < 40; ++k) Put(node, kFlooded, 2000, flooding);
        }
      }
      Put(i, kModest, 100, &modest);
      cluster_.Run(5 * kMillisecond);
    }
    cluster_.RunUntil(
        [&] { return modest.acked + modest.refused == modest.asked; },
        30 * kSecond);
    return modest;
  }

  SimCluster cluster_;
};

TEST_F(FloodScenarioTest, AFloodOfOneStreamDoesNotStarveAnother) {
  const int leader = cluster_.LeaderOf(kGroup);
  ASSERT_GE(leader, 0);
  // Where its puts are written, and where they are forwarded from.
  for (const int i : {leader, (leader + 1) % SimCluster::kNodes}) {
    Tally calm = RunModest(i, /*flood=*/false, nullptr);
    EXPECT_EQ(calm.acked, calm.asked);
    Tally flooding;
    Tally modest = RunModest(i, /*flood=*/true, &flooding);
    cluster_.RunUntil(
        [&] { return flooding.acked + flooding.refused == flooding.asked; },
        30 * kSecond);
    // It was a flood: most of it was refused, and it was not starved itself.
    EXPECT_GT(flooding.refused, flooding.asked / 2);
    EXPECT_GT(flooding.acked, 1000);
    EXPECT_GE(modest.acked, modest.asked * 9 / 10);
    EXPECT_LE(modest.Percentile(0.99), 5 * calm.Percentile(0.99));
    RecordProperty("calm_p99_us", static_cast<int>(calm.Percentile(0.99)));
    RecordProperty("flood_p99_us", static_cast<int>(modest.Percentile(0.99)));
  }
}

}  // namespace
}  // namespace trireme::sim
