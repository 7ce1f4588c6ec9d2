// trireme stream add-tags | remove-tags | list-tags | update-max-record-size |
// describe-limits
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "client/cli/table.h"

namespace trireme::cli {
namespace {

struct Options {
  std::string stream;
  std::vector<std::string> tags;  // KEY=VALUE, or KEY.
  int kib = 0;
};
using Run = int (*)(Session&, client::Client&, const Options&);

int Conclude(Session& session, const absl::Status& status, const Json& json,
             const std::string& text) {
  if (!status.ok()) return session.Fail(status);
  session.console().out << (session.json() ? Dump(json, true) : text) << "\n";
  return kExitOk;
}

int AddTags(Session& session, client::Client& client, const Options& options) {
  std::map<std::string, std::string> tags;
  for (const std::string& tag : options.tags) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(tag, absl::MaxSplits('=', 1));
    tags.insert_or_assign(parts.first, parts.second);
  }
  return Conclude(
      session, client.AddTags(options.stream, tags),
      {{"StreamName", options.stream}, {"Tags", tags}},
      absl::StrCat("stream ", options.stream, " has ", tags.size(),
                   tags.size() == 1 ? " tag" : " tags", " added or changed"));
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
  Console& console = session.console();
  if (session.json()) {
    Json all = Json::array();
    for (const auto& [key, value] : *tags) {
      all.push_back({{"Key", key}, {"Value", value}});
    }
    console.out << Dump({{"Tags", all}, {"HasMoreTags", false}}, true) << "\n";
    return kExitOk;
  }
  Table table({{"KEY"}, {"VALUE"}});
  for (const auto& [key, value] : *tags) table.AddRow({key, value});
  table.Print(console.out, console.out_is_terminal);
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
  app->callback([&session, options, run] {
    session.command = [&session, options, run] {
      const auto client = session.client();
      if (!client.ok()) return session.Fail(client.status());
      return run(session, **client, *options);
    };
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
  AddOfStream(stream, session, "add-tags", "add tags, or change their values",
              "trireme stream add-tags orders team=billing env=prod", options,
              AddTags)
      ->add_option("KEY=VALUE", options->tags, "tags; up to 50 of a stream")
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
  Add(stream, session, "describe-limits",
      "show how many shards and streams there are and may be",
      "trireme stream describe-limits", options, DescribeLimits);
}

}  // namespace trireme::cli
