// Rows about sharing a node: what one producer does to another.
#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "tests/bench/rows.h"

namespace trireme::bench {
namespace {

constexpr int kCallsPerSecond = 200;
constexpr double kShareMin = 0.9;
constexpr double kP99MsMax = 500;

double ShareOfAsked(const LoadResult& result) {
  return static_cast<double>(result.records) /
         static_cast<double>(result.records + result.failed);
}

}  // namespace

Row MeasureFairness(const Scale& scale) {
  Cluster cluster(scale.places, Cluster::Shape::kOneProcess);
  const Channels modest_channels = Connect(cluster.address(0), 1);
  const Channels flood_channels = Connect(cluster.address(0), 4);
  const PacedLoad modest{.stream = cluster.MakeStream(1),
                         .calls_per_s = kCallsPerSecond};
  // Always more than is written: 3 calls that each keep 16 MB unanswered.
  const StreamLoad flood{.stream = cluster.MakeStream(8),
                         .calls = 3,
                         .in_flight = 64,
                         .records = 500,
                         .record_bytes = 1024};
  std::vector<double> shares, calm_p99, p50, p99, flooded;
  for (int i = 0; i < scale.repetitions; ++i) {
    const LoadResult calm = RunPaced(modest_channels, modest, scale.measured_s);
    LoadResult flooding;
    std::thread flooder([&] {
      flooding = RunStream(flood_channels, flood,
                           {.warm_up_s = 1, .measured_s = scale.measured_s});
    });
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const LoadResult result =
        RunPaced(modest_channels, modest, scale.measured_s);
    flooder.join();
    // Against what it gets alone.
    shares.push_back(ShareOfAsked(result) / ShareOfAsked(calm));
    calm_p99.push_back(Percentile(calm.latencies_ms, 0.99));
    p50.push_back(Percentile(result.latencies_ms, 0.5));
    p99.push_back(Percentile(result.latencies_ms, 0.99));
    flooded.push_back(flooding.RecordsPerSecond() * flood.record_bytes / 1e6);
  }
  Row row{.name = "fair",
          .title = "200 puts/s of one stream beside a flood of another",
          .figure = 100 * Median(shares),
          .unit = "% taken",
          .floor = 100,
          .floor_title = "without the flood",
          .target = ">= 90 % of what it asks, p99 <= 500 ms",
          .details = {}};
  row.reached = std::min(Median(shares) / kShareMin, kP99MsMax / Median(p99));
  row.details = {{"p50 ms", Median(p50)},
                 {"p99 ms", Median(p99)},
                 {"p99 ms without", Median(calm_p99)},
                 {"flood MB/s", Median(flooded)}};
  return row;
}

}  // namespace trireme::bench
