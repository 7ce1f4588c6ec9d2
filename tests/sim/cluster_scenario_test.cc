// Failures with a name: what a user fears, and what must hold then. In every
// scenario clients write and read, and History's checks hold at its end.
#include <gtest/gtest.h>

#include <string>

#include "spdlog/spdlog.h"
#include "tests/sim/sim_clients.h"
#include "tests/sim/sim_cluster.h"

namespace trireme::sim {
namespace {

constexpr GroupId kGroup{1};

class ClusterScenarioTest : public ::testing::Test {
 protected:
  ClusterScenarioTest() : ClusterScenarioTest(SmallNodes(3)) {}
  explicit ClusterScenarioTest(const SimNodeOptions& node)
      : cluster_({.seed = 7, .node = node}), clients_(&cluster_, {}) {
    spdlog::set_level(spdlog::level::off);
    for (int i = 0; i < SimCluster::kNodes; ++i) {
      cluster_.node(i).OnFatal([this, i](SimNode*) {
        cluster_.events().After(kSecond, [this, i] {
          if (!cluster_.node(i).up()) cluster_.node(i).Start();
        });
      });
    }
    cluster_.StartAll();
    EXPECT_TRUE(cluster_.RunUntil([this] { return cluster_.AllServe(); },
                                  10 * kSecond));
    clients_.Start();
    // Leaders move to where they belong, and there is something to lose.
    cluster_.Run(5 * kSecond);
  }

  ~ClusterScenarioTest() override {
    clients_.Stop();
    cluster_.HealAndCheck(30 * kSecond);
    for (const std::string& failure : cluster_.history().failures()) {
      ADD_FAILURE() << failure;
    }
    EXPECT_GT(clients_.puts_acked(), 50u);
    EXPECT_GT(clients_.barriers_passed(), 10u);
  }

  int Leader() { return cluster_.LeaderOf(kGroup); }
  // While leadership is handed over nobody has it for a moment.
  int AwaitLeader() {
    cluster_.RunUntil([this] { return Leader() >= 0; }, 2 * kSecond);
    return Leader();
  }
  int OtherThan(int i) { return (i + 1) % SimCluster::kNodes; }
  Term TermOf(int i) { return cluster_.node(i).ReportOf(kGroup).term; }
  void Restart(int i) {
    if (!cluster_.node(i).up()) cluster_.node(i).Start();
  }
  // How long it takes until a node that is not `except` takes a put.
  Micros TimeUntilPutVia(int node) {
    const Micros began = cluster_.events().now();
    while (!clients_.PutSucceeds(node, kGroup)) {
      if (cluster_.events().now() - began > 60 * kSecond) break;
    }
    return cluster_.events().now() - began;
  }

  SimCluster cluster_;
  SimClients clients_;
};

// --- processes and machines (anchors C.3: 1, 2, 3, 4, 12, 15) ---

TEST_F(ClusterScenarioTest, KillingAnyNodeUnderLoadLosesNothing) {
  for (int round = 0; round < 60; ++round) {
    const int i = round % SimCluster::kNodes;
    cluster_.node(i).Crash(SimNode::Stop::kKill, /*in_write=*/true);
    cluster_.Run(700 * kMillisecond);
    Restart(i);
    cluster_.Run(700 * kMillisecond);
  }
}

TEST_F(ClusterScenarioTest, TheWriteGapAfterALeaderDiesIsUnderTwoSeconds) {
  for (int round = 0; round < 10; ++round) {
    const int leader = AwaitLeader();
    ASSERT_GE(leader, 0);
    cluster_.node(leader).Crash(SimNode::Stop::kKill);
    EXPECT_LT(TimeUntilPutVia(OtherThan(leader)), 2 * kSecond);
    Restart(leader);
    cluster_.Run(5 * kSecond);
  }
}

TEST_F(ClusterScenarioTest, AllThreeKilledAtOnceComeBackWithEveryAckedRecord) {
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < SimCluster::kNodes; ++i) {
      cluster_.node(i).Crash(SimNode::Stop::kKill, /*in_write=*/true);
    }
    cluster_.StartAll();
    EXPECT_TRUE(cluster_.RunUntil([this] { return cluster_.AllServe(); },
                                  10 * kSecond));
    cluster_.Run(kSecond);
  }
}

