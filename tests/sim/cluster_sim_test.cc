// A thousand lives of a simulated cluster; more with build/bin/swarm.
#include <gtest/gtest.h>

#include "tests/sim/swarm.h"

namespace trireme::sim {
namespace {

constexpr uint64_t kSeedsPerTest = 250;

void RunSeeds(uint64_t first) {
  NameSeedOnAbort();
  for (uint64_t seed = first; seed < first + kSeedsPerTest; ++seed) {
    const SeedResult result = RunSeed(seed, /*trace=*/false);
    for (const std::string& failure : result.failures) {
      ADD_FAILURE() << "seed " << seed << ": " << failure << "\n"
                    << HowToReplay(seed);
    }
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(ClusterSimTest, NothingPromisedIsBrokenInTheFirstQuarter) { RunSeeds(1); }
TEST(ClusterSimTest, NothingPromisedIsBrokenInTheSecondQuarter) {
  RunSeeds(1 + kSeedsPerTest);
}
TEST(ClusterSimTest, NothingPromisedIsBrokenInTheThirdQuarter) {
  RunSeeds(1 + 2 * kSeedsPerTest);
}
TEST(ClusterSimTest, NothingPromisedIsBrokenInTheLastQuarter) {
  RunSeeds(1 + 3 * kSeedsPerTest);
}

// Seeds that once showed a bug; the commit that mentions them says which.
TEST(ClusterSimTest, SeedsOfFixedBugsPass) {
  NameSeedOnAbort();
  for (const uint64_t seed : {483, 1022, 1302, 1365, 2244, 2391, 2869}) {
    const SeedResult result = RunSeed(seed, /*trace=*/false);
    for (const std::string& failure : result.failures) {
      ADD_FAILURE() << "seed " << seed << ": " << failure << "\n"
                    << HowToReplay(seed);
    }
  }
}

TEST(ClusterSimTest, TheSameSeedGivesTheSameTrace) {
  NameSeedOnAbort();
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const SeedResult once = RunSeed(seed, /*trace=*/false);
    const SeedResult again = RunSeed(seed, /*trace=*/false);
    EXPECT_EQ(once.trace_hash, again.trace_hash) << "seed " << seed;
    EXPECT_EQ(once.puts_acked, again.puts_acked) << "seed " << seed;
  }
  EXPECT_NE(RunSeed(1, false).trace_hash, RunSeed(2, false).trace_hash);
}

// Otherwise the above would show little.
TEST(ClusterSimTest, LivesAreFullOfEvents) {
  SeedResult sum;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const SeedResult result = RunSeed(seed, /*trace=*/false);
    sum.puts_acked += result.puts_acked;
    sum.puts_acked_once += result.puts_acked_once;
    sum.duplicates += result.duplicates;
    sum.refused += result.refused;
    sum.unknown += result.unknown;
    sum.barriers_passed += result.barriers_passed;
    sum.pulls += result.pulls;
    sum.damages += result.damages;
  }
  EXPECT_GT(sum.puts_acked, 10'000u);
  EXPECT_GT(sum.puts_acked_once, 5'000u);
  EXPECT_GT(sum.duplicates, 1'000u);
  EXPECT_GT(sum.refused, 1'000u);
  EXPECT_GT(sum.unknown, 100u);
  EXPECT_GT(sum.barriers_passed, 2'000u);
  EXPECT_GT(sum.pulls, 100u);
  EXPECT_GE(sum.damages, 1u);
}

}  // namespace
}  // namespace trireme::sim
