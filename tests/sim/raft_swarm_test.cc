// The swarm in the size that runs with every test run.
#include "tests/sim/raft_swarm.h"

#include <gtest/gtest.h>

namespace trireme::sim {
namespace {

void RunSchedules(uint64_t first_seed, int schedules) {
  SwarmResult total;
  for (int i = 0; i < schedules; ++i) {
    SwarmOptions options;
    options.seed = first_seed + i;
    SCOPED_TRACE(options.seed);
    const SwarmResult result = RaftSwarm(options).Run();
    ASSERT_EQ(result.failure, "") << "raft_swarm --schedules 1 --seed "
                                  << options.seed << " --trace shows it";
    total.committed += result.committed;
    total.crashes += result.crashes;
    total.recoveries += result.recoveries;
    total.installs += result.installs;
    total.reads += result.reads;
  }
  // Promises about nothing are easily kept.
  EXPECT_GT(total.committed, 50u * schedules);
  EXPECT_GT(total.crashes, 1u * schedules);
  EXPECT_GT(total.reads, 1u * schedules);
  EXPECT_GT(total.recoveries, 0.05 * schedules);
  EXPECT_GT(total.installs, 0.05 * schedules);
}

TEST(RaftSwarmTest, KeepsAllPromisesInSchedules1To500) { RunSchedules(1, 500); }
TEST(RaftSwarmTest, KeepsAllPromisesInSchedules501To1000) {
  RunSchedules(501, 500);
}
TEST(RaftSwarmTest, KeepsAllPromisesInSchedules1001To1500) {
  RunSchedules(1001, 500);
}
TEST(RaftSwarmTest, KeepsAllPromisesInSchedules1501To2000) {
  RunSchedules(1501, 500);
}

TEST(RaftSwarmTest, TheSameSeedGivesTheSameSchedule) {
  for (uint64_t seed = 7'000'000; seed < 7'000'020; ++seed) {
    SwarmOptions options;
    options.seed = seed;
    const SwarmResult once = RaftSwarm(options).Run();
    const SwarmResult again = RaftSwarm(options).Run();
    EXPECT_EQ(once.trace_hash, again.trace_hash);
    EXPECT_EQ(once.committed, again.committed);
    options.seed += 1000;
    EXPECT_NE(RaftSwarm(options).Run().trace_hash, once.trace_hash);
  }
}

}  // namespace
}  // namespace trireme::sim
