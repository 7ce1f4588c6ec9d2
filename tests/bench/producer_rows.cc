// The row about small records by the C++ Producer: aggregated, plain, and one
// PutRecord after the other.
#include <atomic>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "client/producer.h"
#include "storage/check.h"
#include "tests/bench/rows.h"

namespace trireme::bench {
namespace {

constexpr uint32_t kRecordBytes = 100;
constexpr int kShards = 8;
constexpr int kKeys = 997;
constexpr double kTimesPlainMin = 1.5;

struct Result {
  double records_per_s = 0;
  double cpu_us_per_record = 0;      // Of the cluster.
  double own_cpu_us_per_record = 0;  // Of the producer and its caller.
  client::ProducerMetrics metrics;
};

double OwnCpuMilliseconds() {
  return static_cast<double>(std::clock()) * 1e3 / CLOCKS_PER_SEC;
}

// As fast as one thread can put, until all of it is acknowledged.
Result RunProducer(Cluster& cluster, const client::ProducerOptions& options,
                   double seconds) {
  std::vector<std::string> keys;
  for (int i = 0; i < kKeys; ++i) keys.push_back(absl::StrCat("key-", i));
  const std::string data(kRecordBytes, 'd');
  std::atomic<uint64_t> written = 0;
  client::Producer producer(cluster.client(), options);
  const double cpu_before = cluster.CpuMilliseconds();
  const double own_cpu_before = OwnCpuMilliseconds();
  const int64_t start = SteadyNow();
  const int64_t ends = start + static_cast<int64_t>(seconds * 1e9);
  for (size_t i = 0; SteadyNow() < ends; ++i) {
    Must(producer.Put({keys[i % keys.size()], data},
                      [&](const absl::StatusOr<client::PutOutcome>& outcome) {
                        if (outcome.ok()) ++written;
                      }),
         "Put");
  }
  producer.Close();
  const auto count = static_cast<double>(written.load());
  Result result;
  result.records_per_s =
      count / (static_cast<double>(SteadyNow() - start) / 1e9);
  result.cpu_us_per_record =
      (cluster.CpuMilliseconds() - cpu_before) * 1e3 / count;
  result.own_cpu_us_per_record =
      (OwnCpuMilliseconds() - own_cpu_before) * 1e3 / count;
  result.metrics = producer.metrics();
  CHECK(result.metrics.user_records_failed == 0, "records failed");
  return result;
}

}  // namespace

Row MeasureProducer(const Scale& scale) {
  Cluster cluster(scale.places, Cluster::Shape::kOneProcess);
  const Channels channels = Connect(cluster.address(0), 1);
  client::ProducerOptions plain;
  plain.stream_name = cluster.MakeStream(kShards);
  client::ProducerOptions aggregated = plain;
  aggregated.aggregation.emplace();
  client::ProducerOptions compressed = aggregated;
  compressed.compression.emplace();
  std::vector<double> rates, plain_rates, ratios, unary, packed, cpu, plain_cpu,
      own_cpu, plain_own_cpu, members;
  for (int i = 0; i < scale.repetitions; ++i) {
    unary.push_back(RunUnary(channels, plain.stream_name, kRecordBytes,
                             /*in_flight=*/1, {.measured_s = scale.measured_s})
                        .RecordsPerSecond());
    const Result one = RunProducer(cluster, plain, scale.measured_s);
    const Result many = RunProducer(cluster, aggregated, scale.measured_s);
    packed.push_back(
        RunProducer(cluster, compressed, scale.measured_s).records_per_s);
    rates.push_back(many.records_per_s);
    plain_rates.push_back(one.records_per_s);
    ratios.push_back(many.records_per_s / one.records_per_s);
    cpu.push_back(many.cpu_us_per_record);
    plain_cpu.push_back(one.cpu_us_per_record);
    own_cpu.push_back(many.own_cpu_us_per_record);
    plain_own_cpu.push_back(one.own_cpu_us_per_record);
    members.push_back(static_cast<double>(many.metrics.user_records_put) /
                      static_cast<double>(many.metrics.container_records_put));
  }
  Row row{.name = "producer",
          .title = "Producer, aggregated, 100 B",
          .figure = Median(rates),
          .unit = "/s",
          .floor = Median(plain_rates),
          .floor_title = "Producer, not aggregated",
          .target = ">= 1.5x not aggregated",
          .details = {}};
  row.reached = Median(ratios) / kTimesPlainMin;
  row.details = {{"PutRecord one at a time /s", Median(unary)},
                 {"times that", Median(rates) / Median(unary)},
                 {"compressed too /s", Median(packed)},
                 {"cluster's CPU us/record", Median(cpu)},
                 {"not aggregated", Median(plain_cpu)},
                 {"producer's CPU us/record", Median(own_cpu)},
                 {"not aggregated", Median(plain_own_cpu)},
                 {"records in an aggregate", Median(members)}};
  return row;
}

}  // namespace trireme::bench