TEST_F(ClusterScenarioTest, PowerLossOfOneTwoAndAllThreeLosesNothingAcked) {
  for (int round = 0; round < 12; ++round) {
    for (int i = 0; i <= round % SimCluster::kNodes; ++i) {
      const int node = (round + i) % SimCluster::kNodes;
      cluster_.node(node).Crash(SimNode::Stop::kPowerFailure);
    }
    cluster_.Run(300 * kMillisecond);
    cluster_.StartAll();
    cluster_.Run(2 * kSecond);
  }
}

TEST_F(ClusterScenarioTest, AWriteTornByPowerLossIsCutAndFetchedAgain) {
  for (int round = 0; round < 30; ++round) {
    const int i = round % SimCluster::kNodes;
    cluster_.node(i).Crash(SimNode::Stop::kPowerFailure, /*in_write=*/true);
    cluster_.Run(100 * kMillisecond);
    Restart(i);
    cluster_.Run(1500 * kMillisecond);
    // A torn tail is no damage.
    EXPECT_EQ(cluster_.node(i).damages(), 0u);
  }
}

TEST_F(ClusterScenarioTest, ALeaderStoppedFor30SecondsIsReplacedAndFenced) {
  const int leader = AwaitLeader();
  ASSERT_GE(leader, 0);
  cluster_.node(leader).Pause(30 * kSecond);
  EXPECT_LT(TimeUntilPutVia(OtherThan(leader)), 3 * kSecond);
  cluster_.Run(28 * kSecond);
  // Asked while it still believes that it leads; History checks freshness.
  clients_.BarrierSucceeds(leader, kGroup, 8 * kSecond);
  EXPECT_TRUE(clients_.PutSucceeds(leader, kGroup));
}

TEST_F(ClusterScenarioTest, WhatANodeTakesKeepsItsOrderOverChangesOfLeaders) {
  for (int round = 0; round < 24; ++round) {
    const int leader = AwaitLeader();
    ASSERT_GE(leader, 0);
    const int taker = OtherThan(leader);
    const auto take_many = [&] {
      for (int i = 0; i < 15; ++i) {
        clients_.PutLater(taker, kGroup);
        cluster_.Run(kMillisecond);
      }
    };
    take_many();
    switch (round % 3) {
      case 0:
        cluster_.node(leader).Crash(SimNode::Stop::kKill);
        break;
      case 1:
        cluster_.node(leader).Pause(2 * kSecond);
        break;
      default:
        cluster_.node(leader).loop()->StartDraining();
    }
    take_many();
    cluster_.Run(600 * kMillisecond);  // Some are still out, some parked.
    take_many();
    cluster_.Run(3 * kSecond);
    // A drained node leads again in its next life.
    if (cluster_.node(leader).up()) {
      cluster_.node(leader).Crash(SimNode::Stop::kKill);
    }
    Restart(leader);
    cluster_.Run(3 * kSecond);
  }
}

TEST_F(ClusterScenarioTest, ARestartStormEndsWithFullService) {
  for (int round = 0; round < 40; ++round) {
    for (int i = 0; i < SimCluster::kNodes; ++i) {
      cluster_.node(i).Crash(SimNode::Stop::kKill, /*in_write=*/true);
      cluster_.Run(200 * kMillisecond);
      Restart(i);
      cluster_.Run(1400 * kMillisecond);
    }
  }
  EXPECT_TRUE(
      cluster_.RunUntil([this] { return cluster_.AllServe(); }, 30 * kSecond));
}

// --- network (8, 9, 10, 25) ---

TEST_F(ClusterScenarioTest, ALeaderCutOffNeitherAcksNorServesFreshReads) {
  const int leader = AwaitLeader();
  ASSERT_GE(leader, 0);
  cluster_.Isolate(leader);
  EXPECT_LT(TimeUntilPutVia(OtherThan(leader)), 3 * kSecond);
  EXPECT_FALSE(clients_.PutSucceeds(leader, kGroup));
  EXPECT_FALSE(clients_.BarrierSucceeds(leader, kGroup));
  EXPECT_NE(Leader(), leader);
  cluster_.Rejoin(leader);
  EXPECT_TRUE(
      cluster_.RunUntil([this] { return cluster_.AllServe(); }, 10 * kSecond));
  EXPECT_TRUE(clients_.PutSucceeds(leader, kGroup));
}

