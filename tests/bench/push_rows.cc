// Rows about pushing records to subscribers.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/bench/rows.h"
#include "tests/bench/subscribers.h"

namespace trireme::bench {
namespace {

constexpr uint32_t kRecordBytes = 1024;
constexpr int kPushShards = 4;
constexpr double kPushP50MsMax = 3;
constexpr double kPushP99MsMax = 15;
constexpr int kFanOut = 20;
constexpr double kEgressTimesMin = 12;
constexpr double kProducerP99TimesMax = 1.3;

// One repetition with `count` registered consumers of a new stream's only
// shard.
struct FanOutResult {
  double egress_mb_per_s = 0;
  double producer_p99_ms = 0;
  double push_p99_ms = 0;
  double cpu_ms_per_mb = 0;
};

FanOutResult RunFanOut(Cluster& cluster, const Channels& channels, int count,
                       double seconds) {
  const std::string stream = cluster.MakeStream(1);
  const std::string shard = cluster.Shards(stream)[0];
  std::vector<Subscribers::Wanted> wanted;
  for (int i = 0; i < count; ++i) {
    const auto consumer = cluster.client().RegisterStreamConsumer(
        stream, absl::StrCat("consumer-", i));
    Must(consumer.status(), "RegisterStreamConsumer");
    wanted.push_back({shard, consumer->consumer_arn()});
  }
  Subscribers subscribers(cluster.client(), stream, wanted, kRecordBytes);
  const double before = cluster.CpuMilliseconds();
  const int64_t start = SteadyNow();
  const LoadResult put = RunPaced(channels,
                                  {.stream = stream,
                                   .calls_per_s = 200,
                                   .records = 10,
                                   .record_bytes = kRecordBytes},
                                  seconds);
  FanOutResult result;
  result.producer_p99_ms = Percentile(put.latencies_ms, 0.99);
  if (count == 0) return result;
  subscribers.AwaitRecords(put.records * static_cast<uint64_t>(count));
  const double bytes = subscribers.bytes();
  result.egress_mb_per_s =
      bytes * 1e3 / static_cast<double>(subscribers.last() - start);
  result.push_p99_ms = Percentile(subscribers.Latencies(), 0.99);
  result.cpu_ms_per_mb = (cluster.CpuMilliseconds() - before) / (bytes / 1e6);
  return result;
}

}  // namespace

Row MeasurePush(const Scale& scale) {
  Cluster cluster(scale.places, Cluster::Shape::kOneProcess);
  const Channels channels = Connect(cluster.address(0), 1);
  std::vector<double> p50, p99, ack_p50, ack_p99;
  for (int i = 0; i < scale.repetitions; ++i) {
    const std::string stream = cluster.MakeStream(kPushShards);
    std::vector<Subscribers::Wanted> wanted;
    for (const std::string& shard : cluster.Shards(stream)) {
      wanted.push_back({shard, ""});
    }
    Subscribers subscribers(cluster.client(), stream, wanted, kRecordBytes);
    const LoadResult put = RunPaced(channels,
                                    {.stream = stream,
                                     .calls_per_s = 1000,
                                     .records = 1,
                                     .record_bytes = kRecordBytes},
                                    scale.measured_s);
    subscribers.AwaitRecords(put.records);
    const std::vector<double> latencies = subscribers.Latencies();
    p50.push_back(Percentile(latencies, 0.5));
    p99.push_back(Percentile(latencies, 0.99));
    ack_p50.push_back(Percentile(put.latencies_ms, 0.5));
    ack_p99.push_back(Percentile(put.latencies_ms, 0.99));
  }
  Row row{.name = "push",
          .title = "put -> pushed p50, 1,000 records/s",
          .figure = Median(p50),
          .unit = "ms",
          .floor = Median(ack_p50),
          .floor_title = "ack p50 of the same records",
          .target = "p50 <= 3 ms, p99 <= 15 ms",
          .details = {}};
  row.reached =
      std::min(kPushP50MsMax / row.figure, kPushP99MsMax / Median(p99));
  row.details = {{"p99 ms", Median(p99)}, {"ack p99 ms", Median(ack_p99)}};
  return row;
}

Row MeasureFanOut(const Scale& scale) {
  Cluster cluster(scale.places, Cluster::Shape::kOneProcess);
  const Channels channels = Connect(cluster.address(0), 1);
  std::vector<double> one, many, p99_none, p99_one, p99_many, push_p99, cpu;
  for (int i = 0; i < scale.repetitions; ++i) {
    const FanOutResult without =
        RunFanOut(cluster, channels, 0, scale.measured_s);
    const FanOutResult alone =
        RunFanOut(cluster, channels, 1, scale.measured_s);
    const FanOutResult all =
        RunFanOut(cluster, channels, kFanOut, scale.measured_s);
    one.push_back(alone.egress_mb_per_s);
    many.push_back(all.egress_mb_per_s);
    p99_none.push_back(without.producer_p99_ms);
    p99_one.push_back(alone.producer_p99_ms);
    p99_many.push_back(all.producer_p99_ms);
    push_p99.push_back(all.push_p99_ms);
    cpu.push_back(all.cpu_ms_per_mb);
  }
  Row row{.name = "fanout",
          .title = "egress to 20 consumers of a shard",
          .figure = Median(many),
          .unit = "MB/s",
          .floor = Median(one),
          .floor_title = "to one consumer",
          .target = ">= 12x one, put p99 <= 1.3x without",
          .details = {}};
  const double p99_times = Median(p99_many) / Median(p99_none);
  row.reached = std::min(row.figure / row.floor / kEgressTimesMin,
                         kProducerP99TimesMax / p99_times);
  row.details = {{"put p99 ms with 20", Median(p99_many)},
                 {"with 1", Median(p99_one)},
                 {"without", Median(p99_none)},
                 {"times", p99_times},
                 {"push p99 ms with 20", Median(push_p99)},
                 {"CPU ms/MB pushed", Median(cpu)}};
  return row;
}

}  // namespace trireme::bench
