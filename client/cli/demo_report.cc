// What the demo says at its end.
#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "client/cli/cluster_health.h"
#include "client/cli/demo.h"
#include "client/cli/format.h"
#include "client/cli/table.h"

namespace trireme::cli {
namespace {

double PerSecond(double amount, absl::Duration took) {
  return amount / std::max(absl::ToDoubleSeconds(took), 1e-6);
}

uint64_t Records(const DemoResult& result) {
  return result.bulk_records + result.paced_records;
}

// Of both records and bytes that were read again.
uint64_t BytesReread(const DemoResult& result) {
  uint64_t bytes = 0;
  for (const DemoShard& shard : result.shards) bytes += shard.bytes;
  return bytes;
}

uint64_t RecordsReread(const DemoResult& result) {
  uint64_t records = 0;
  for (const DemoShard& shard : result.shards) records += shard.records;
  return records;
}

void PrintRates(const DemoResult& result, Console& console) {
  Table table({{"PHASE"},
               {"RECORDS", Align::kRight},
               {"TOOK", Align::kRight},
               {"RECORDS/S", Align::kRight},
               {"MB/S", Align::kRight}});
  const auto row = [&](const std::string& phase, uint64_t records,
                       uint64_t bytes, absl::Duration took) {
    table.AddRow(
        {phase, FormatCount(records), DurationText(took),
         FormatCount(static_cast<uint64_t>(
             PerSecond(static_cast<double>(records), took))),
         FormatDecimals(PerSecond(static_cast<double>(bytes), took) / 1e6, 1)});
  };
  row("write, answered", result.bulk_records, result.bulk_bytes,
      result.write_took);
  row("write until pushed", result.bulk_records, result.bulk_bytes,
      result.pushed_took);
  row("read again", RecordsReread(result), BytesReread(result),
      result.reread_took);
  table.Print(console.out, console.out_is_terminal);
}

void PrintLatencies(const DemoResult& result, Console& console) {
  Table table({{"PUSH LATENCY (ms)"},
               {"RECORDS", Align::kRight},
               {"P50", Align::kRight},
               {"P99", Align::kRight},
               {"MAX", Align::kRight}});
  const auto row = [&](const std::string& phase, const Latencies& latencies) {
    table.AddRow({phase, FormatCount(latencies.size()),
                  FormatDecimals(latencies.Percentile(0.5), 2),
                  FormatDecimals(latencies.Percentile(0.99), 2),
                  FormatDecimals(latencies.Percentile(1), 2)});
  };
  row("at full speed", result.bulk_latency);
  if (result.paced_records > 0) {
    row("at a moderate rate", result.paced_latency);
  }
  table.Print(console.out, console.out_is_terminal);
  console.out << "(from just before a record's put was sent until its "
                 "subscriber had it)\n";
  const bool paced = result.paced_records > 0;
  (paced ? result.paced_latency : result.bulk_latency)
      .PrintHistogram(console.out, console.out_is_terminal);
}

void PrintShards(const DemoResult& result,
                 const v1::GetClusterStatusResponse& cluster,
                 Console& console) {
  std::map<uint32_t, std::string> zones = LeaderZones(cluster);
  Table table({{"SHARD"},
               {"LED IN ZONE"},
               {"HASH RANGE", Align::kRight},
               {"RECORDS", Align::kRight},
               {"BYTES", Align::kRight}});
  for (const DemoShard& shard : result.shards) {
    const std::string& zone = zones[shard.replication_group];
    table.AddRow({shard.shard_id, zone.empty() ? "-" : zone,
                  absl::StrCat(FormatDecimals(100 * shard.share, 1), " %"),
                  FormatCount(shard.records), FormatBytes(shard.bytes)});
  }
  table.Print(console.out, console.out_is_terminal);
}

void PrintWrong(const std::string& how, const Verdict& verdict,
                std::ostream& out) {
  if (verdict.ok()) return;
  out << how << ": " << FormatCount(verdict.right) << " of "
      << FormatCount(verdict.expected) << " right; "
      << FormatCount(verdict.missing) << " missing, "
      << FormatCount(verdict.unexpected) << " duplicated or unknown, "
      << FormatCount(verdict.out_of_order) << " out of order, "
      << FormatCount(verdict.on_other_shards) << " on another shard\n";
  for (const std::string& example : verdict.examples) {
    out << "  " << DataText(example) << "\n";
  }
}

// The last line is part of the program's interface: quickstart's readers and
// tests look at it.
void PrintVerdict(const DemoResult& result, Console& console) {
  PrintWrong("pushed", result.pushed, console.out);
  PrintWrong("read again", result.reread, console.out);
  if (result.put_failures > 0) {
    console.out << Counted(result.put_failures, "put") << " failed, the first: "
                << std::string(result.first_put_failure.message()) << "\n";
  }
  const uint64_t right = std::min(result.pushed.right, result.reread.right);
  console.out << "demo: " << right << " of " << Records(result)
              << " records came back exactly once and in order, pushed and "
                 "re-read"
              << (result.ok() ? "" : ": FAILED") << "\n";
}

Json LatencyJson(const Latencies& latencies) {
  return {{"Records", latencies.size()},
          {"P50Millis", latencies.Percentile(0.5)},
          {"P99Millis", latencies.Percentile(0.99)},
          {"MaxMillis", latencies.Percentile(1)}};
}

Json VerdictJson(const Verdict& verdict) {
  return {{"Expected", verdict.expected},
          {"Right", verdict.right},
          {"Missing", verdict.missing},
          {"Unexpected", verdict.unexpected},
          {"OutOfOrder", verdict.out_of_order},
          {"OnOtherShards", verdict.on_other_shards}};
}

void PrintJson(const DemoResult& result,
               const v1::GetClusterStatusResponse& cluster, Console& console) {
  std::map<uint32_t, std::string> zones = LeaderZones(cluster);
  Json json{{"StreamName", result.stream},
            {"Ok", result.ok()},
            {"Files", result.files},
            {"BulkRecords", result.bulk_records},
            {"BulkBytes", result.bulk_bytes},
            {"PacedRecords", result.paced_records},
            {"PutFailures", result.put_failures},
            {"WriteSeconds", absl::ToDoubleSeconds(result.write_took)},
            {"PushedSeconds", absl::ToDoubleSeconds(result.pushed_took)},
            {"RereadSeconds", absl::ToDoubleSeconds(result.reread_took)},
            {"BulkLatency", LatencyJson(result.bulk_latency)},
            {"PacedLatency", LatencyJson(result.paced_latency)},
            {"Pushed", VerdictJson(result.pushed)},
            {"Reread", VerdictJson(result.reread)}};
  json["Shards"] = Json::array();
  for (const DemoShard& shard : result.shards) {
    json["Shards"].push_back({{"ShardId", shard.shard_id},
                              {"ReplicationGroup", shard.replication_group},
                              {"LeaderZone", zones[shard.replication_group]},
                              {"HashRangeShare", shard.share},
                              {"Records", shard.records},
                              {"Bytes", shard.bytes}});
  }
  console.out << Dump(json, true) << "\n";
}

}  // namespace

void PrintDemoResult(const DemoResult& result,
                     const v1::GetClusterStatusResponse& cluster,
                     Session& session) {
  Console& console = session.console();
  if (session.json()) return PrintJson(result, cluster, console);
  console.out << "\n";
  PrintRates(result, console);
  console.out << "\n";
  PrintLatencies(result, console);
  console.out << "\n";
  PrintShards(result, cluster, console);
  console.out << "\n";
  PrintNodes(cluster, console);
  console.out << "\n"
              << Counted(result.bulk_records, "line") << " of "
              << Counted(result.files, "file") << " and "
              << Counted(result.paced_records, "record")
              << " at a moderate rate\n";
  PrintVerdict(result, console);
}

}  // namespace trireme::cli
