#include "tests/sim/swarm.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"
#include "tests/sim/sim_clients.h"
#include "tests/sim/sim_cluster.h"
#include "tests/sim/sim_faults.h"
#include "tests/sim/sim_producers.h"

namespace trireme::sim {
namespace {

constexpr Micros kHealLimit = 30 * kSecond;

// Of the run going on, for the signal handler.
char replay_line[128];

void SayReplayLine(int) {
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, replay_line, std::strlen(replay_line));
}

uint64_t Pick(Random& random, uint64_t low, uint64_t high) {
  return random.Between(low, high);
}

SimClusterOptions OptionsFor(uint64_t seed, bool trace) {
  Random random(seed ^ 0x5EED);
  SimClusterOptions options;
  options.seed = seed;
  options.trace = trace;
  options.node = SmallNodes(static_cast<uint32_t>(Pick(random, 2, 3)));
  SimNodeOptions& node = options.node;
  node.loop.entry_bytes_max = Pick(random, 512, 4096);
  node.loop.waiting_bytes_max = Pick(random, 4u << 10, 32u << 10);
  node.loop.apply_bytes_max = Pick(random, 1u << 10, 16u << 10);
  node.loop.cached_payload_bytes = Pick(random, 1u << 10, 8u << 10);
  node.loop.log_bytes_kept = Pick(random, 2u << 10, 64u << 10);
  node.log.segment_bytes = Pick(random, 8, 32) * 4096;
  node.flush_period_max =
      static_cast<Micros>(Pick(random, 200 * kMillisecond, 4 * kSecond));
  // Much may happen between a leader's order to pull and the pull.
  if (random.Chance(0.4)) node.pull_delay_max = 3 * kSecond;
  return options;
}

SimClientsOptions ClientsFor(Random& random) {
  SimClientsOptions options;
  options.clients = static_cast<int>(random.Between(2, 5));
  options.think_max = static_cast<Micros>(
      random.Between(20 * kMillisecond, 200 * kMillisecond));
  options.record_bytes_max = random.Chance(0.2) ? 2000 : 300;
  return options;
}

// Everything works again: each node takes records and answers reads.
void CheckServes(SimCluster& cluster, SimClients& clients) {
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    for (uint32_t g = 0; g < cluster.group_count(); ++g) {
      if (!clients.PutSucceeds(i, GroupId(g))) {
        cluster.history().Fail("heals", absl::StrCat("node ", i + 1,
                                                     " does not take a put for "
                                                     "group ",
                                                     g));
      }
      if (!clients.BarrierSucceeds(i, GroupId(g))) {
        cluster.history().Fail("heals",
                               absl::StrCat("node ", i + 1,
                                            " does not pass a barrier of "
                                            "group ",
                                            g));
      }
    }
  }
}

// Where a producer's records go in a cluster without a catalogue.
std::optional<PutTarget> RouteOf(const SimCluster& cluster,
                                 const std::string& key) {
  const auto hash = static_cast<uint32_t>(key.back());
  return PutTarget{GroupId(hash % cluster.group_count()),
                   {StreamId(2), ShardIndex(hash % 5)}};
}

void Live(SimCluster& cluster, SimClients& clients, SimProducers& producers) {
  Random& random = cluster.random();
  if (random.Chance(0.1)) cluster.network().set_conditions({.encodes = true});
  SimFaults faults(&cluster);
  cluster.StartAll();
  clients.Start();
  producers.Start(static_cast<int>(random.Below(4)));
  cluster.Run(static_cast<Micros>(random.Between(0, 2 * kSecond)));
  faults.Start();
  cluster.Run(static_cast<Micros>(random.Between(6 * kSecond, 14 * kSecond)));
  faults.Stop();
  clients.Stop();
  producers.Stop();
  cluster.HealAndCheck(kHealLimit);
  if (cluster.history().failures().empty()) CheckServes(cluster, clients);
  if (random.Chance(0.5)) {
    for (int i = 0; i < SimCluster::kNodes; ++i) {
      cluster.node(i).Crash(SimNode::Stop::kPowerFailure, random.Chance(0.5));
    }
    cluster.Run(10 * kSecond);  // The last questions run out.
    cluster.HealAndCheck(kHealLimit);
  }
}

}  // namespace

SeedResult RunSeed(uint64_t seed, bool trace) {
  std::snprintf(replay_line, sizeof replay_line, "aborted; %s\n",
                HowToReplay(seed).c_str());
  spdlog::set_level(trace ? spdlog::level::debug : spdlog::level::off);
  SimCluster cluster(OptionsFor(seed, trace));
  Random choices(seed ^ 0xC11E);
  SimClients clients(&cluster, ClientsFor(choices));
  SimProducers producers(&cluster, [&cluster](int, const std::string& key) {
    return RouteOf(cluster, key);
  });
  Live(cluster, clients, producers);

  SeedResult result;
  result.failures = cluster.history().failures();
  result.trace_hash = cluster.trace().hash();
  result.puts_acked = clients.puts_acked();
  result.puts_acked_once = producers.acked();
  result.duplicates = producers.duplicates();
  result.refused = clients.refused();
  result.unknown = clients.unknown();
  result.barriers_passed = clients.barriers_passed();
  for (uint32_t g = 0; g < cluster.group_count(); ++g) {
    result.committed += cluster.history().committed(GroupId(g));
  }
  for (int i = 0; i < SimCluster::kNodes; ++i) {
    result.pulls += cluster.node(i).pulls();
    result.damages += cluster.node(i).damages();
  }
  result.virtual_seconds =
      static_cast<double>(cluster.events().now()) / kSecond;
  return result;
}

std::string HowToReplay(uint64_t seed) {
  return absl::StrCat("replay: build/bin/swarm --seed ", seed,
                      " --seeds 1 --trace");
}

void NameSeedOnAbort() {
  std::signal(SIGABRT, SayReplayLine);
  std::signal(SIGSEGV, [](int) {
    SayReplayLine(0);
    _exit(139);
  });
}

}  // namespace trireme::sim
