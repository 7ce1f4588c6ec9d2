// Rows about the cluster itself: idle, after kill -9 of all, of one node.
#include <algorithm>
#include <map>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "storage/check.h"
#include "tests/bench/floors.h"
#include "tests/bench/rows.h"

namespace trireme::bench {
namespace {

constexpr uint32_t kRecordBytes = 1024;
constexpr int kShards = 8;
constexpr double kIdleCpuPercentMax = 2;
constexpr double kIdleBytesPerShardMax = 4096;
constexpr double kRestartSecondsMax = 5;
constexpr double kWriteGapSecondsMax = 2;
constexpr absl::Duration kSettle = absl::Seconds(1);
constexpr absl::Duration kPatience = absl::Seconds(60);
// A failover is watched for so long after the kill, at most.
constexpr absl::Duration kWatched = absl::Seconds(10);

double CpuPercent(const Cluster& cluster, absl::Duration period) {
  const double before = cluster.CpuMilliseconds();
  absl::SleepFor(period);
  return (cluster.CpuMilliseconds() - before) /
         absl::ToDoubleMilliseconds(period) * 100;
}

// Until a record of the shard comes from TRIM_HORIZON.
void AwaitFirstRecord(client::Client& client, const std::string& stream,
                      const std::string& shard) {
  const absl::Time deadline = absl::Now() + kPatience;
  while (absl::Now() < deadline) {
    const auto iterator =
        client.GetShardIterator(stream, shard, client::FromTrimHorizon());
    if (!iterator.ok()) continue;
    const auto page = client.GetRecords(*iterator, 1);
    if (page.ok() && page->records_size() > 0) return;
  }
  CHECK(false, "no record came after the restart");
}

void Ingest(Cluster& cluster, const std::string& stream, double megabytes) {
  const Channels channels = Connect(cluster.address(0), 4);
  const absl::Time deadline = absl::Now() + kPatience;
  for (double done = 0; done < megabytes && absl::Now() < deadline;) {
    const LoadResult result = RunStream(channels,
                                        {.stream = stream,
                                         .calls = 4,
                                         .in_flight = 6,
                                         .records = 500,
                                         .record_bytes = kRecordBytes},
                                        {.warm_up_s = 0, .measured_s = 0.5});
    done += static_cast<double>(result.records) * kRecordBytes / 1e6;
  }
}

// Writes to one key from a thread of its own, one record at a time; the
// longest time between two acknowledgements.
class Writer {
 public:
  Writer(const std::vector<std::string>& addresses, const std::string& stream,
         const std::string& key)
      : client_(MakeClient(addresses)),
        thread_([this, stream, key] { Run(stream, key); }) {}

  // The longest gap in seconds until now.
  double Stop() {
    stop_ = true;
    thread_.join();
    return static_cast<double>(gap_) / 1e9;
  }
  // Acknowledged after that time.
  bool acked_after(int64_t time) const { return last_ack_.load() > time; }

 private:
  void Run(const std::string& stream, const std::string& key) {
    v1::PutRecordRequest request;
    request.set_stream_name(stream);
    request.set_partition_key(key);
    request.set_data(std::string(kRecordBytes, 'd'));
    int64_t last = SteadyNow();
    while (!stop_) {
      if (!client_->PutRecord(request).ok()) continue;
      const int64_t now = SteadyNow();
      gap_ = std::max(gap_, now - last);
      last = now;
      last_ack_ = now;
    }
  }

