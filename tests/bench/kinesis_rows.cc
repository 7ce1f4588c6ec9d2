// Rows about Kinesis's API: what the endpoint does beside our own gRPC, and
// beside the servers that people use in its place, in the same run.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/check.h"
#include "tests/bench/call_load.h"
#include "tests/bench/http_load.h"
#include "tests/bench/kinesis_servers.h"
#include "tests/bench/rows.h"

namespace trireme::bench {
namespace {

using Protocol = Contestant::Protocol;

constexpr uint32_t kRecordBytes = 1024;
constexpr int kShards = 4;
constexpr int kConnections = 2;  // Of HTTP/2 and gRPC; HTTP/1.1: one a call.
constexpr int kPutsInFlight = 64;
constexpr int kKeys = 997;
constexpr int kBatchesInFlight = 8;
constexpr int kBatchRecords = 500;
constexpr int kPreparedBatches = 8;
constexpr int kReadRecords = 40'000;
constexpr int kPageRecords = 1000;
constexpr double kWarmUpSeconds = 1;
// The peers compile as they run, and answer some calls only after seconds.
constexpr double kPeerWarmUpSeconds = 3;
constexpr double kPeerMeasuredSecondsMin = 5;
constexpr double kFillSecondsMax = 15;
constexpr double kTimesPeerMin = 10;

// What one contestant did, a value a repetition.
struct Figures {
  std::vector<double> rates;
  std::vector<double> p50_ms;
  std::vector<double> p99_ms;
  std::vector<double> cpu_us;  // Of the server, a record.
  uint64_t failed = 0;
};

using Load = std::function<LoadResult(const Contestant&, LoadTimes)>;

LoadTimes TimesOf(const Scale& scale, const Contestant& contestant) {
  if (!contestant.is_peer) {
    return {.warm_up_s = kWarmUpSeconds, .measured_s = scale.measured_s};
  }
  return {.warm_up_s = kPeerWarmUpSeconds,
          .measured_s = std::max(scale.measured_s, kPeerMeasuredSecondsMin)};
}

// All contestants one after another, and that several times.
std::vector<Figures> Compare(const Scale& scale, const KinesisServers& servers,
                             const Load& load) {
  std::vector<Figures> all(servers.contestants().size());
  for (int i = 0; i < scale.repetitions; ++i) {
    for (size_t c = 0; c < all.size(); ++c) {
      const Contestant& contestant = servers.contestants()[c];
      const double before = contestant.cpu_ms();
      const LoadTimes times = TimesOf(scale, contestant);
      const LoadResult result = load(contestant, times);
      const double ms = contestant.cpu_ms() - before;
      Figures& figures = all[c];
      figures.rates.push_back(result.RecordsPerSecond());
      figures.p50_ms.push_back(Percentile(result.latencies_ms, 0.5));
      figures.p99_ms.push_back(Percentile(result.latencies_ms, 0.99));
      // The warm-up is in the CPU time: as if at the measured rate.
      const double records =
          figures.rates.back() * (times.warm_up_s + times.measured_s);
      figures.cpu_us.push_back(records > 0 ? ms * 1e3 / records : 0);
      figures.failed += result.failed;
    }
  }
  return all;
}

LoadResult RunHttp(const Contestant& contestant,
                   const std::vector<ClosedLoop>& loops, LoadTimes times) {
  return contestant.protocol == Protocol::kHttp2
             ? RunHttp2(contestant.address, kConnections, loops, times)
             : RunHttp1(contestant.address, loops, times);
}

// A loop over prepared requests, from the `first` on.
ClosedLoop LoopOver(std::shared_ptr<const std::vector<KinesisRequest>> requests,
                    size_t first,
                    std::function<Counted(unsigned, absl::string_view)> count) {
  return {[requests = std::move(requests),
           next = first]() mutable -> const KinesisRequest& {
            return (*requests)[next++ % requests->size()];
          },
          std::move(count)};
}

std::vector<ClosedLoop> PutLoops(const Contestant& contestant,
                                 const std::string& stream) {
  auto requests = std::make_shared<std::vector<KinesisRequest>>();
  for (int i = 0; i < kKeys; ++i) {
    requests->push_back(
        MakePutRecord(contestant.format, stream, i, kRecordBytes));
  }
  std::vector<ClosedLoop> loops;
  for (size_t i = 0; i < kPutsInFlight; ++i) {
    loops.push_back(
        LoopOver(requests, i * 7, [](unsigned status, absl::string_view) {
          return status == 200 ? Counted{1, 0} : Counted{0, 1};
        }));
  }
  return loops;
}

std::vector<ClosedLoop> BatchLoops(const Contestant& contestant,
                                   const std::string& stream,
                                   uint32_t record_bytes) {
  auto requests = std::make_shared<std::vector<KinesisRequest>>();
  for (int i = 0; i < kPreparedBatches; ++i) {
    requests->push_back(MakePutRecords(contestant.format, stream,
                                       i * kBatchRecords, kBatchRecords,
                                       record_bytes));
  }
  const auto count = [format = contestant.format](unsigned status,
                                                  absl::string_view answer) {
    const uint64_t failed =
        status == 200 ? UnsignedMember(format, "FailedRecordCount", answer)
                      : kBatchRecords;
    return Counted{kBatchRecords - failed, failed};
  };
  std::vector<ClosedLoop> loops;
  for (size_t i = 0; i < kBatchesInFlight; ++i) {
    loops.push_back(LoopOver(requests, i, count));
  }
  return loops;
}

// Reads a shard from the oldest record to the end, again and again.
ClosedLoop ReadLoop(const Contestant& contestant, const std::string& stream,
                    int shard) {
  struct Reader {
    KinesisRequest oldest;
    KinesisRequest request;
  };
  const MessageFormat format = contestant.format;
  const std::string iterator = StringMember(
      format, "ShardIterator",
      CallKinesis(contestant.address,
                  MakeKinesisRequest("GetShardIterator", format,
                                     {{"StreamName", stream},
                                      {"ShardId", ShardIdOf(shard)},
                                      {"ShardIteratorType", "TRIM_HORIZON"}})));
  const KinesisRequest oldest = MakeGetRecords(format, iterator, kPageRecords);
  const auto reader = std::make_shared<Reader>(Reader{oldest, oldest});
  return {[reader]() -> const KinesisRequest& { return reader->request; },
          [reader, format](unsigned status, absl::string_view answer) {
            if (status != 200) return Counted{0, 1};
            const Counted counted{CountRecords(answer), 0};
            reader->request =
                counted.records == 0
                    ? reader->oldest
                    : MakeGetRecords(
                          format,
                          StringMember(format, "NextShardIterator", answer),
                          kPageRecords);
            return counted;
          }};
}

// With as many records as there is time for.
void Fill(const Contestant& contestant, const std::string& stream) {
  const int64_t end = SteadyNow() + static_cast<int64_t>(kFillSecondsMax * 1e9);
  for (int i = 0; i < kReadRecords && SteadyNow() < end; i += kBatchRecords) {
    const std::string answer = CallKinesis(
        contestant.address, MakePutRecords(MessageFormat::kJson, stream, i,
                                           kBatchRecords, kRecordBytes));
    CHECK(
        UnsignedMember(MessageFormat::kJson, "FailedRecordCount", answer) == 0,
        "records were refused");
  }
}

void AddDetails(const std::string& name, const Figures& figures,
                double per_record, Row* row) {
  const double rate = Median(figures.rates);
  row->details.emplace_back(name + " records/s", rate);
  if (per_record != 1) {
    row->details.emplace_back(absl::StrCat(name, " ", row->unit),
                              rate * per_record);
  }
  row->details.emplace_back(name + " p50 ms", Median(figures.p50_ms));
  row->details.emplace_back(name + " p99 ms", Median(figures.p99_ms));
  row->details.emplace_back(name + " CPU us/record", Median(figures.cpu_us));
}

// The row, with the endpoint's JSON by HTTP/1.1 as its figure: what most
// clients speak, and what the peers are asked in. It is the first contestant.
// `per_record` turns records/s into the row's unit.
Row RowOf(const KinesisServers& servers, const std::vector<Figures>& all,
          Row row, double per_record) {
  uint64_t failed = 0;
  const double ours = Median(all[0].rates);
  row.figure = ours * per_record;
  row.target = "10 times kinesalite, kinesis-local";
  for (size_t c = 0; c < all.size(); ++c) {
    const Contestant& contestant = servers.contestants()[c];
    const double rate = Median(all[c].rates);
    AddDetails(contestant.name, all[c], per_record, &row);
    failed += all[c].failed;
    // What has answered nothing in time has no share.
    if (rate > 0 &&
        (contestant.is_peer || contestant.protocol == Protocol::kGrpc)) {
      row.details.emplace_back("times " + contestant.name, ours / rate);
    }
    if (contestant.is_peer && rate * per_record > row.floor) {
      row.floor = rate * per_record;
      row.floor_title = contestant.name + ", one copy in memory";
    }
  }
  row.details.emplace_back("failed", static_cast<double>(failed));
  if (row.floor > 0) row.reached = row.figure / row.floor / kTimesPeerMin;
  return row;
}

Row MeasureBatches(const Scale& scale, uint32_t record_bytes, Row row) {
  KinesisServers servers(scale.places);
  const Channels channels = Connect(servers.cluster().address(0), kConnections);
  const auto all = Compare(
      scale, servers,
      [&](const Contestant& contestant, LoadTimes times) -> LoadResult {
        const std::string stream = servers.MakeStream(contestant, kShards);
        if (contestant.protocol == Protocol::kGrpc) {
          return RunPutRecords(channels, stream, kBatchesInFlight,
                               kBatchRecords, record_bytes, times);
        }
        return RunHttp(contestant, BatchLoops(contestant, stream, record_bytes),
                       times);
      });
  row.unit = "MB/s";
  return RowOf(servers, all, std::move(row), record_bytes / 1e6);
}

}  // namespace

Row MeasureKinesisPut(const Scale& scale) {
  KinesisServers servers(scale.places);
  const Channels channels = Connect(servers.cluster().address(0), kConnections);
  const auto all = Compare(
      scale, servers,
      [&](const Contestant& contestant, LoadTimes times) -> LoadResult {
        const std::string stream = servers.MakeStream(contestant, kShards);
        if (contestant.protocol == Protocol::kGrpc) {
          return RunUnary(channels, stream, kRecordBytes, kPutsInFlight, times);
        }
        return RunHttp(contestant, PutLoops(contestant, stream), times);
      });
  return RowOf(servers, all,
               {.name = "kinesis-put",
                .title = "Kinesis PutRecord, 64 in flight",
                .unit = "/s",
                .details = {}},
               1);
}

Row MeasureKinesisSmallBatches(const Scale& scale) {
  return MeasureBatches(scale, 100,
                        {.name = "kinesis-batch-100",
                         .title = "Kinesis PutRecords, 500 x 100 B",
                         .details = {}});
}

Row MeasureKinesisBatches(const Scale& scale) {
  return MeasureBatches(scale, kRecordBytes,
                        {.name = "kinesis-batch-1024",
                         .title = "Kinesis PutRecords, 500 x 1 KiB",
                         .details = {}});
}

Row MeasureKinesisRead(const Scale& scale) {
  KinesisServers servers(scale.places);
  const Channels channels = Connect(servers.cluster().address(0), kConnections);
  std::vector<std::string> shards;
  for (int i = 0; i < kShards; ++i) shards.push_back(ShardIdOf(i));
  // Ours is the same stream in every protocol.
  std::map<std::string, std::string> streams;  // By the server's address.
  const auto stream_of = [&](const Contestant& contestant) -> std::string& {
    return streams[contestant.is_peer ? contestant.address : ""];
  };
  for (const Contestant& contestant : servers.contestants()) {
    std::string& stream = stream_of(contestant);
    if (!stream.empty()) continue;
    stream = servers.MakeStream(contestant, kShards);
    Fill(contestant, stream);
  }
  const auto all = Compare(
      scale, servers,
      [&](const Contestant& contestant, LoadTimes times) -> LoadResult {
        const std::string& stream = stream_of(contestant);
        if (contestant.protocol == Protocol::kGrpc) {
          return RunGetRecords(channels, stream, shards, kPageRecords, times);
        }
        std::vector<ClosedLoop> loops;
        for (int i = 0; i < kShards; ++i) {
          loops.push_back(ReadLoop(contestant, stream, i));
        }
        return RunHttp(contestant, loops, times);
      });
  return RowOf(servers, all,
               {.name = "kinesis-read",
                .title = "Kinesis GetRecords, 4 shards, 1 KiB",
                .unit = "MB/s",
                .details = {}},
               kRecordBytes / 1e6);
}

}  // namespace trireme::bench
