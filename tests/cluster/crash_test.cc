// kill -9, pauses and lost disks while records are written.
#include "tests/cluster/cluster_test.h"

namespace trireme {
namespace {

class CrashTest : public ClusterTest {
 protected:
  int LeaderOfFirstGroup() {
    const absl::StatusOr<int> leader = cluster_.LeaderOf(1, 0);
    EXPECT_TRUE(leader.ok()) << leader.status().ToString();
    return leader.ok() ? *leader : 0;
  }

  void TellGap(absl::Time since) {
    const absl::Duration gap = history_.LongestGap(since);
    std::printf("  longest write gap of a shard: %.0f ms (to be under 2000)\n",
                absl::ToDoubleMilliseconds(gap));
    RecordProperty("write_gap_ms",
                   static_cast<int>(absl::ToInt64Milliseconds(gap)));
    // Wide, since a busy machine makes gaps of its own.
    EXPECT_LT(gap, absl::Seconds(5));
  }
};

TEST_F(CrashTest, LosesNothingWhenTheLeaderIsKilled) {
  Load load(cluster_, options_, &history_);
  ExpectProgress("the start");
  const int leader = LeaderOfFirstGroup();
  const absl::Time killed = absl::Now();
  cluster_.Kill(leader);
  ExpectProgress("the leader's death");
  ASSERT_OK(cluster_.WaitReady());
  ExpectProgress("the election");
  TellGap(killed);
  cluster_.Start(leader);
  CheckAll(&load);
}

TEST_F(CrashTest, LosesNothingWhenEachNodeIsKilledInTurn) {
  Load load(cluster_, options_, &history_);
  const absl::Time began = absl::Now();
  for (int node = 0; node < ClusterProcess::kNodes; ++node) {
    ExpectProgress("all nodes were up");
    cluster_.Kill(node);
    ExpectProgress("a node's death");
    cluster_.Start(node);
    ASSERT_OK(cluster_.WaitReady());
  }
  TellGap(began);
  CheckAll(&load);
}

TEST_F(CrashTest, HasEverythingBackAfterAllAreKilledAtOnce) {
  Load load(cluster_, options_, &history_);
  ExpectProgress("the start", 2 * kSomeRecords);
  for (int node = 0; node < ClusterProcess::kNodes; ++node) {
    cluster_.Kill(node);
  }
  const absl::Time started = absl::Now();
  cluster_.StartAll();
  ASSERT_OK(cluster_.WaitReady());
  ExpectProgress("the death of all", 1);
  std::printf("  writes again %.1f s after the start\n",
              absl::ToDoubleSeconds(absl::Now() - started));
  ExpectProgress("the death of all");
  CheckAll(&load);
}

TEST_F(CrashTest, WipedNodeCatchesUpAndThenCarriesTheOthersLoss) {
  Load load(cluster_, options_, &history_);
  ExpectProgress("the start", 2 * kSomeRecords);
  cluster_.Kill(0);
  cluster_.Wipe(0);
  ExpectProgress("a node's death");
  cluster_.Start(0);
  ASSERT_OK(cluster_.WaitReady());
  // From now on every majority needs the new disk.
  cluster_.Kill(1);
  ExpectProgress("another node's death");
  ASSERT_OK(cluster_.WaitReady());
  load.Stop();
  const absl::StatusOr<StreamRecords> without_it =
      CheckThroughEachNode(cluster_, options_.stream, history_);
  ASSERT_TRUE(without_it.ok()) << without_it.status().ToString();
  cluster_.Start(1);
  CheckAll(&load);
}

TEST_F(CrashTest, PausedLeaderComesBackWithoutAStaleAck) {
  Load load(cluster_, options_, &history_);
  ExpectProgress("the start");
  const int leader = LeaderOfFirstGroup();
  const absl::Time paused = absl::Now();
  cluster_.Pause(leader);
  // The others go on meanwhile.
  while (absl::Now() < paused + absl::Seconds(5)) {
    ExpectProgress("the leader's pause", 10);
    if (HasFatalFailure()) break;
  }
  cluster_.Resume(leader);
  ASSERT_OK(cluster_.WaitReady());
  ExpectProgress("the leader's return");
  CheckAll(&load);
}

TEST_F(CrashTest, SubscriberFollowsWhileTheLeaderIsKilled) {
  const int leader = LeaderOfFirstGroup();
  const int survivor = (leader + 1) % ClusterProcess::kNodes;
  PushedReader pushed({cluster_.address(survivor)}, options_.stream);
  Load load(cluster_, options_, &history_);
  ExpectProgress("the start");
  cluster_.Kill(leader);
  ExpectProgress("the leader's death");
  cluster_.Start(leader);
  CheckAll(&load);
  const absl::StatusOr<StreamRecords> got =
      pushed.Take(CountOf(stored_), kLiveness);
  ASSERT_TRUE(got.ok()) << got.status().ToString();
  ASSERT_OK(CheckContinues("an iterator", stored_, "a subscriber", *got));
  ASSERT_OK(history_.Check(*got));
}

}  // namespace
}  // namespace trireme