TEST_F(ClusterScenarioTest, ALeaderThatCannotHearStepsDown) {
  const int leader = AwaitLeader();
  ASSERT_GE(leader, 0);
  const Term before = TermOf(leader);
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    if (i == leader) continue;
    cluster_.network().Block(cluster_.node(i).id(), cluster_.node(leader).id());
  }
  EXPECT_LT(TimeUntilPutVia(OtherThan(leader)), 5 * kSecond);
  EXPECT_NE(Leader(), leader);
  cluster_.Run(10 * kSecond);
  cluster_.Rejoin(leader);
  cluster_.Run(3 * kSecond);
  EXPECT_LE(TermOf(OtherThan(leader)), before + 6) << "a storm of terms";
}

TEST_F(ClusterScenarioTest, ALeaderThatCannotSpeakIsReplaced) {
  const int leader = AwaitLeader();
  ASSERT_GE(leader, 0);
  const Term before = TermOf(leader);
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    if (i == leader) continue;
    cluster_.network().Block(cluster_.node(leader).id(), cluster_.node(i).id());
  }
  EXPECT_LT(TimeUntilPutVia(OtherThan(leader)), 5 * kSecond);
  EXPECT_NE(Leader(), leader);
  cluster_.Run(10 * kSecond);
  cluster_.Rejoin(leader);
  cluster_.Run(3 * kSecond);
  EXPECT_LE(TermOf(OtherThan(leader)), before + 6) << "a storm of terms";
}

TEST_F(ClusterScenarioTest, ABridgeBetweenTwoCutOffNodesKeepsWritesGoing) {
  const NodeId a = cluster_.node(0).id();
  const NodeId c = cluster_.node(2).id();
  const Term before = TermOf(1);
  for (int second = 0; second < 20; ++second) {
    cluster_.network().Block(a, c);
    cluster_.network().Block(c, a);
    cluster_.Run(kSecond);
    EXPECT_LT(TimeUntilPutVia(1), 3 * kSecond);
    cluster_.network().Unblock(a, c);
    cluster_.network().Unblock(c, a);
    cluster_.Run(kSecond);
  }
  EXPECT_LE(TermOf(1), before + 30) << "elections without end";
}

TEST_F(ClusterScenarioTest, AZoneGoneForLongCatchesUpByStateWithoutAStop) {
  const int gone = 2;
  cluster_.node(gone).Crash(SimNode::Stop::kKill);
  cluster_.Run(120 * kSecond);
  Restart(gone);
  EXPECT_LT(TimeUntilPutVia(0), kSecond);
  EXPECT_TRUE(cluster_.RunUntil([&] { return cluster_.node(gone).pulls() > 0; },
                                10 * kSecond));
  EXPECT_TRUE(clients_.BarrierSucceeds(gone, kGroup));
}

// --- disks and clocks (5, 7, 11, 13, 14, 17) ---

class DamagedLogTest : public ClusterScenarioTest {
 protected:
  DamagedLogTest() : ClusterScenarioTest(Keeping()) {}
  static SimNodeOptions Keeping() {
    SimNodeOptions node = SmallNodes(3);
    node.loop.log_bytes_kept = 1u << 20;
    node.flush_period_max = 20 * kSecond;
    return node;
  }
};

TEST_F(DamagedLogTest, AMinoritysDamageIsDetectedAndRepairedFromItsPeers) {
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    cluster_.Run(5 * kSecond);
    cluster_.node(i).Crash(SimNode::Stop::kKill);
    uint64_t tries = 0;
    // A bit may hit space that no frame uses.
    while (cluster_.node(i).damages() == 0 && ++tries < 50) {
      if (cluster_.node(i).up()) cluster_.node(i).Crash(SimNode::Stop::kKill);
      ASSERT_GT(cluster_.node(i).FlipBits(1), 0);
      Restart(i);
    }
    EXPECT_EQ(cluster_.node(i).damages(), 1u);
    cluster_.Run(60 * kMillisecond);
    EXPECT_TRUE(cluster_.node(i).ReportOf(kGroup).recovering);
    EXPECT_TRUE(cluster_.RunUntil([this] { return cluster_.AllServe(); },
                                  20 * kSecond));
  }
}

