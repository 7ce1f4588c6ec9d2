// trireme stream create | list | describe | delete
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/capacity_text.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "client/cli/stream_change.h"
#include "client/cli/stream_rows.h"
#include "client/cli/table.h"
#include "client/cli/tag_text.h"

namespace trireme::cli {
namespace {

struct Options {
  std::string name;
  int shards = 0;                 // 0: not given.
  std::vector<std::string> tags;  // KEY=VALUE
  std::string mode = "PROVISIONED";
  std::string distribution;  // Empty: the default.
  int warm_mibps = -1;       // -1: none.
  int record_kib = 0;        // 0: the default.
  bool wait = false;
  bool enforce_consumer_deletion = false;
};

int Create(Session& session, const Options& options) {
  const auto tags = ParseTags(options.tags);
  if (!tags.ok()) return session.Fail(tags.status());
  const bool on_demand = ParseMode(options.mode) == v1::ON_DEMAND;
  if (on_demand && options.shards > 0) {
    return session.FailUsage(
        "--shards is for PROVISIONED streams; how many shards an ON_DEMAND "
        "stream has is the service's matter");
  }
  const auto client = session.client();
  if (!client.ok()) return session.Fail(client.status());
  v1::CreateStreamRequest request;
  request.set_stream_name(options.name);
  if (!on_demand) request.set_shard_count(std::max(1, options.shards));
  request.mutable_tags()->insert(tags->begin(), tags->end());
  request.set_max_record_size_in_kib(options.record_kib);
  request.mutable_stream_mode_details()->set_stream_mode(
      ParseMode(options.mode));
  if (options.warm_mibps >= 0) {
    request.set_warm_throughput_mibps(options.warm_mibps);
  }
  request.set_record_distribution_strategy(
      ParseDistribution(options.distribution));
  absl::Status status = (*client)->CreateStream(request);
  if (status.ok() && options.wait) {
    status = (*client)->WaitUntilActive(options.name, session.timeout);
  }
  return ConcludeState(session, status, options.name,
                       options.wait ? "ACTIVE" : "CREATING");
}

int Delete(Session& session, const Options& options) {
  const auto client = session.client();
  if (!client.ok()) return session.Fail(client.status());
  absl::Status status =
      (*client)->DeleteStream(options.name, options.enforce_consumer_deletion);
  if (status.ok() && options.wait) {
    status = (*client)->WaitUntilGone(options.name, session.timeout);
  }
  return ConcludeState(session, status, options.name,
                       options.wait ? "DELETED" : "DELETING");
}

int List(Session& session) {
  const auto client = session.client();
  if (!client.ok()) return session.Fail(client.status());
  const auto streams = (*client)->ListStreams();
  if (!streams.ok()) return session.Fail(streams.status());
  Console& console = session.console();
  if (session.json()) {
    Json all = Json::array();
    for (const v1::StreamSummary& stream : *streams) {
      all.push_back(
          {{"StreamName", stream.stream_name()},
           {"StreamARN", stream.stream_arn()},
           {"StreamStatus", v1::StreamStatus_Name(stream.stream_status())},
           {"StreamModeDetails", ModeJson(stream.stream_mode_details())},
           {"StreamCreationTimestamp",
            FormatTime(stream.stream_creation_timestamp())}});
    }
    console.out << Dump({{"StreamSummaries", all}}, true) << "\n";
    return kExitOk;
  }
  Table table({{"STREAM"}, {"STATUS"}, {"CREATED"}});
  for (const v1::StreamSummary& stream : *streams) {
    table.AddRow({stream.stream_name(),
                  v1::StreamStatus_Name(stream.stream_status()),
                  FormatTime(stream.stream_creation_timestamp())});
  }
  table.Print(console.out, console.out_is_terminal);
  return kExitOk;
}

Json DescriptionJson(const v1::StreamDescription& stream) {
  Json json{{"StreamName", stream.stream_name()},
            {"StreamARN", stream.stream_arn()},
            {"StreamStatus", v1::StreamStatus_Name(stream.stream_status())}};
  json["Shards"] = Json::array();
  for (const v1::Shard& shard : stream.shards()) {
    json["Shards"].push_back(ShardJson(shard));
  }
  json["HasMoreShards"] = false;
  json["RetentionPeriodHours"] = stream.retention_period_hours();
  json["StreamCreationTimestamp"] =
      FormatTime(stream.stream_creation_timestamp());
  json["EnhancedMonitoring"] = Json::array();
  for (const v1::EnhancedMetrics& metrics : stream.enhanced_monitoring()) {
    json["EnhancedMonitoring"].push_back(
        {{"ShardLevelMetrics",
          std::vector<std::string>(metrics.shard_level_metrics().begin(),
                                   metrics.shard_level_metrics().end())}});
  }
  json["StreamModeDetails"] = ModeJson(stream.stream_mode_details());
  json["EncryptionType"] = v1::EncryptionType_Name(stream.encryption_type());
  if (!stream.key_id().empty()) json["KeyId"] = stream.key_id();
  return json;
}

int Describe(Session& session, const Options& options) {
  const auto client = session.client();
  if (!client.ok()) return session.Fail(client.status());
  const auto stream = (*client)->DescribeStream(options.name);
  if (!stream.ok()) return session.Fail(stream.status());
  Console& console = session.console();
  if (session.json()) {
    console.out << Dump({{"StreamDescription", DescriptionJson(*stream)}}, true)
                << "\n";
    return kExitOk;
  }
  int open = 0;
  for (const v1::Shard& shard : stream->shards()) {
    open += shard.sequence_number_range().ending_sequence_number().empty();
  }
  Table table({{"FIELD"}, {"VALUE"}});
  AddStreamRows(table, *stream);
  table.AddRow({"open shards", absl::StrCat(open)});
  table.AddRow({"closed shards", absl::StrCat(stream->shards_size() - open)});
  table.Print(console.out, console.out_is_terminal);
  return kExitOk;
}

CLI::App* Add(CLI::App& parent, const std::string& name,
              const std::string& help, const std::string& examples) {
  CLI::App* app = parent.add_subcommand(name, help);
  app->footer("\nExamples:\n" + examples);
  return app;
}

}  // namespace

void AddStreamCommands(CLI::App& app, Session& session) {
  CLI::App* stream =
      Add(app, "stream", "create, list, describe, delete, tag, change",
          "  trireme stream list\n");
  stream->require_subcommand(1);
  const auto options = std::make_shared<Options>();
  constexpr char kName[] = "1 to 128 of a-z A-Z 0-9 _ . -";

  CLI::App* create =
      Add(*stream, "create", "create a stream",
          "  trireme stream create orders --shards 4 --wait\n"
          "  trireme stream create orders --tags team=billing\n"
          "  trireme stream create orders --stream-mode ON_DEMAND "
          "--record-distribution-strategy AUTO\n");
  create->add_option("NAME", options->name, kName)->required();
  create
      ->add_option("--shards", options->shards,
                   "how many, 1 to 10,000, unless ON_DEMAND [default: 1]")
      ->check(InRange(1, 10'000));
  AddModeOption(*create, options->mode);
  AddDistributionOption(*create, options->distribution);
  AddWarmThroughputOption(*create, options->warm_mibps);
  create
      ->add_option("--max-record-size-in-kib", options->record_kib,
                   "the largest record, its key included [default: 1024]")
      ->check(InRange(1'024, 10'240));
  AddTagsOption(*create, "--tags", options->tags, "KEY=VALUE ..., up to 50");
  create->add_flag("--wait", options->wait, "until it is ACTIVE");
  create->callback([&session, options] {
    session.command = [&session, options] { return Create(session, *options); };
  });

  CLI::App* list =
      Add(*stream, "list", "list all streams",
          "  trireme stream list\n"
          "  trireme stream list --output json | jq .StreamSummaries\n");
  list->callback(
      [&session] { session.command = [&session] { return List(session); }; });

  CLI::App* describe = Add(*stream, "describe", "show one stream",
                           "  trireme stream describe orders\n");
  describe->add_option("NAME", options->name, kName)->required();
  describe->callback([&session, options] {
    session.command = [&session, options] {
      return Describe(session, *options);
    };
  });

  CLI::App* remove =
      Add(*stream, "delete", "delete a stream and all its records",
          "  trireme stream delete orders --wait\n");
  remove->add_option("NAME", options->name, kName)->required();
  remove->add_flag("--wait", options->wait, "until it is gone");
  remove->add_flag("--enforce-consumer-deletion",
                   options->enforce_consumer_deletion,
                   "also when it has registered consumers: they go with it");
  remove->callback([&session, options] {
    session.command = [&session, options] { return Delete(session, *options); };
  });
}

}  // namespace trireme::cli
