// The row about pushing records by Kinesis's API.
#include <algorithm>
#include <functional>
#include <utility>

#include "tests/bench/kinesis_push.h"
#include "tests/bench/kinesis_servers.h"
#include "tests/bench/rows.h"
#include "tests/bench/subscribers.h"

namespace trireme::bench {
namespace {

using Protocol = Contestant::Protocol;

constexpr uint32_t kRecordBytes = 1024;
constexpr int kPushesPerSecond = 100;
constexpr double kP50MsMax = 3;
constexpr double kP99MsMax = 15;

// One way to get records from a server.
struct Way {
  std::string name;
  std::function<std::vector<double>()> measure;
  std::vector<double> p50 = {};
  std::vector<double> p99 = {};
};

std::vector<double> ByHttp(KinesisServers& servers,
                           const Contestant& contestant, bool polls,
                           double seconds) {
  PushLoad load{.address = contestant.address,
                .stream = servers.MakeStream(contestant, 1),
                .records_per_s = kPushesPerSecond,
                .record_bytes = kRecordBytes};
  if (!polls) load.consumer_arn = servers.MakeConsumer(contestant, load.stream);
  return MeasurePushes(load, seconds);
}

std::vector<double> ByGrpc(Cluster& cluster, const Channels& channels,
                           double seconds) {
  const std::string stream = cluster.MakeStream(1);
  Subscribers subscribers(cluster.client(), stream,
                          {{cluster.Shards(stream)[0], ""}}, kRecordBytes);
  const LoadResult put = RunPaced(channels,
                                  {.stream = stream,
                                   .calls_per_s = kPushesPerSecond,
                                   .records = 1,
                                   .record_bytes = kRecordBytes},
                                  seconds);
  subscribers.AwaitRecords(put.records);
  return subscribers.Latencies();
}

std::vector<Way> WaysOf(KinesisServers& servers, const Channels& channels,
                        double seconds) {
  std::vector<Way> ways;
  for (const Contestant& contestant : servers.contestants()) {
    // Events are JSON whatever the request was.
    if (contestant.format == MessageFormat::kCbor) continue;
    if (contestant.protocol == Protocol::kHttp2) continue;
    if (contestant.protocol == Protocol::kGrpc) {
      ways.push_back({contestant.name, [&servers, &channels, seconds] {
                        return ByGrpc(servers.cluster(), channels, seconds);
                      }});
      continue;
    }
    const auto add = [&](bool polls) {
      ways.push_back({contestant.name + (polls ? " polled" : " pushed"),
                      [&servers, &contestant, polls, seconds] {
                        return ByHttp(servers, contestant, polls, seconds);
                      }});
    };
    if (contestant.pushes) add(false);
    add(true);
  }
  return ways;
}

}  // namespace

Row MeasureKinesisPush(const Scale& scale) {
  KinesisServers servers(scale.places);
  const Channels channels = Connect(servers.cluster().address(0), 1);
  std::vector<Way> ways = WaysOf(servers, channels, scale.measured_s);
  for (int i = 0; i < scale.repetitions; ++i) {
    for (Way& way : ways) {
      const std::vector<double> latencies = way.measure();
      way.p50.push_back(Percentile(latencies, 0.5));
      way.p99.push_back(Percentile(latencies, 0.99));
    }
  }
  Row row{.name = "kinesis-push",
          .title = "Kinesis put -> event, 100 records/s",
          .figure = Median(ways[0].p50),
          .unit = "ms",
          .target = "p50 <= 3 ms, p99 <= 15 ms",
          .details = {}};
  row.reached =
      std::min(kP50MsMax / row.figure, kP99MsMax / Median(ways[0].p99));
  for (const Way& way : ways) {
    row.details.emplace_back(way.name + " p50 ms", Median(way.p50));
    row.details.emplace_back(way.name + " p99 ms", Median(way.p99));
  }
  return row;
}

}  // namespace trireme::bench