TEST_F(DamagedLogTest, ANewestSegmentThatWentMissingIsKnownToBeLost) {
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    cluster_.Run(5 * kSecond);
    cluster_.node(i).Crash(SimNode::Stop::kKill);
    cluster_.node(i).LoseNewestSegment();
    Restart(i);
    EXPECT_EQ(cluster_.node(i).damages(), 1u);
    cluster_.Run(60 * kMillisecond);
    EXPECT_TRUE(cluster_.node(i).ReportOf(kGroup).recovering);
    EXPECT_TRUE(cluster_.RunUntil([this] { return cluster_.AllServe(); },
                                  20 * kSecond));
  }
}

TEST_F(DamagedLogTest, DamageToTheLastWriteOfAnIdleLogIsKnownToBeDamage) {
  clients_.Stop();
  cluster_.Run(5 * kSecond);
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    cluster_.node(i).Crash(SimNode::Stop::kKill);
    cluster_.node(i).FlipBitOfLastWrite();
    Restart(i);
    EXPECT_EQ(cluster_.node(i).damages(), 1u);
    EXPECT_TRUE(cluster_.RunUntil([this] { return cluster_.AllServe(); },
                                  20 * kSecond));
    cluster_.Run(5 * kSecond);
  }
}

class LazyFlushTest : public ClusterScenarioTest {
 protected:
  LazyFlushTest() : ClusterScenarioTest(Lazy()) {}
  static SimNodeOptions Lazy() {
    SimNodeOptions node = SmallNodes(3);
    node.loop.log_bytes_kept = 1u << 10;
    node.loop.cached_payload_bytes = 1u << 10;
    node.log.segment_bytes = 4u << 20;
    node.disk_bytes = 256u << 20;
    node.flush_period_max = 10'000 * kSecond;
    return node;
  }
};

// The log of a deposed leader disagrees with the state it pulls. What it
// vouches for afterwards must be there at its next start.
class DivergingLogTest : public LazyFlushTest {
 protected:
  // Until the state is pulled.
  void Diverge() {
    clients_.Stop();
    cluster_.Run(5 * kSecond);
    deposed_ = AwaitLeader();
    ASSERT_GE(deposed_, 0);
    lost_ = OtherThan(deposed_);
    behind_ = OtherThan(lost_);
    // It gets far ahead alone; the others go another, shorter way and trim it.
    cluster_.Isolate(deposed_);
    for (int i = 0; i < 40; ++i) {
      clients_.PutLater(deposed_, kGroup);
      cluster_.Run(5 * kMillisecond);
    }
    TimeUntilPutVia(lost_);
    PutFive();
    for (const int i : {lost_, behind_}) {
      ASSERT_TRUE(cluster_.node(i).state().Flush().ok());
    }
    cluster_.Run(kSecond);
    SimState& state = cluster_.node(deposed_).state();
    const LogIndex applied = state.Applied(kGroup).index;
    const uint64_t pulls = cluster_.node(deposed_).pulls();
    cluster_.Rejoin(deposed_);
    for (int i = 0; i < 400'000; ++i) {
      if (state.Applied(kGroup).index != applied) break;
      cluster_.Run(20);
    }
    EXPECT_GT(cluster_.node(deposed_).pulls(), pulls);
  }

  // Acknowledges on the strength of two disks, of which one gets lost.
  void LoseTheOtherCopy() {
    ASSERT_TRUE(cluster_.RunUntil([this] { return cluster_.AllEqual(); },
                                  10 * kSecond));
    cluster_.Isolate(behind_);
    TimeUntilPutVia(lost_);
    PutFive();
    cluster_.node(deposed_).Crash(SimNode::Stop::kKill);
    cluster_.node(lost_).Crash(SimNode::Stop::kPowerFailure);
    cluster_.node(lost_).Wipe();
    cluster_.Rejoin(behind_);
    Restart(deposed_);
    cluster_.Run(5 * kSecond);
    Restart(lost_);
  }

  void PutFive() {
    for (int i = 0; i < 5; ++i) {
      EXPECT_TRUE(clients_.PutSucceeds(lost_, kGroup));
    }
  }

  int deposed_ = 0;
  int lost_ = 0;
  int behind_ = 0;
};

TEST_F(DivergingLogTest, AnInstalledStateReplacesItForGood) {
  Diverge();
  LoseTheOtherCopy();
}

TEST_F(DivergingLogTest, AnInstalledStateReplacesItAlsoAfterACrash) {
  Diverge();
  // Before the loop has heard of it.
  cluster_.node(deposed_).Crash(SimNode::Stop::kKill);
  Restart(deposed_);
  LoseTheOtherCopy();
}

