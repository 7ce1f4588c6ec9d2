// cluster_soak --minutes N [--seed S]: three real nodes live through random
// kills, pauses, planned stops and wiped disks under load. A round is a stream
// of its own and several faults; then everything is read through each node and
// checked (tests/cluster/history.h). Ends with 1 at the first finding and keeps
// the folder. The seed gives the same faults, not the same timing.
#include <CLI/CLI.hpp>
#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "storage/status_macros.h"
#include "tests/cluster/cluster_process.h"
#include "tests/cluster/history.h"
#include "tests/cluster/load.h"

namespace trireme {
namespace {

constexpr int kFaultsPerRound = 5;
constexpr int kShards = 8;
constexpr size_t kRecordsBetweenFaults = 40;  // On each shard.
// Without quorum nothing moves; a node that must catch up takes its time.
constexpr absl::Duration kReadyTimeout = absl::Seconds(60);

class Soak {
 public:
  explicit Soak(uint64_t seed) : random_(seed) {}

  absl::Status Run(absl::Time until) {
    cluster_.StartAll();
    RETURN_IF_ERROR(cluster_.WaitReady(kReadyTimeout));
    for (int round = 0; absl::Now() < until; ++round) {
      RETURN_IF_ERROR(Round(round));
    }
    return absl::OkStatus();
  }
  ClusterProcess& cluster() { return cluster_; }

 private:
  using Fault = absl::Status (Soak::*)();

  absl::Status Round(int round) {
    history_ = std::make_unique<History>();
    LoadOptions options;
    options.stream = absl::StrCat("round-", round);
    options.shards = kShards;
    options.batchers = 2;
    options.producers = 2;
    options.batch_records = 10;
    RETURN_IF_ERROR(MakeStream(cluster_, options));
    PushedReader pushed(cluster_.addresses(Node()), options.stream);
    Load load(cluster_, options, history_.get());
    RETURN_IF_ERROR(Progress());
    for (int fault = 0; fault < kFaultsPerRound; ++fault) {
      RETURN_IF_ERROR(AnyFault());
      cluster_.StartAll();
      RETURN_IF_ERROR(cluster_.WaitReady(kReadyTimeout));
      RETURN_IF_ERROR(Progress());
    }
    load.Stop();
    ASSIGN_OR_RETURN(const StreamRecords stored,
                     CheckThroughEachNode(cluster_, options.stream, *history_));
    ASSIGN_OR_RETURN(const StreamRecords got,
                     pushed.Take(CountOf(stored), absl::Seconds(30)));
    RETURN_IF_ERROR(CheckContinues("an iterator", stored, "a subscriber", got));
    RETURN_IF_ERROR(history_->Check(got));
    std::printf("round %d right: %zu acked, %zu unknown, %zu refused\n", round,
                history_->acked_count(), history_->unknown_count(),
                history_->refused_count());
    std::fflush(stdout);
    return cluster_.ClientOfAll()->DeleteStream(options.stream);
  }

  absl::Status AnyFault() {
    struct Named {
      const char* name;
      Fault fault;
    };
    static constexpr std::array<Named, 7> kFaults = {{
        {"kill one", &Soak::KillOne},
        {"kill all", &Soak::KillAll},
        {"kill two, one after the other", &Soak::KillTwo},
        {"pause one", &Soak::PauseOne},
        {"pause one, kill another", &Soak::PauseOneKillAnother},
        {"stop one as planned", &Soak::StopOne},
        {"wipe one", &Soak::WipeOne},
    }};
    const Named& chosen = kFaults[Below(kFaults.size())];
    const absl::Time start = absl::Now();
    std::printf("  %s ...", chosen.name);
    std::fflush(stdout);
    const absl::Status status = (this->*chosen.fault)();
    std::printf(" %.1f s, %zu acked\n",
                absl::ToDoubleSeconds(absl::Now() - start),
                history_->acked_count());
    return status;
  }

  absl::Status KillOne() {
    cluster_.Kill(Node());
    return Progress();
  }
  absl::Status KillAll() {
    for (int node = 0; node < ClusterProcess::kNodes; ++node) {
      cluster_.Kill(node);
    }
    return absl::OkStatus();
  }
  absl::Status KillTwo() {
    const int first = Node();
    cluster_.Kill(first);
    history_->AwaitAcked(Below(40), kShards, absl::Seconds(2));
    cluster_.Kill((first + 1) % ClusterProcess::kNodes);
    return absl::OkStatus();
  }
  absl::Status PauseOne() {
    const int node = Node();
    cluster_.Pause(node);
    const absl::Status progress = Progress();
    cluster_.Resume(node);
    return progress;
  }
  absl::Status PauseOneKillAnother() {
    const int node = Node();
    cluster_.Pause(node);
    history_->AwaitAcked(Below(40), kShards, absl::Seconds(3));
    cluster_.Kill((node + 1) % ClusterProcess::kNodes);
    cluster_.Resume(node);
    return Progress();
  }
  absl::Status StopOne() {
    ASSIGN_OR_RETURN(const int code, cluster_.Terminate(Node()));
    if (code != 0) {
      return absl::InternalError(absl::StrCat("SIGTERM: exit code ", code));
    }
    return Progress();
  }
  absl::Status WipeOne() {
    const int node = Node();
    cluster_.Kill(node);
    cluster_.Wipe(node);
    return Progress();
  }

  absl::Status Progress() {
    if (history_->AwaitAcked(kRecordsBetweenFaults, kShards, kReadyTimeout)) {
      return absl::OkStatus();
    }
    return absl::DeadlineExceededError("writes stopped");
  }
  int Node() { return static_cast<int>(Below(ClusterProcess::kNodes)); }
  size_t Below(size_t bound) { return random_() % bound; }

  std::mt19937_64 random_;
  ClusterProcess cluster_;
  std::unique_ptr<History> history_;
};

int Main(int argc, char** argv) {
  double minutes = 10;
  uint64_t seed = std::random_device()();
  CLI::App app("Random faults on three real nodes under load.", "cluster_soak");
  app.add_option("--minutes", minutes, "At least so long")
      ->capture_default_str();
  app.add_option("--seed", seed, "Of the faults");
  CLI11_PARSE(app, argc, argv);
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Soak soak(seed);
  const absl::Status status = soak.Run(absl::Now() + absl::Minutes(minutes));
  if (status.ok()) return 0;
  std::printf("\nFAILED: %s\n", status.ToString().c_str());
  soak.cluster().KeepForInspection();
  return 1;
}

}  // namespace
}  // namespace trireme

int main(int argc, char** argv) { return trireme::Main(argc, argv); }