  std::unique_ptr<client::Client> client_;
  std::atomic<bool> stop_ = false;
  std::atomic<int64_t> last_ack_ = 0;
  int64_t gap_ = 0;  // Owned by the thread.
  std::thread thread_;
};

// Kills `victim` under load; the longest gap in any of the shards.
double WriteGap(Cluster& cluster, const std::string& stream, size_t victim) {
  // Clients of the other two: their own connection is not what is measured.
  std::vector<std::string> survivors;
  for (size_t i = 0; i < 3; ++i) {
    if (i != victim) survivors.push_back(cluster.address(i));
  }
  std::vector<std::unique_ptr<Writer>> writers;
  for (int key = 0; key < 2 * kShards; ++key) {
    writers.push_back(
        std::make_unique<Writer>(survivors, stream, absl::StrCat("key-", key)));
  }
  absl::SleepFor(kSettle);
  const int64_t killed = SteadyNow();
  cluster.Kill(victim);
  const absl::Time deadline = absl::Now() + kWatched;
  while (absl::Now() < deadline &&
         !std::all_of(writers.begin(), writers.end(), [&](const auto& writer) {
           // Later than what was under way when it was killed.
           return writer->acked_after(killed + 500'000'000);
         })) {
    absl::SleepFor(absl::Milliseconds(20));
  }
  double gap = 0;
  for (const auto& writer : writers) gap = std::max(gap, writer->Stop());
  return gap;
}

// Until the asked node counts all three healthy.
void AwaitHealthy(Cluster& cluster) {
  const absl::Time deadline = absl::Now() + kPatience;
  while (absl::Now() < deadline) {
    const auto status = cluster.client().GetClusterStatus();
    if (status.ok() && status->nodes_size() == 3 &&
        std::all_of(status->nodes().begin(), status->nodes().end(),
                    [](const v1::NodeStatus& node) {
                      return node.health() == v1::HEALTHY;
                    })) {
      return;
    }
    absl::SleepFor(absl::Milliseconds(100));
  }
  CHECK(false, "the cluster is not healthy");
}

}  // namespace

Row MeasureIdle(const Scale& scale) {
  Cluster cluster(scale.places, Cluster::Shape::kOneProcess);
  cluster.MakeStream(1);
  absl::SleepFor(kSettle);
  const double bytes_before = cluster.ResidentBytes();
  const double cpu_before = CpuPercent(cluster, absl::Seconds(2));
  const int64_t start = SteadyNow();
  // The account allows 10,000 shards in all; one is there.
  const std::string stream = cluster.MakeStream(scale.idle_shards - 1);
  const double created_s = static_cast<double>(SteadyNow() - start) / 1e9;
  const int64_t list_start = SteadyNow();
  CHECK(cluster.Shards(stream).size() + 1 ==
            static_cast<size_t>(scale.idle_shards),
        "not every shard is listed");
  const double listed_s = static_cast<double>(SteadyNow() - list_start) / 1e9;
  absl::SleepFor(kSettle);
  std::vector<double> cpu;
  for (int i = 0; i < scale.repetitions; ++i) {
    cpu.push_back(CpuPercent(cluster, absl::Seconds(scale.measured_s)));
  }
  const double bytes_per_shard =
      (cluster.ResidentBytes() - bytes_before) / scale.idle_shards;
  Row row{.name = "idle",
          .title = absl::StrCat("CPU with ", scale.idle_shards, " idle shards"),
          .figure = Median(cpu),
          .unit = "%",
          .floor = cpu_before,
          .floor_title = "with one shard",
          .target = "< 2 % CPU, < 4 KiB RSS each",
          .details = {}};
  row.reached = std::min(kIdleCpuPercentMax / std::max(row.figure, 0.01),
                         kIdleBytesPerShardMax / std::max(bytes_per_shard, 1.));
  row.details = {{"RSS bytes per shard, three replicas", bytes_per_shard},
                 {"RSS MB", cluster.ResidentBytes() / 1e6},
                 {"created in s", created_s},
                 {"listed in s", listed_s}};
  return row;
}

Row MeasureRestart(const Scale& scale) {
  Cluster cluster(scale.places, Cluster::Shape::kOneProcess);
  const std::string stream = cluster.MakeStream(kShards);
  const std::vector<std::string> shards = cluster.Shards(stream);
  Ingest(cluster, stream, scale.restart_megabytes);
  std::vector<double> seconds;
  for (int i = 0; i < scale.repetitions; ++i) {
    cluster.Kill(0);
    const int64_t start = SteadyNow();
    cluster.Start(0);
    AwaitListening(cluster.address(0));
    const auto client = MakeClient({cluster.address(0)});
    for (const std::string& shard : shards) {
      AwaitFirstRecord(*client, stream, shard);
    }
    seconds.push_back(static_cast<double>(SteadyNow() - start) / 1e9);
  }
  Row row{.name = "restart",
          .title = "kill -9 -> every shard is read",
          .figure = Median(seconds),
          .unit = "s",
          .target = "<= 5 s",
          .details = {}};
  row.reached = kRestartSecondsMax / row.figure;
  row.details = {
      {"MB ingested before", scale.restart_megabytes},
      {"longest s", *std::max_element(seconds.begin(), seconds.end())}};
  return row;
}

Row MeasureFailover(const Scale& scale) {
  Cluster cluster(scale.places, Cluster::Shape::kThreeProcesses);
  AwaitHealthy(cluster);
  const std::string stream = cluster.MakeStream(kShards);
  std::vector<double> gaps;
  for (int i = 0; i < scale.failovers; ++i) {
    const size_t victim = static_cast<size_t>(i) % 3;
    gaps.push_back(WriteGap(cluster, stream, victim));
    cluster.Start(victim);
    AwaitHealthy(cluster);
  }
  Row row{.name = "failover",
          .title = "longest write gap, kill -9 of a node",
          .figure = *std::max_element(gaps.begin(), gaps.end()),
          .unit = "s",
          .target = "< 2 s",
          .details = {}};
  row.reached = kWriteGapSecondsMax / row.figure;
  row.details = {{"median s", Median(gaps)},
                 {"failovers", static_cast<double>(gaps.size())}};
  return row;
}

}  // namespace trireme::bench