TEST_F(ClusterScenarioTest, AFailedFsyncStopsTheNodeAndIsNeverRetried) {
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    const uint64_t life = cluster_.node(i).life();
    cluster_.node(i).disk().FailSync();
    EXPECT_TRUE(
        cluster_.RunUntil([&] { return !cluster_.node(i).up(); }, 5 * kSecond));
    EXPECT_TRUE(cluster_.node(i).stopped_itself());
    cluster_.Run(5 * kSecond);
    EXPECT_EQ(cluster_.node(i).life(), life + 1);
  }
}

TEST_F(ClusterScenarioTest, AWallClockThatJumpsAnHourNeverTurnsStampsBack) {
  for (int round = 0; round < 12; ++round) {
    const int leader = AwaitLeader();
    ASSERT_GE(leader, 0);
    cluster_.node(leader).clock().JumpWall(
        absl::Hours(round % 2 == 0 ? 1 : -2));
    cluster_.Run(kSecond);
    cluster_.node(leader).Crash(SimNode::Stop::kKill);
    cluster_.Run(2 * kSecond);
    Restart(leader);
    cluster_.Run(kSecond);
  }
}

// A node's clock is wrong by a day while it runs, and as it starts again; its
// groups and the others' stay in time.
TEST_F(ClusterScenarioTest, OneWrongWallClockNeitherHastensNorDelaysStamps) {
  const SimClock right(&cluster_.events(), absl::ZeroDuration());
  const auto expect_in_time = [&] {
    cluster_.Run(3 * kSecond);
    for (int i = 0; i < SimCluster::kNodes; ++i) {
      const absl::Time now = cluster_.node(i).loop()->cluster_clock().WallNow();
      EXPECT_LT(absl::AbsDuration(now - right.WallNow()), absl::Seconds(1));
      const absl::Time stamp = absl::FromUnixMillis(
          cluster_.node(i).state().Applied(kGroup).stamp_ms);
      EXPECT_LT(absl::AbsDuration(stamp - right.WallNow()), absl::Seconds(2));
    }
  };
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    for (const absl::Duration wrong : {absl::Hours(24), absl::Hours(-24)}) {
      cluster_.node(i).clock().JumpWall(wrong);
      expect_in_time();
      cluster_.node(i).Crash(SimNode::Stop::kKill);
      Restart(i);
      expect_in_time();
      cluster_.node(i).clock().JumpWall(-wrong);
    }
  }
}

TEST_F(ClusterScenarioTest, AFullDiskOfOneZoneMovesItsLeadersAndWritesGoOn) {
  const int full = AwaitLeader();
  ASSERT_GE(full, 0);
  cluster_.node(full).disk().SetFreeBytes(0);
  EXPECT_TRUE(cluster_.RunUntil(
      [&] {
        const int leader = Leader();
        return leader >= 0 && leader != full;
      },
      10 * kSecond));
  EXPECT_LT(TimeUntilPutVia(OtherThan(full)), kSecond);
  EXPECT_LT(TimeUntilPutVia(full), kSecond);
  cluster_.Run(5 * kSecond);
  EXPECT_NE(Leader(), full);
}

TEST_F(ClusterScenarioTest, TwoFullDisksRefuseWritesAlthoughTheLeaderHasSpace) {
  const int leader = AwaitLeader();
  ASSERT_GE(leader, 0);
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    if (i != leader) cluster_.node(i).disk().SetFreeBytes(0);
  }
  cluster_.Run(3 * kSecond);
  ASSERT_EQ(Leader(), leader);
  const uint64_t refused = clients_.refused();
  EXPECT_FALSE(clients_.PutSucceeds(leader, kGroup));
  EXPECT_GT(clients_.refused(), refused);
  EXPECT_TRUE(clients_.BarrierSucceeds(leader, kGroup));
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    cluster_.node(i).disk().SetFreeBytes(16u << 20);
  }
  EXPECT_LT(TimeUntilPutVia(0), 5 * kSecond);
}

