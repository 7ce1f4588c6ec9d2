// kill -9 of one, each and all nodes while records are written.
#include "tests/cluster/cluster_test.h"

namespace trireme {
namespace {

using CrashTest = ClusterTest;

TEST_F(CrashTest, LosesNothingWhenTheLeaderIsKilled) {
  Load load(cluster_, options_, &history_);
  ExpectProgress("the start");
  const absl::StatusOr<int> leader = cluster_.LeaderOf(1, 0);
  ASSERT_TRUE(leader.ok()) << leader.status().ToString();
  const absl::Time killed = absl::Now();
  cluster_.Kill(*leader);
  ExpectProgress("the leader's death");
  ASSERT_OK(cluster_.WaitReady());
  ExpectProgress("the election");
  const absl::Duration gap = history_.LongestGap(killed);
  std::printf("  longest write gap of a shard: %.0f ms (to be under 2000)\n",
              absl::ToDoubleMilliseconds(gap));
  RecordProperty("write_gap_ms",
                 static_cast<int>(absl::ToInt64Milliseconds(gap)));
  // Wide, since a busy machine makes gaps of its own.
  EXPECT_LT(gap, absl::Seconds(5));
  cluster_.Start(*leader);
  CheckAll(&load);
}

}  // namespace
}  // namespace trireme
