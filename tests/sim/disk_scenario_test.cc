// Failures of disks and clocks with a name, and what must hold then.
#include "tests/sim/cluster_scenario.h"

namespace trireme::sim {
namespace {

class DamagedLogTest : public ClusterScenarioTest {
 protected:
  DamagedLogTest() : ClusterScenarioTest(Keeping()) {}
  static SimNodeOptions Keeping() {
    SimNodeOptions node = SmallNodes(3);
    node.loop.log_bytes_kept = 1u << 20;
    node.flush_period_max = 20 * kSecond;
    return node;
  }
  // The node knows what it has lost, and gets it from its peers.
  void ExpectDamageIsRepaired(int i) {
    EXPECT_EQ(cluster_.node(i).damages(), 1u);
    cluster_.Run(60 * kMillisecond);
    EXPECT_TRUE(cluster_.node(i).ReportOf(kGroup).recovering);
    EXPECT_TRUE(cluster_.RunUntil([this] { return cluster_.AllServe(); },
                                  20 * kSecond));
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
    ExpectDamageIsRepaired(i);
  }
}

TEST_F(DamagedLogTest, ANewestSegmentThatWentMissingIsKnownToBeLost) {
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    cluster_.Run(5 * kSecond);
    cluster_.node(i).Crash(SimNode::Stop::kKill);
    cluster_.node(i).LoseNewestSegment();
    Restart(i);
    ExpectDamageIsRepaired(i);
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

// A node that is handed a group knows that the one it comes from is full: each
// hands it on once, and then there is nobody.
TEST_F(ClusterScenarioTest, DisksThatFillTogetherDoNotPassLeadersRound) {
  clients_.Stop();
  cluster_.Run(kSecond);
  const auto terms = [this] {
    Term sum = 0;
    for (uint32_t g = 0; g < cluster_.group_count(); ++g) {
      sum += cluster_.node(0).ReportOf(GroupId(g)).term;
    }
    return sum;
  };
  const Term before = terms();
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    cluster_.node(i).disk().SetFreeBytes(400u << 10);
  }
  cluster_.Run(10 * kSecond);
  EXPECT_LE(terms() - before, Term{2} * cluster_.group_count());
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    cluster_.node(i).disk().SetFreeBytes(16u << 20);
  }
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
