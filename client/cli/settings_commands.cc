// trireme stream add-tags | remove-tags | list-tags | update-max-record-size |
// enable-enhanced-monitoring | disable-enhanced-monitoring |
// start-stream-encryption | stop-stream-encryption | describe-limits
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/commands.h"
#include "client/cli/conclude.h"
#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "client/cli/stream_change.h"
#include "client/cli/table.h"
#include "client/cli/tag_text.h"

namespace trireme::cli {
namespace {

struct Options {
  std::string stream;
  std::vector<std::string> tags;  // KEY=VALUE, or KEY.
  int kib = 0;
  std::vector<std::string> metrics;
  std::string key_id;
  bool wait = false;
};
using Run = int (*)(Session&, client::Client&, const Options&);

int AddTags(Session& session, client::Client& client, const Options& options) {
  const auto tags = ParseTags(options.tags);
  if (!tags.ok()) return session.Fail(tags.status());
  return Conclude(
      session, client.AddTags(options.stream, *tags),
      {{"StreamName", options.stream}, {"Tags", *tags}},
      absl::StrCat("stream ", options.stream, " has ",
                   Counted(tags->size(), "tag"), " added or changed"));
}

int RemoveTags(Session& session, client::Client& client,
               const Options& options) {
  return Conclude(
      session, client.RemoveTags(options.stream, options.tags),
      {{"StreamName", options.stream}, {"TagKeys", options.tags}},
      absl::StrCat("stream ", options.stream, " has none of these tags now"));
}

int ListTags(Session& session, client::Client& client, const Options& options) {
  const auto tags = client.ListTags(options.stream);
  if (!tags.ok()) return session.Fail(tags.status());
  PrintTags(session, *tags, {{"HasMoreTags", false}});
  return kExitOk;
}

int UpdateMaxRecordSize(Session& session, client::Client& client,
                        const Options& options) {
  return Conclude(
      session, client.UpdateMaxRecordSize(options.stream, options.kib),
      {{"StreamName", options.stream}, {"MaxRecordSizeInKiB", options.kib}},
      absl::StrCat("stream ", options.stream, " takes records of up to ",
                   options.kib, " KiB"));
}

template <typename Response>
int ConcludeMonitoring(Session& session,
                       const absl::StatusOr<Response>& changed) {
  if (!changed.ok()) return session.Fail(changed.status());
  const std::vector<std::string> before(
      changed->current_shard_level_metrics().begin(),
      changed->current_shard_level_metrics().end());
  const std::vector<std::string> after(
      changed->desired_shard_level_metrics().begin(),
      changed->desired_shard_level_metrics().end());
  return Conclude(
      session, absl::OkStatus(),
      {{"StreamName", changed->stream_name()},
       {"CurrentShardLevelMetrics", before},
       {"DesiredShardLevelMetrics", after},
       {"StreamARN", changed->stream_arn()}},
      absl::StrCat("shards of stream ", changed->stream_name(), " report ",
                   after.empty() ? "no metrics of their own"
                                 : absl::StrJoin(after, ", ")));
}

int EnableMonitoring(Session& session, client::Client& client,
                     const Options& options) {
  v1::EnableEnhancedMonitoringRequest request;
  request.set_stream_name(options.stream);
  for (const std::string& metric : options.metrics) {
    request.add_shard_level_metrics(metric);
  }
  return ConcludeMonitoring(session, client.EnableEnhancedMonitoring(request));
}

int DisableMonitoring(Session& session, client::Client& client,
                      const Options& options) {
  v1::DisableEnhancedMonitoringRequest request;
  request.set_stream_name(options.stream);
  for (const std::string& metric : options.metrics) {
    request.add_shard_level_metrics(metric);
  }
  return ConcludeMonitoring(session, client.DisableEnhancedMonitoring(request));
}

int StartEncryption(Session& session, client::Client& client,
                    const Options& options) {
  return ConcludeChange(
      session, client, options.stream, options.wait,
      client.StartStreamEncryption(options.stream, options.key_id),
      {{"EncryptionType", "KMS"}, {"KeyId", options.key_id}});
}

int StopEncryption(Session& session, client::Client& client,
                   const Options& options) {
  return ConcludeChange(
      session, client, options.stream, options.wait,
      client.StopStreamEncryption(options.stream, options.key_id),
      {{"EncryptionType", "NONE"}});
}

int DescribeLimits(Session& session, client::Client& client,
                   const Options& /*options*/) {
  const auto limits = client.DescribeLimits();
  if (!limits.ok()) return session.Fail(limits.status());
  Console& console = session.console();
  if (session.json()) {
    const Json json{
        {"ShardLimit", limits->shard_limit()},
        {"OpenShardCount", limits->open_shard_count()},
        {"OnDemandStreamCount", limits->on_demand_stream_count()},
        {"OnDemandStreamCountLimit", limits->on_demand_stream_count_limit()}};
    console.out << Dump(json, true) << "\n";
    return kExitOk;
  }
  Table table({{"WHAT"}, {"NOW"}, {"LIMIT"}});
  table.AddRow({"open shards", absl::StrCat(limits->open_shard_count()),
                absl::StrCat(limits->shard_limit())});
  table.AddRow({"on-demand streams",
                absl::StrCat(limits->on_demand_stream_count()),
                absl::StrCat(limits->on_demand_stream_count_limit())});
  table.Print(console.out, console.out_is_terminal);
  return kExitOk;
}

CLI::App* Add(CLI::App& stream, Session& session, const std::string& name,
              const std::string& help, const std::string& example,
              const std::shared_ptr<Options>& options, Run run) {
  CLI::App* const app = stream.add_subcommand(name, help);
  app->footer("\nExamples:\n  " + example + "\n");
  RunWithClient(*app, session,
                [&session, options, run](client::Client& client) {
                  return run(session, client, *options);
                });
  return app;
}

// The same for one stream.
CLI::App* AddOfStream(CLI::App& stream, Session& session,
                      const std::string& name, const std::string& help,
                      const std::string& example,
                      const std::shared_ptr<Options>& options, Run run) {
  CLI::App* const app = Add(stream, session, name, help, example, options, run);
  app->add_option("STREAM", options->stream, "the stream's name")->required();
  return app;
}

}  // namespace

void AddSettingsCommands(CLI::App& app, Session& session) {
  const auto options = std::make_shared<Options>();
  CLI::App& stream = *app.get_subcommand("stream");
  AddTagsOption(
      *AddOfStream(stream, session, "add-tags",
                   "add tags, or change their values",
                   "trireme stream add-tags orders team=billing env=prod",
                   options, AddTags),
      "KEY=VALUE", options->tags, "tags; up to 50 of a stream")
      ->required();
  AddOfStream(stream, session, "remove-tags", "remove tags",
              "trireme stream remove-tags orders team env", options, RemoveTags)
      ->add_option("KEY", options->tags, "their keys")
      ->required();
  AddOfStream(stream, session, "list-tags", "list a stream's tags",
              "trireme stream list-tags orders", options, ListTags);
  AddOfStream(stream, session, "update-max-record-size",
              "change how large a record may be",
              "trireme stream update-max-record-size orders --kib 4096",
              options, UpdateMaxRecordSize)
      ->add_option("--kib", options->kib, "in KiB, its key included")
      ->required()
      ->check(InRange(1'024, 10'240));
  constexpr char kMetrics[] = "their names, or ALL";
  AddOfStream(stream, session, "enable-enhanced-monitoring",
              "let shards report metrics of their own",
              "trireme stream enable-enhanced-monitoring orders "
              "--shard-level-metrics IncomingBytes OutgoingBytes",
              options, EnableMonitoring)
      ->add_option("--shard-level-metrics", options->metrics, kMetrics)
      ->required();
  AddOfStream(stream, session, "disable-enhanced-monitoring",
              "let shards report fewer metrics of their own",
              "trireme stream disable-enhanced-monitoring orders "
              "--shard-level-metrics ALL",
              options, DisableMonitoring)
      ->add_option("--shard-level-metrics", options->metrics, kMetrics)
      ->required();
  constexpr char kKey[] = "a key's id or ARN, an alias or its ARN";
  constexpr char kWait[] = "until the stream is ACTIVE again";
  CLI::App* const start =
      AddOfStream(stream, session, "start-stream-encryption",
                  "set the key that the stream is encrypted with",
                  "trireme stream start-stream-encryption orders "
                  "--key-id alias/aws/kinesis --wait",
                  options, StartEncryption);
  start->add_option("--key-id", options->key_id, kKey)->required();
  start->add_flag("--wait", options->wait, kWait);
  CLI::App* const stop =
      AddOfStream(stream, session, "stop-stream-encryption",
                  "set that the stream is not encrypted",
                  "trireme stream stop-stream-encryption orders "
                  "--key-id alias/aws/kinesis --wait",
                  options, StopEncryption);
  stop->add_option("--key-id", options->key_id, kKey)->required();
  stop->add_flag("--wait", options->wait, kWait);
  Add(stream, session, "describe-limits",
      "show how many shards and streams there are and may be",
      "trireme stream describe-limits", options, DescribeLimits);
}

}  // namespace trireme::cli
