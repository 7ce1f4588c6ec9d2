// swarm --seeds N [--seed S] [--trace]: lives of a simulated cluster, one a
// seed. Exits with 1 when a check failed.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/sim/swarm.h"

namespace trireme::sim {
namespace {

struct Arguments {
  uint64_t seeds = 100;
  uint64_t first = 1;
  bool trace = false;
};

int Usage() {
  std::fprintf(stderr, "usage: swarm [--seeds N] [--seed S] [--trace]\n");
  return 2;
}

int Run(const Arguments& arguments) {
  const auto started = std::chrono::steady_clock::now();
  SeedResult sum;
  uint64_t failed = 0;
  for (uint64_t i = 0; i < arguments.seeds; ++i) {
    const uint64_t seed = arguments.first + i;
    const SeedResult result = RunSeed(seed, arguments.trace);
    sum.puts_acked += result.puts_acked;
    sum.puts_acked_once += result.puts_acked_once;
    sum.duplicates += result.duplicates;
    sum.refused += result.refused;
    sum.unknown += result.unknown;
    sum.barriers_passed += result.barriers_passed;
    sum.committed += result.committed;
    sum.pulls += result.pulls;
    sum.damages += result.damages;
    sum.virtual_seconds += result.virtual_seconds;
    if (!result.failures.empty()) {
      ++failed;
      std::printf("seed %llu: %s\n  (%zu failures; %s)\n",
                  static_cast<unsigned long long>(seed),
                  result.failures.front().c_str(), result.failures.size(),
                  HowToReplay(seed).c_str());
    }
    if (arguments.trace) {
      std::printf("trace hash %016llx\n",
                  static_cast<unsigned long long>(result.trace_hash));
    }
    if ((i + 1) % 100 == 0 || i + 1 == arguments.seeds) {
      const std::chrono::duration<double> took =
          std::chrono::steady_clock::now() - started;
      std::printf(
          "%llu seeds, %llu failed: %.0f s simulated in %.1f s, %llu puts "
          "acked and %llu exactly once (%llu copies), %llu refused, %llu "
          "unknown, %llu barriers, %llu entries, "
          "%llu pulls, %llu damaged logs\n",
          static_cast<unsigned long long>(i + 1),
          static_cast<unsigned long long>(failed), sum.virtual_seconds,
          took.count(), static_cast<unsigned long long>(sum.puts_acked),
          static_cast<unsigned long long>(sum.puts_acked_once),
          static_cast<unsigned long long>(sum.duplicates),
          static_cast<unsigned long long>(sum.refused),
          static_cast<unsigned long long>(sum.unknown),
          static_cast<unsigned long long>(sum.barriers_passed),
          static_cast<unsigned long long>(sum.committed),
          static_cast<unsigned long long>(sum.pulls),
          static_cast<unsigned long long>(sum.damages));
      std::fflush(stdout);
    }
  }
  return failed == 0 ? 0 : 1;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--trace") {
      arguments.trace = true;
    } else if (name == "--seeds" && i + 1 < argc) {
      arguments.seeds = std::strtoull(argv[++i], nullptr, 10);
    } else if (name == "--seed" && i + 1 < argc) {
      arguments.first = std::strtoull(argv[++i], nullptr, 10);
    } else {
      return Usage();
    }
  }
  NameSeedOnAbort();
  return Run(arguments);
}

}  // namespace
}  // namespace trireme::sim

int main(int argc, char** argv) { return trireme::sim::Main(argc, argv); }
