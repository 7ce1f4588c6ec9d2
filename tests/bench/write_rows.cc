// Rows about putting records: batched, one at a time, alone.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/bench/floors.h"
#include "tests/bench/rows.h"
#include "tests/free_ports.h"

namespace trireme::bench {
namespace {

constexpr uint32_t kRecordBytes = 1024;
constexpr int kShards = 8;
constexpr int kInFlight = 64;
constexpr double kFloorSeconds = 1;
constexpr double kMegabytesPerSecondMin = 100;
constexpr double kShareOfLogFloorMin = 0.25;
constexpr double kShareOfPlainMin = 0.8;  // Of exactly-once puts.
constexpr double kShareOfEchoMin = 0.7;
constexpr double kTimesUnaryMin = 2;
constexpr double kAckP50MsMax = 2;
constexpr double kAckP99MsMax = 10;

// The echo server, and connections to it.
class Echo {
 public:
  explicit Echo(const Places& places)
      : address_(absl::StrCat("127.0.0.1:", FreePort())),
        process_({places.bin + "/echo_server", address_},
                 places.directory + "/echo.log"),
        channels_(Connect(address_, 2)) {}

  const Channels& channels() const { return channels_; }
  const Process& process() const { return process_; }

 private:
  const std::string address_;
  const Process process_;
  const Channels channels_;
};

double Megabytes(uint64_t records) {
  return static_cast<double>(records) * kRecordBytes / 1e6;
}

StreamLoad BatchedLoad(std::string stream) {
  return {.stream = std::move(stream),
          .calls = 4,
          .in_flight = 6,
          .records = 500,
          .record_bytes = kRecordBytes};
}

}  // namespace

Row MeasureIngest(const Scale& scale) {
  Cluster cluster(scale.places, Cluster::Shape::kOneProcess);
  const Channels channels = Connect(cluster.address(0), 4);
  const StreamLoad load = BatchedLoad(cluster.MakeStream(kShards));
  std::vector<double> rates, floors, cpu, p50, p99;
  uint64_t refused = 0;
  for (int i = 0; i < scale.repetitions; ++i) {
    floors.push_back(
        ThreeFoldLogMegabytesPerSecond(scale.places.directory, kFloorSeconds));
    const double cpu_before = cluster.CpuMilliseconds();
    // All of it is counted, so that CPU and records belong together.
    const LoadResult result = RunStream(
        channels, load, {.warm_up_s = 0, .measured_s = scale.measured_s});
    const double megabytes = Megabytes(result.records);
    rates.push_back(megabytes / result.seconds);
    cpu.push_back((cluster.CpuMilliseconds() - cpu_before) / megabytes);
    p50.push_back(Percentile(result.latencies_ms, 0.5));
    p99.push_back(Percentile(result.latencies_ms, 0.99));
    refused += result.failed;
  }
  Row row{.name = "ingest",
          .title = "batched ingest, RF 3, fsync, 1 KiB",
          .figure = Median(rates),
          .unit = "MB/s",
          .floor = Median(floors),
          .floor_title = "bare three-fold log",
          .target = "100 MB/s or 25 % of the floor",
          .details = {}};
  row.reached = row.figure / std::min(kMegabytesPerSecondMin,
                                      row.floor * kShareOfLogFloorMin);
  row.details = {{"CPU ms/MB", Median(cpu)},
                 {"request p50 ms", Median(p50)},
                 {"p99 ms", Median(p99)},
                 {"refused records", static_cast<double>(refused)},
                 {"loopback TCP MB/s", LoopbackMegabytesPerSecond(0.5)}};
  return row;
}

Row MeasureExactlyOnce(const Scale& scale) {
  Cluster cluster(scale.places, Cluster::Shape::kOneProcess);
  const Channels channels = Connect(cluster.address(0), 4);
  StreamLoad load = BatchedLoad(cluster.MakeStream(kShards));
  const auto megabytes_per_second = [&](bool exactly_once) {
    load.exactly_once = exactly_once;
    const LoadResult result = RunStream(
        channels, load, {.warm_up_s = 0.3, .measured_s = scale.measured_s});
    return Megabytes(result.records) / result.seconds;
  };
  std::vector<double> once, plain;
  for (int i = 0; i < scale.repetitions; ++i) {
    plain.push_back(megabytes_per_second(false));
    once.push_back(megabytes_per_second(true));
  }
  Row row{.name = "once",
          .title = "the same, each record exactly once",
          .figure = Median(once),
          .unit = "MB/s",
          .floor = Median(plain),
          .floor_title = "at least once",
          .target = "80 % of at least once",
          .details = {}};
  row.reached = row.figure / (row.floor * kShareOfPlainMin);
  return row;
}

Row MeasureUnary(const Scale& scale) {
  Cluster cluster(scale.places, Cluster::Shape::kOneProcess);
  const Echo echo(scale.places);
  const Channels channels = Connect(cluster.address(0), 2);
  const std::string stream = cluster.MakeStream(kShards);
  const LoadTimes times{.measured_s = scale.measured_s};
  std::vector<double> rates, floors, ratios, p50, p99, cpu, echo_cpu;
  uint64_t failed = 0;
  for (int i = 0; i < scale.repetitions; ++i) {
    const double echo_before = echo.process().CpuMilliseconds();
    const LoadResult bare =
        RunUnary(echo.channels(), stream, kRecordBytes, kInFlight, times);
    const double echo_ms = echo.process().CpuMilliseconds() - echo_before;
    const double before = cluster.CpuMilliseconds();
    const LoadResult result =
        RunUnary(channels, stream, kRecordBytes, kInFlight, times);
    const double ms = cluster.CpuMilliseconds() - before;
    const double whole = (times.warm_up_s + times.measured_s) * 1e-3;
    floors.push_back(bare.RecordsPerSecond());
    rates.push_back(result.RecordsPerSecond());
    ratios.push_back(rates.back() / floors.back());
    // The warm-up is in the CPU time: as if at the measured rate.
    cpu.push_back(ms / (rates.back() * whole));
    echo_cpu.push_back(echo_ms / (floors.back() * whole));
    p50.push_back(Percentile(result.latencies_ms, 0.5));
    p99.push_back(Percentile(result.latencies_ms, 0.99));
    failed += result.failed;
  }
  Row row{.name = "unary",
          .title = "PutRecord, 64 in flight, 1 KiB",
          .figure = Median(rates),
          .unit = "/s",
          .floor = Median(floors),
          .floor_title = "bare gRPC echo",
          .target = ">= 70 % of the echo server",
          .details = {}};
  row.reached = Median(ratios) / kShareOfEchoMin;
  row.details = {{"p50 ms", Median(p50)},
                 {"p99 ms", Median(p99)},
                 {"CPU us/record", Median(cpu)},
                 {"echo's", Median(echo_cpu)},
                 {"failed", static_cast<double>(failed)}};
  return row;
}

Row MeasureBidirectional(const Scale& scale) {
  Cluster cluster(scale.places, Cluster::Shape::kOneProcess);
  const Channels channels = Connect(cluster.address(0), 2);
  const std::string stream = cluster.MakeStream(kShards);
  const LoadTimes times{.measured_s = scale.measured_s};
  const StreamLoad load{.stream = stream,
                        .calls = 1,
                        .in_flight = kInFlight,
                        .records = 1,
                        .record_bytes = kRecordBytes};
  std::vector<double> rates, unary, ratios, p50, p99;
  uint64_t failed = 0;
  for (int i = 0; i < scale.repetitions; ++i) {
    unary.push_back(RunUnary(channels, stream, kRecordBytes, kInFlight, times)
                        .RecordsPerSecond());
    const LoadResult result = RunStream(channels, load, times);
    rates.push_back(result.RecordsPerSecond());
    ratios.push_back(rates.back() / unary.back());
    p50.push_back(Percentile(result.latencies_ms, 0.5));
    p99.push_back(Percentile(result.latencies_ms, 0.99));
    failed += result.failed;
  }
  Row row{.name = "stream",
          .title = "PutRecordsStream, 64 in flight",
          .figure = Median(rates),
          .unit = "/s",
          .floor = Median(unary),
          .floor_title = "PutRecord",
          .target = ">= 2x PutRecord",
          .details = {}};
  row.reached = Median(ratios) / kTimesUnaryMin;
  row.details = {{"p50 ms", Median(p50)},
                 {"p99 ms", Median(p99)},
                 {"failed", static_cast<double>(failed)}};
  return row;
}

Row MeasureAck(const Scale& scale) {
  Cluster cluster(scale.places, Cluster::Shape::kOneProcess);
  const Channels channels = Connect(cluster.address(0), 1);
  const std::string stream = cluster.MakeStream(kShards);
  std::vector<double> p50, p99, sync, trip;
  for (int i = 0; i < scale.repetitions; ++i) {
    sync.push_back(FdatasyncMilliseconds(scale.places.directory, 0.3));
    trip.push_back(LoopbackRoundTripMilliseconds(0.2));
    const LoadResult result =
        RunUnary(channels, stream, kRecordBytes, /*in_flight=*/1,
                 {.measured_s = scale.measured_s});
    p50.push_back(Percentile(result.latencies_ms, 0.5));
    p99.push_back(Percentile(result.latencies_ms, 0.99));
  }
  Row row{.name = "ack",
          .title = "ack p50, 1 in flight, 1 KiB",
          .figure = Median(p50),
          .unit = "ms",
          .floor = Median(sync) + Median(trip),
          .floor_title = "fdatasync + loopback round trip",
          .floor_is_least = true,
          .target = "p50 <= 2 ms, p99 <= 10 ms",
          .details = {}};
  row.reached = std::min(kAckP50MsMax / row.figure, kAckP99MsMax / Median(p99));
  row.details = {{"p99 ms", Median(p99)},
                 {"fdatasync p50 ms", Median(sync)},
                 {"round trip p50 ms", Median(trip)}};
  return row;
}

}  // namespace trireme::bench
