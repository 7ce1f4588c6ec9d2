// Failures of processes and networks with a name: what a user fears, and what
// must hold then.
#include "tests/sim/cluster_scenario.h"

namespace trireme::sim {
namespace {

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

// A group that nobody writes to has entries in the oldest file of the log.
TEST_F(ClusterScenarioTest, AnIdleGroupDoesNotHoldOnToTheLog) {
  clients_.Stop();
  const auto used_after_puts = [this] {
    for (int i = 0; i < 4000; ++i) {
      clients_.PutLater(i % SimCluster::kNodes, kGroup);
      cluster_.Run(10 * kMillisecond);
    }
    return SmallNodes(3).disk_bytes - *cluster_.node(0).disk().FreeBytes("");
  };
  // Its files are 64 KiB, of which a few are spare.
  for (int i = 0; i < 4; ++i) EXPECT_LT(used_after_puts(), 2u << 20);
  // What it has trimmed to nothing is whole after a start.
  cluster_.node(0).Crash(SimNode::Stop::kPowerFailure);
  Restart(0);
  EXPECT_TRUE(
      cluster_.RunUntil([&] { return cluster_.AllServe(); }, 10 * kSecond));
  EXPECT_TRUE(clients_.PutSucceeds(0, GroupId(2)));
  for (int i = 0; i < 20; ++i) clients_.BarrierSucceeds(0, kGroup);
}

}  // namespace
}  // namespace trireme::sim
