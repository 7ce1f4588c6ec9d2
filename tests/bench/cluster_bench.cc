// What the whole system does, beside what the machine does without it: the
// rows of tests/bench/run, which builds and starts this.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>

#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "tests/bench/report.h"
#include "tests/bench/rows.h"

namespace trireme::bench {
namespace {

struct NamedRow {
  const char* name;  // Several may share one.
  std::function<Row(const Scale&)> measure;
};

const std::vector<NamedRow>& AllRows() {
  static const auto* const rows = new std::vector<NamedRow>{
      {"ingest", MeasureIngest},
      {"once", MeasureExactlyOnce},
      {"unary", MeasureUnary},
      {"stream", MeasureBidirectional},
      {"ack", MeasureAck},
      {"producer", MeasureProducer},
      {"fair", MeasureFairness},
      {"push", MeasurePush},
      {"fanout", MeasureFanOut},
      {"kinesis", MeasureKinesisPut},
      {"kinesis", MeasureKinesisSmallBatches},
      {"kinesis", MeasureKinesisBatches},
      {"kinesis", MeasureKinesisRead},
      {"kinesis", MeasureKinesisPush},
      {"replay", MeasureReplay},
      {"groups", MeasureGroups},
      {"restart", MeasureRestart},
      {"failover", MeasureFailover},
      {"idle", MeasureIdle},
  };
  return *rows;
}

struct Flags {
  std::vector<std::string> rows;
  bool quick = false;
  std::string output = "table";
  std::string json;
  Scale scale;
};

void AddFlags(CLI::App& app, Flags& flags) {
  std::vector<std::string> names;
  for (const NamedRow& row : AllRows()) {
    if (names.empty() || names.back() != row.name) {
      names.emplace_back(row.name);
    }
  }
  app.add_option("--rows", flags.rows, "only these, separated by commas")
      ->delimiter(',')
      ->check(CLI::IsMember(names));
  app.add_flag("--quick", flags.quick, "at most a minute; less to be trusted");
  app.add_option("--output", flags.output, "table or json, on standard output")
      ->check(CLI::IsMember({"table", "json"}));
  app.add_option("--json", flags.json, "write JSON to this file too");
  app.add_option("--bin", flags.scale.places.bin, "where the programs are")
      ->required();
  app.add_option("--directory", flags.scale.places.directory,
                 "for data, on the disk to be measured")
      ->required();
  app.add_option("--peers", flags.scale.places.peers,
                 "where tests/bench/peers/install has put what the rows of "
                 "kinesis are measured beside");
}

void MakeQuick(Scale& scale) {
  scale.repetitions = 1;
  scale.measured_s = 1;
  scale.idle_shards = 1'000;
  scale.group_workers = 200;
  scale.group_leases = 1'000;
  scale.restart_megabytes = 100;
  scale.failovers = 1;
  scale.replay_s = 4;
}

int Main(int argc, char** argv) {
  CLI::App app("Measures Trireme beside the floors of this machine.",
               "tests/bench/run");
  Flags flags;
  AddFlags(app, flags);
  CLI11_PARSE(app, argc, argv);
  if (flags.quick) MakeQuick(flags.scale);
  // The load must not be what limits (server/main.cc says why).
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  std::filesystem::create_directories(flags.scale.places.directory);
  std::vector<Row> rows;
  for (const NamedRow& row : AllRows()) {
    if (!flags.rows.empty() && std::find(flags.rows.begin(), flags.rows.end(),
                                         row.name) == flags.rows.end()) {
      continue;
    }
    std::cerr << "bench: " << row.name << std::endl;
    const int64_t start = SteadyNow();
    rows.push_back(row.measure(flags.scale));
    rows.back().details.emplace_back(
        "took s", static_cast<double>(SteadyNow() - start) / 1e9);
    // After each row: one that fails does not take the others with it.
    if (!flags.json.empty()) std::ofstream(flags.json) << ToJson(rows) << "\n";
  }
  if (flags.output == "json") {
    std::cout << ToJson(rows) << std::endl;
  } else {
    PrintTable(rows, std::cout);
  }
  return 0;
}

}  // namespace
}  // namespace trireme::bench

int main(int argc, char** argv) { return trireme::bench::Main(argc, argv); }
