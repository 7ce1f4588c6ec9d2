// Rows about consumer groups.
#include <algorithm>
#include <atomic>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "storage/check.h"
#include "tests/bench/rows.h"

namespace trireme::bench {
namespace {

// Each waits for its answers: some 60 ms, most of it the gathering.
constexpr int kThreads = 64;
constexpr absl::Duration kLease = absl::Seconds(10);
constexpr absl::Duration kHeartbeatPeriod = absl::Milliseconds(3'333);
constexpr absl::Duration kPatience = absl::Seconds(120);
constexpr double kCpuPercentMax = 10;

// A worker as the cluster sees it: it reads nothing.
struct BareWorker {
  v1::WorkerHandle handle;
  std::vector<v1::LeaseRef> leases;
  bool settled = false;  // Nothing was to be handed off.
};

template <typename Run>
void OnThreads(Run run) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&run, thread] { run(thread); });
  }
  for (std::thread& thread : threads) thread.join();
}

class BareGroup {
 public:
  BareGroup(Cluster& cluster, std::string stream, int workers)
      : client_(MakeClient({cluster.address(0)})),
        stream_(std::move(stream)),
        workers_(static_cast<size_t>(workers)) {
    OnThreads([this](int thread) {
      for (auto i = static_cast<size_t>(thread); i < workers_.size();
           i += kThreads) {
        v1::JoinConsumerGroupRequest request;
        request.set_stream_name(stream_);
        request.set_group_name("group");
        request.set_worker_id(absl::StrCat("worker-", i));
        request.mutable_settings()->set_lease_duration_ms(
            absl::ToInt64Milliseconds(kLease));
        const auto joined = client_->JoinConsumerGroup(request);
        Must(joined.status(), "a worker joins");
        workers_[i].handle = joined->worker();
      }
    });
  }

  // Each worker is heard once in a period, until then.
  void Beat(absl::Time until) {
    OnThreads([this, until](int thread) {
      std::mt19937 random(static_cast<uint32_t>(thread));
      const size_t own = (workers_.size() + kThreads - 1) / kThreads;
      for (size_t beat = 0;; ++beat) {
        const absl::Time due = began_ + kHeartbeatPeriod *
                                            static_cast<double>(beat) /
                                            static_cast<double>(own);
        if (due >= until) return;
        if (due < absl::Now() - kHeartbeatPeriod) continue;
        absl::SleepFor(due - absl::Now());
        const size_t i = (beat % own) * kThreads + static_cast<size_t>(thread);
        if (i < workers_.size()) BeatOnce(&workers_[i], &random);
      }
    });
  }
  // Until nothing is handed off any more.
  void Settle() {
    const absl::Time deadline = absl::Now() + kPatience;
    do {
      CHECK(absl::Now() < deadline, "the group does not settle");
      Beat(absl::Now() + 2 * kHeartbeatPeriod);
    } while (!std::all_of(workers_.begin(), workers_.end(),
                          [](const BareWorker& one) { return one.settled; }));
  }
  size_t heartbeats() const { return heartbeats_; }
  std::pair<size_t, size_t> LeaseCounts() const {
    const auto [least, most] = std::minmax_element(
        workers_.begin(), workers_.end(), [](const auto& a, const auto& b) {
          return a.leases.size() < b.leases.size();
        });
    return {least->leases.size(), most->leases.size()};
  }

 private:
  void BeatOnce(BareWorker* worker, std::mt19937* random) {
    v1::HeartbeatRequest request;
    *request.mutable_worker() = worker->handle;
    for (v1::LeaseRef& lease : worker->leases) {
      lease.set_bytes_per_second(100'000 + (*random)() % 1'000);
      *request.add_leases() = lease;
    }
    const auto response =
        client_->Heartbeat(request, absl::Now() + absl::Seconds(5));
    Must(response.status(), "a heartbeat");
    ++heartbeats_;
    worker->leases.clear();
    v1::ReleaseLeasesRequest release;
    *release.mutable_worker() = worker->handle;
    for (const v1::WorkerLease& told : response->leases()) {
      v1::LeaseRef lease;
      lease.set_shard_id(told.shard_id());
      lease.set_lease_counter(told.lease_counter());
      if (told.hand_off() && release.leases_size() < 500) {
        *release.add_leases() = lease;
      } else {
        worker->leases.push_back(std::move(lease));
      }
    }
    worker->settled = release.leases_size() == 0 && !worker->leases.empty();
    if (release.leases_size() == 0) return;
    Must(client_->ReleaseLeases(release).status(), "a release");
  }

  const absl::Time began_ = absl::Now();
  std::unique_ptr<client::Client> client_;
  const std::string stream_;
  std::vector<BareWorker> workers_;  // Each is one thread's.
  std::atomic<size_t> heartbeats_ = 0;
};

}  // namespace

Row MeasureGroups(const Scale& scale) {
  Cluster cluster(scale.places, Cluster::Shape::kOneProcess);
  const std::string stream = cluster.MakeStream(scale.group_leases);
  const auto cpu_percent = [&](auto run) {
    const double before = cluster.CpuMilliseconds();
    const absl::Time began = absl::Now();
    run(began + absl::Seconds(10 * scale.measured_s));
    return (cluster.CpuMilliseconds() - before) /
           absl::ToDoubleMilliseconds(absl::Now() - began) * 100;
  };
  const double idle = cpu_percent(
      [](absl::Time until) { absl::SleepFor(until - absl::Now()); });
  BareGroup group(cluster, stream, scale.group_workers);
  group.Settle();
  const size_t before = group.heartbeats();
  const double busy =
      cpu_percent([&group](absl::Time until) { group.Beat(until); });
  const auto [least, most] = group.LeaseCounts();

  Row row;
  row.name = "groups";
  row.title = absl::StrCat("CPU of leases: ", scale.group_workers, " workers, ",
                           scale.group_leases, " leases");
  row.figure = busy;
  row.unit = "%";
  row.floor = idle;
  row.floor_title = "the same cluster without workers";
  row.floor_is_least = true;
  row.target = absl::StrCat("under ", kCpuPercentMax, " % of a core more");
  row.reached = kCpuPercentMax / std::max(busy - idle, 0.1);
  row.details = {
      {"heartbeats_per_s", static_cast<double>(group.heartbeats() - before) /
                               (10 * scale.measured_s)},
      {"leases_of_a_worker_least", static_cast<double>(least)},
      {"leases_of_a_worker_most", static_cast<double>(most)},
  };
  return row;
}

}  // namespace trireme::bench
