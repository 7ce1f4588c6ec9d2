// raft_swarm --schedules 50000 --events 2500 [--seed N] [--trace]
// Runs that many random schedules of the consensus core, seed after seed.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/sim/raft_swarm.h"

namespace trireme::sim {
namespace {

uint64_t current_seed = 0;

// A CHECK inside the core ends the process: say which schedule it was.
void OnAbort(int) {
  char text[96];
  const int length =
      std::snprintf(text, sizeof(text), "\nFAILED in schedule --seed %llu\n",
                    static_cast<unsigned long long>(current_seed));
  std::fwrite(text, 1, static_cast<size_t>(length), stderr);
}

struct CommandLine {
  uint64_t schedules = 1000;
  uint64_t seed = 1;
  SwarmOptions swarm;
  bool trace = false;
};

CommandLine Parse(int argc, char** argv) {
  CommandLine line;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    uint64_t number = 0;
    if (flag == "--trace") {
      line.trace = true;
    } else if (flag == "--no-message-checks") {
      line.swarm.check_messages = false;
    } else if (!absl::SimpleAtoi(value, &number)) {
      std::fprintf(stderr, "%s needs a number\n", flag.c_str());
      std::exit(2);
    } else if (flag == "--schedules") {
      line.schedules = number;
      ++i;
    } else if (flag == "--events") {
      line.swarm.events = static_cast<int>(number);
      ++i;
    } else if (flag == "--seed") {
      line.seed = number;
      ++i;
    } else {
      std::fprintf(stderr, "unknown flag %s\n", flag.c_str());
      std::exit(2);
    }
  }
  return line;
}

void PrintLastEvents(SwarmOptions options) {
  std::deque<std::string> last;
  options.trace = [&last](const std::string& line) {
    last.push_back(line);
    if (last.size() > 60) last.pop_front();
  };
  RaftSwarm(options).Run();
  for (const std::string& line : last) std::printf("  %s\n", line.c_str());
}

struct Total : SwarmResult {
  uint64_t slowest_seed = 0;
};

void Add(const SwarmResult& result, uint64_t seed, Total* total) {
  total->steps += result.steps;
  total->committed += result.committed;
  total->crashes += result.crashes;
  total->wipes += result.wipes;
  total->recoveries += result.recoveries;
  total->installs += result.installs;
  total->reads += result.reads;
  total->transfers += result.transfers;
  total->changes += result.changes;
  total->leaders += result.leaders;
  if (result.heal_us > total->heal_us) {
    total->heal_us = result.heal_us;
    total->slowest_seed = seed;
  }
}

int Run(const CommandLine& line) {
  Total total;
  const absl::Time begin = absl::Now();
  for (uint64_t i = 0; i < line.schedules; ++i) {
    SwarmOptions options = line.swarm;
    options.seed = current_seed = line.seed + i;
    if (line.trace) {
      options.trace = [](const std::string& text) {
        std::printf("%s\n", text.c_str());
        std::fflush(stdout);
      };
    }
    const SwarmResult result = RaftSwarm(options).Run();
    if (!result.failure.empty()) {
      std::printf("FAILED in schedule --seed %llu: %s\nIts last events:\n",
                  static_cast<unsigned long long>(options.seed),
                  result.failure.c_str());
      if (!line.trace) PrintLastEvents(options);
      return 1;
    }
    Add(result, options.seed, &total);
    const uint64_t done = i + 1;
    if (done % 1000 == 0 || done == line.schedules) {
      const double seconds = absl::ToDoubleSeconds(absl::Now() - begin);
      std::printf(
          "%llu schedules in %.0f s: %.1fM steps, %.1fM committed, %llu "
          "leaders, %llu crashes, %llu disks lost, %llu recovered, %llu "
          "snapshots, %llu reads, %llu transfers, %llu changes, slowest "
          "healing %.1f s (seed "
          "%llu)\n",
          static_cast<unsigned long long>(done), seconds, total.steps * 1e-6,
          total.committed * 1e-6,
          static_cast<unsigned long long>(total.leaders),
          static_cast<unsigned long long>(total.crashes),
          static_cast<unsigned long long>(total.wipes),
          static_cast<unsigned long long>(total.recoveries),
          static_cast<unsigned long long>(total.installs),
          static_cast<unsigned long long>(total.reads),
          static_cast<unsigned long long>(total.transfers),
          static_cast<unsigned long long>(total.changes), total.heal_us * 1e-6,
          static_cast<unsigned long long>(total.slowest_seed));
      std::fflush(stdout);
    }
  }
  std::printf("all promises held\n");
  return 0;
}

}  // namespace
}  // namespace trireme::sim

int main(int argc, char** argv) {
  std::signal(SIGABRT, trireme::sim::OnAbort);
  return trireme::sim::Run(trireme::sim::Parse(argc, argv));
}