TEST_F(ClusterScenarioTest, FullDisksEverywhereRefuseWritesAndRecover) {
  // Their commands, which are not refused, would fill the logs.
  clients_.Stop();
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    cluster_.node(i).disk().SetFreeBytes(0);
  }
  cluster_.Run(10 * kSecond);
  EXPECT_TRUE(clients_.BarrierSucceeds(0, kGroup));
  const uint64_t refused = clients_.refused();
  EXPECT_FALSE(clients_.PutSucceeds(0, kGroup));
  EXPECT_GT(clients_.refused(), refused);
  // Starting needs no space.
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    cluster_.node(i).Crash(SimNode::Stop::kKill);
    cluster_.node(i).disk().SetFreeBytes(0);
    cluster_.node(i).Start();
    EXPECT_TRUE(cluster_.node(i).up());
  }
  cluster_.Run(5 * kSecond);
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    EXPECT_TRUE(cluster_.node(i).up());
    cluster_.node(i).disk().SetFreeBytes(16u << 20);
  }
  EXPECT_LT(TimeUntilPutVia(0), 10 * kSecond);
}

TEST_F(ClusterScenarioTest, ASlowDiskOfAFollowerSlowsNobody) {
  const int leader = AwaitLeader();
  ASSERT_GE(leader, 0);
  cluster_.node(OtherThan(leader))
      .set_speeds(
          {.sync_min = 500 * kMillisecond, .sync_max = 500 * kMillisecond});
  for (int i = 0; i < 20; ++i) {
    EXPECT_LE(TimeUntilPutVia(leader), 50 * kMillisecond);
  }
}

TEST_F(ClusterScenarioTest, LeadersLeaveASlowDiskWithinTenSeconds) {
  const int slow = AwaitLeader();
  ASSERT_GE(slow, 0);
  cluster_.node(slow).set_speeds(
      {.sync_min = 500 * kMillisecond, .sync_max = 500 * kMillisecond});
  EXPECT_TRUE(cluster_.RunUntil(
      [&] {
        const int leader = Leader();
        return leader >= 0 && leader != slow;
      },
      10 * kSecond));
  cluster_.Run(5 * kSecond);
  EXPECT_NE(Leader(), slow) << "it came back to the slow disk";
  EXPECT_LE(TimeUntilPutVia(OtherThan(slow)), 50 * kMillisecond);
  // And they come back when the disk is well.
  cluster_.node(slow).set_speeds({});
  EXPECT_TRUE(
      cluster_.RunUntil([&] { return Leader() == slow; }, 20 * kSecond));
}

TEST_F(ClusterScenarioTest, ANewDiskIsFilledByThePeersAndCountsAgain) {
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    cluster_.node(i).Crash(SimNode::Stop::kPowerFailure);
    cluster_.node(i).Wipe();
    cluster_.node(i).Start();
    EXPECT_LT(TimeUntilPutVia(OtherThan(i)), 3 * kSecond);
    EXPECT_TRUE(cluster_.RunUntil([this] { return cluster_.AllServe(); },
                                  20 * kSecond));
    EXPECT_GT(cluster_.node(i).pulls(), 0u);
    // Its copy and its vote are as good as any: without another node, too.
    const int other = OtherThan(i);
    cluster_.node(other).Crash(SimNode::Stop::kKill);
    EXPECT_LT(TimeUntilPutVia(i), 3 * kSecond);
    Restart(other);
    EXPECT_TRUE(cluster_.RunUntil([this] { return cluster_.AllServe(); },
                                  20 * kSecond));
  }
}

TEST_F(ClusterScenarioTest, ADrainedNodeLeadsNothing) {
  cluster_.node(0).loop()->StartDraining();
  EXPECT_TRUE(cluster_.RunUntil(
      [this] {
        for (uint32_t g = 0; g < cluster_.group_count(); ++g) {
          if (cluster_.LeaderOf(GroupId(g)) <= 0) return false;
        }
        return true;
      },
      5 * kSecond));
  cluster_.node(0).Crash(SimNode::Stop::kKill);
  EXPECT_LE(TimeUntilPutVia(1), 50 * kMillisecond);
}

TEST_F(ClusterScenarioTest, ADrainingNodeIsHandedNothingBack) {
  cluster_.node(0).loop()->StartDraining();
  cluster_.Run(3 * kSecond);
  // The others find each other the better leaders, and not the node at which
  // a group belongs, for as long as it takes to stop.
  for (int i = 0; i < 200; ++i) {
    cluster_.Run(50 * kMillisecond);
    for (uint32_t g = 0; g < cluster_.group_count(); ++g) {
      ASSERT_NE(cluster_.LeaderOf(GroupId(g)), 0) << "group " << g;
    }
  }
}

}  // namespace
}  // namespace trireme::sim
