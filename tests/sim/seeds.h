// The seeds that a test of the simulator runs.
#ifndef TRIREME_TESTS_SIM_SEEDS_H_
#define TRIREME_TESTS_SIM_SEEDS_H_

#include <cstdint>
#include <cstdlib>

#include "gtest/gtest.h"

namespace trireme::sim {

// Runs seeds 1 to `last`, or those of TRIREME_SEEDS=FIRST..LAST, until one
// fails.
inline void ForEachSeed(uint64_t last, void (*run)(uint64_t seed)) {
  uint64_t first = 1;
  if (const char* const seeds = std::getenv("TRIREME_SEEDS")) {
    char* end = nullptr;
    first = std::strtoull(seeds, &end, 10);
    last = *end == '.' ? std::strtoull(end + 2, nullptr, 10) : first;
  }
  for (uint64_t seed = first; seed <= last && !::testing::Test::HasFailure();
       ++seed) {
    run(seed);
  }
}

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_SEEDS_H_
