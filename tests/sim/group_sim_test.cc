// Consumer groups in the simulator: workers that are killed and paused, nodes
// that crash, networks that part and clocks that jump, while shards split and
// merge. What must hold is in sim_workers.h.
#include <gtest/gtest.h>

#include "spdlog/spdlog.h"
#include "tests/sim/seeds.h"
#include "tests/sim/sim_faults.h"
#include "tests/sim/stream_commands.h"
#include "tests/sim/stream_sim.h"

namespace trireme::sim {
namespace {

constexpr char kName[] = "orders";

// Splits or merges what there is, if the stream can take it now.
void ChangeShards(StreamSim* sim) {
  const auto stream = sim->Find(kName);
  if (stream == nullptr || stream->status != StreamStatus::kActive) return;
  const auto target =
      static_cast<uint32_t>(sim->cluster().random().Between(1, 4));
  if (stream->open.size() == target || stream->open.size() > 2 * target ||
      target > 2 * stream->open.size()) {
    return;
  }
  (void)sim->Commit(CountCommand(*stream, target));
}

void RunSeed(uint64_t seed) {
  SCOPED_TRACE(seed);
  StreamSim sim(seed);
  ASSERT_TRUE(sim.Commit(CreateCommand(kName, 2)).ok());
  ASSERT_NE(sim.Settle(kName), nullptr);
  sim.StartProducers(kName, 2);
  sim.workers().Start(kName, 4);
  sim.workers().set_mishaps(true);
  SimFaults faults(&sim.cluster());
  faults.Start();
  for (int round = 0; round < 10; ++round) {
    sim.cluster().Run(4 * kSecond);
    ChangeShards(&sim);
  }
  faults.Stop();
  sim.workers().set_mishaps(false);
  sim.HealAndCheck();
  EXPECT_GT(sim.workers().steps(), 20u);
  std::printf("  seed %u: %u shards, %u leases, %u workers expired\n",
              static_cast<unsigned>(seed),
              static_cast<unsigned>(sim.workers().shards()),
              static_cast<unsigned>(sim.workers().leases()),
              static_cast<unsigned>(sim.workers().expired()));
  for (const std::string& failure : sim.cluster().history().failures()) {
    ADD_FAILURE() << failure;
  }
}

TEST(GroupSimTest, NoShardIsSkippedOrReadByTwoWhateverFails) {
  spdlog::set_level(spdlog::level::off);
  ForEachSeed(10, RunSeed);
}

}  // namespace
}  // namespace trireme::sim
