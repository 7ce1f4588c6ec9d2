// One life of a simulated cluster from a seed: clients, a mix of faults, then
// healing, then often a power failure of everything, and the checks.
#ifndef TRIREME_TESTS_SIM_SWARM_H_
#define TRIREME_TESTS_SIM_SWARM_H_

#include <cstdint>
#include <string>
#include <vector>

namespace trireme::sim {

struct SeedResult {
  std::vector<std::string> failures;
  uint64_t trace_hash = 0;
  uint64_t puts_acked = 0;
  uint64_t puts_acked_once = 0;  // Of producers that put exactly once,
  uint64_t duplicates = 0;       // and copies that were told to be some.
  uint64_t refused = 0;
  uint64_t unknown = 0;
  uint64_t barriers_passed = 0;
  uint64_t committed = 0;
  uint64_t pulls = 0;
  uint64_t damages = 0;
  double virtual_seconds = 0;
};

SeedResult RunSeed(uint64_t seed, bool trace);

// How to see a seed's run again.
std::string HowToReplay(uint64_t seed);
// A broken CHECK of the product aborts: says for which seed.
void NameSeedOnAbort();

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_SWARM_H_
