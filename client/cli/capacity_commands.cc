// trireme stream describe-stream-summary | update-stream-mode |
// update-stream-warm-throughput | update-stream-record-distribution-strategy |
// list-scaling-decisions
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/capacity_text.h"
#include "client/cli/commands.h"
#include "client/cli/conclude.h"
#include "client/cli/exit_code.h"
#include "client/cli/stream_change.h"
#include "client/cli/stream_rows.h"
#include "client/cli/table.h"

namespace trireme::cli {
namespace {

struct Options {
  std::string stream;
  std::string mode;
  std::string distribution;
  int warm_mibps = -1;  // -1: none.
  bool wait = false;
};
using Run = int (*)(Session&, client::Client&, const Options&);

Json WarmJson(const v1::WarmThroughput& warm) {
  return {{"TargetMiBps", warm.target_mibps()},
          {"CurrentMiBps", warm.current_mibps()}};
}

// What DescribeStream does not tell is what this is for.
Json SummaryJson(const v1::StreamDescriptionSummary& summary) {
  Json json{
      {"StreamName", summary.stream_name()},
      {"StreamARN", summary.stream_arn()},
      {"StreamId", summary.stream_id()},
      {"StreamStatus", v1::StreamStatus_Name(summary.stream_status())},
      {"StreamModeDetails", ModeJson(summary.stream_mode_details())},
      {"RetentionPeriodHours", summary.retention_period_hours()},
      {"StreamCreationTimestamp",
       FormatTime(summary.stream_creation_timestamp())},
      {"OpenShardCount", summary.open_shard_count()},
      {"MaxRecordSizeInKiB", summary.max_record_size_in_kib()},
      {"EncryptionType", v1::EncryptionType_Name(summary.encryption_type())}};
  if (!summary.key_id().empty()) json["KeyId"] = summary.key_id();
  if (summary.has_warm_throughput()) {
    json["WarmThroughput"] = WarmJson(summary.warm_throughput());
  }
  if (summary.stream_mode_details().stream_mode() == v1::ON_DEMAND) {
    json["RecordDistributionStrategy"] = v1::RecordDistributionStrategy_Name(
        summary.record_distribution_strategy());
  }
  return json;
}

int DescribeSummary(Session& session, client::Client& client,
                    const Options& options) {
  const auto summary = client.DescribeStreamSummary(options.stream);
  if (!summary.ok()) return session.Fail(summary.status());
  Console& console = session.console();
  if (session.json()) {
    console.out << Dump({{"StreamDescriptionSummary", SummaryJson(*summary)}},
                        true)
                << "\n";
    return kExitOk;
  }
  Table table({{"FIELD"}, {"VALUE"}});
  AddStreamRows(table, *summary);
  table.AddRow({"id", summary->stream_id()});
  table.AddRow({"open shards", absl::StrCat(summary->open_shard_count())});
  table.AddRow({"consumers", absl::StrCat(summary->consumer_count())});
  table.AddRow({"largest record",
                absl::StrCat(summary->max_record_size_in_kib(), " KiB")});
  if (summary->has_warm_throughput()) {
    table.AddRow(
        {"warm throughput",
         absl::StrCat(summary->warm_throughput().target_mibps(), " MiB/s, ",
                      summary->warm_throughput().current_mibps(), " now")});
  }
  if (summary->stream_mode_details().stream_mode() == v1::ON_DEMAND) {
    table.AddRow(
        {"distribution", v1::RecordDistributionStrategy_Name(
                             summary->record_distribution_strategy())});
  }
  table.Print(console.out, console.out_is_terminal);
  return kExitOk;
}

int UpdateMode(Session& session, client::Client& client,
               const Options& options) {
  v1::UpdateStreamModeRequest request;
  request.set_stream_name(options.stream);
  request.mutable_stream_mode_details()->set_stream_mode(
      ParseMode(options.mode));
  if (options.warm_mibps >= 0) {
    request.set_warm_throughput_mibps(options.warm_mibps);
  }
  return ConcludeChange(
      session, client, options.stream, options.wait,
      client.UpdateStreamMode(request),
      {{"StreamModeDetails", ModeJson(request.stream_mode_details())}});
}

int UpdateWarmThroughput(Session& session, client::Client& client,
                         const Options& options) {
  const auto update =
      client.UpdateStreamWarmThroughput(options.stream, options.warm_mibps);
  Json details;
  if (update.ok()) {
    details = {{"WarmThroughput", WarmJson(update->warm_throughput())}};
  }
  return ConcludeChange(session, client, options.stream, options.wait,
                        update.status(), details);
}

int UpdateDistribution(Session& session, client::Client& client,
                       const Options& options) {
  return Conclude(session,
                  client.UpdateStreamRecordDistributionStrategy(
                      options.stream, ParseDistribution(options.distribution)),
                  {{"StreamName", options.stream},
                   {"RecordDistributionStrategy", options.distribution}},
                  absl::StrCat("the record distribution strategy of stream ",
                               options.stream, " is ", options.distribution));
}

int ListScalingDecisions(Session& session, client::Client& client,
                         const Options& options) {
  const auto decisions = client.ListScalingDecisions(options.stream);
  if (!decisions.ok()) return session.Fail(decisions.status());
  Console& console = session.console();
  if (session.json()) {
    Json all = Json::array();
    for (const v1::ScalingDecision& decision : *decisions) {
      Json shards = Json::array();
      for (const std::string& shard : decision.shard_ids())
        shards.push_back(shard);
      all.push_back({{"DecidedAt", FormatTime(decision.decided_at())},
                     {"Action", v1::ScalingAction_Name(decision.action())},
                     {"ShardIds", shards},
                     {"Reason", decision.reason()}});
    }
    console.out << Dump({{"ScalingDecisions", all}}, true) << "\n";
    return kExitOk;
  }
  Table table({{"TIME"}, {"ACTION"}, {"SHARDS"}, {"REASON"}});
  for (const v1::ScalingDecision& decision : *decisions) {
    table.AddRow({FormatTime(decision.decided_at()),
                  v1::ScalingAction_Name(decision.action()),
                  decision.shard_ids().empty()
                      ? "-"
                      : absl::StrJoin(decision.shard_ids(), " "),
                  decision.reason()});
  }
  table.Print(console.out, console.out_is_terminal);
  return kExitOk;
}

}  // namespace

void AddCapacityCommands(CLI::App& app, Session& session) {
  CLI::App& stream = *app.get_subcommand("stream");
  const auto options = std::make_shared<Options>();
  const auto add = [&, options](const std::string& name,
                                const std::string& help,
                                const std::string& example, Run run) {
    CLI::App* const added = stream.add_subcommand(name, help);
    added->footer(absl::StrCat("\nExamples:\n  trireme stream ", name,
                               " orders", example, "\n"));
    added->add_option("STREAM", options->stream, "the stream's name")
        ->required();
    RunWithClient(*added, session,
                  [&session, options, run](client::Client& client) {
                    return run(session, client, *options);
                  });
    return added;
  };
  constexpr char kWait[] = "until the stream is ACTIVE again";
  add("describe-stream-summary", "show one stream, without its shards", "",
      DescribeSummary);
  add("list-scaling-decisions",
      "show what an on-demand stream did about its load, and why", "",
      ListScalingDecisions);
  CLI::App* const mode =
      add("update-stream-mode", "change who says how many shards there are",
          " --stream-mode ON_DEMAND --wait", UpdateMode);
  AddModeOption(*mode, options->mode)->required();
  AddWarmThroughputOption(*mode, options->warm_mibps);
  mode->add_flag("--wait", options->wait, kWait);
  CLI::App* const warm =
      add("update-stream-warm-throughput",
          "change what the stream is to be ready for",
          " --warm-throughput-mibps 100 --wait", UpdateWarmThroughput);
  AddWarmThroughputOption(*warm, options->warm_mibps)->required();
  warm->add_flag("--wait", options->wait, kWait);
  AddDistributionOption(
      *add("update-stream-record-distribution-strategy",
           "change who says which shard a record goes to",
           " --record-distribution-strategy AUTO", UpdateDistribution),
      options->distribution)
      ->required();
}

}  // namespace trireme::cli
