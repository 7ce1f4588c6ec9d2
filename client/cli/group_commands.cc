// trireme group list | describe | reset | delete
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/cli/commands.h"
#include "client/cli/conclude.h"
#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "client/cli/group_text.h"
#include "client/cli/table.h"

namespace trireme::cli {
namespace {

constexpr absl::Duration kRedraw = absl::Seconds(1);
// What fits on most screens.
constexpr size_t kWatchedLeasesMax = 30;

struct Options {
  std::string stream;  // Empty: all, of `list`.
  std::string group;
  std::string from;
  bool all = false;
  bool watch = false;
};
using Run = int (*)(Session&, client::Client&, const Options&);

// --- list ---

struct Row {
  std::string stream;
  v1::ConsumerGroupSummary group;
};

absl::StatusOr<std::vector<Row>> FindGroups(client::Client& client,
                                            const std::string& stream) {
  std::vector<std::string> streams = {stream};
  if (stream.empty()) {
    const auto listed = client.ListStreams();
    if (!listed.ok()) return listed.status();
    streams.clear();
    for (const v1::StreamSummary& one : *listed) {
      streams.push_back(one.stream_name());
    }
  }
  std::vector<Row> rows;
  for (const std::string& name : streams) {
    auto groups = client.ListConsumerGroups(name);
    // Deleted since it was listed.
    if (stream.empty() && absl::IsNotFound(groups.status())) continue;
    if (!groups.ok()) return groups.status();
    for (v1::ConsumerGroupSummary& group : *groups) {
      rows.push_back({name, std::move(group)});
    }
  }
  return rows;
}

int List(Session& session, client::Client& client, const Options& options) {
  const auto rows = FindGroups(client, options.stream);
  if (!rows.ok()) return session.Fail(rows.status());
  Console& console = session.console();
  if (session.json()) {
    Json all = Json::array();
    for (const auto& [stream, group] : *rows) {
      all.push_back({{"StreamName", stream},
                     {"GroupName", group.group_name()},
                     {"WorkerCount", group.worker_count()},
                     {"LeaseCount", group.lease_count()},
                     {"FreeLeaseCount", group.free_lease_count()}});
    }
    console.out << Dump({{"ConsumerGroups", all}}, true) << "\n";
    return kExitOk;
  }
  Table table({{"STREAM"},
               {"GROUP"},
               {"WORKERS", Align::kRight},
               {"LEASES", Align::kRight},
               {"FREE", Align::kRight}});
  for (const auto& [stream, group] : *rows) {
    table.AddRow({stream, group.group_name(),
                  absl::StrCat(group.worker_count()),
                  absl::StrCat(group.lease_count()),
                  absl::StrCat(group.free_lease_count())});
  }
  table.Print(console.out, console.out_is_terminal);
  return kExitOk;
}

// --- describe ---

int Describe(Session& session, client::Client& client, const Options& options) {
  const auto group =
      client.DescribeConsumerGroup(options.stream, options.group);
  if (!group.ok()) return session.Fail(group.status());
  Console& console = session.console();
  if (session.json()) {
    console.out << Dump({{"ConsumerGroupDescription", GroupJson(*group)}}, true)
                << "\n";
  } else {
    PrintGroup(*group,
               {.boxed = console.out_is_terminal, .ended_shards = options.all},
               console.out);
  }
  return kExitOk;
}

// The newest picture in place of the one before, line by line so that nothing
// flickers; elsewhere than on a terminal one after the other.
void Redraw(Console& console, const std::string& picture) {
  if (!console.out_is_terminal) {
    console.out << picture << std::endl;
    return;
  }
  console.out << "\033[H" << absl::StrReplaceAll(picture, {{"\n", "\033[K\n"}})
              << "\033[J" << std::flush;
}

int Watch(Session& session, client::Client& client, const Options& options) {
  Console& console = session.console();
  if (console.out_is_terminal) console.out << "\033[2J";
  do {
    const auto group =
        client.DescribeConsumerGroup(options.stream, options.group);
    if (session.interrupt().cancelled()) break;
    if (!group.ok()) return session.Fail(group.status());
    if (session.json()) {
      console.out << Dump({{"ConsumerGroupDescription", GroupJson(*group)}},
                          false)
                  << std::endl;
      continue;
    }
    std::ostringstream picture;
    PrintGroup(*group,
               {.boxed = console.out_is_terminal,
                .ended_shards = options.all,
                .bars = true,
                .leases_max = kWatchedLeasesMax},
               picture);
    Redraw(console, picture.str());
  } while (session.interrupt().WaitFor(kRedraw));
  return kExitOk;
}

int DescribeOrWatch(Session& session, client::Client& client,
                    const Options& options) {
  return options.watch ? Watch(session, client, options)
                       : Describe(session, client, options);
}

// --- reset and delete ---

int Reset(Session& session, client::Client& client, const Options& options) {
  const auto from = ParseFrom(options.from);
  if (!from.ok()) return session.Fail(from.status());
  return Conclude(
      session, client.ResetConsumerGroup(options.stream, options.group, *from),
      {{"StreamName", options.stream},
       {"GroupName", options.group},
       {"From", StartText(*from)}},
      absl::StrCat("group ", options.group, " of ", options.stream,
                   " begins anew at ", StartText(*from)));
}

int Delete(Session& session, client::Client& client, const Options& options) {
  return Conclude(session,
                  client.DeleteConsumerGroup(options.stream, options.group),
                  {{"StreamName", options.stream},
                   {"GroupName", options.group},
                   {"GroupStatus", "DELETED"}},
                  absl::StrCat("group ", options.group, " of ", options.stream,
                               " is deleted, its checkpoints with it"));
}

CLI::App* Add(CLI::App& parent, Session& session, const std::string& name,
              const std::string& help, const std::string& examples,
              const std::shared_ptr<Options>& options, Run run) {
  CLI::App* const app = parent.add_subcommand(name, help);
  app->footer("\nExamples:\n" + examples);
  RunWithClient(*app, session,
                [&session, options, run](client::Client& client) {
                  return run(session, client, *options);
                });
  return app;
}

CLI::App* AddOfOne(CLI::App& parent, Session& session, const std::string& name,
                   const std::string& help, const std::string& examples,
                   const std::shared_ptr<Options>& options, Run run) {
  CLI::App* const app =
      Add(parent, session, name, help, examples, options, run);
  app->add_option("STREAM", options->stream, "the stream's name")->required();
  CLI::Option* const group =
      app->add_option("GROUP", options->group, "the group's name")->required();
  // As `consume` has it; its own help would say that both are needed.
  const auto alias = std::make_shared<std::string>();
  app->add_option_function<std::string>("--group",
                                        [alias, group](const std::string& it) {
                                          *alias = it;
                                          group->required(false);
                                        })
      ->trigger_on_parse()
      ->group("");
  app->parse_complete_callback([alias, options] {
    if (alias->empty()) return;
    if (!options->group.empty() && options->group != *alias) {
      throw CLI::ExcludesError("--group", "GROUP");
    }
    options->group = *alias;
  });
  return app;
}

}  // namespace

void AddGroupCommands(CLI::App& app, Session& session) {
  CLI::App& group = *app.add_subcommand(
      "group", "list, describe, reset, delete consumer groups");
  group.footer(
      "\nA group is made by its first worker: see `trireme consume --help`.\n"
      "\nExamples:\n  trireme group list orders\n");
  group.require_subcommand(1);
  const auto options = std::make_shared<Options>();
  Add(group, session, "list", "list the groups of a stream, or of all",
      "  trireme group list\n  trireme group list orders\n", options, List)
      ->add_option("STREAM", options->stream, "the stream's name");
  CLI::App* const describe =
      AddOfOne(group, session, "describe",
               "show a group's workers, and who has which shard",
               "  trireme group describe orders billing\n"
               "  trireme group describe orders billing --watch\n",
               options, DescribeOrWatch);
  describe->add_flag("--all", options->all,
                     "shards that are read to their ends, too");
  describe->add_flag("--watch", options->watch,
                     "again each second, until Ctrl-C; worst lag first");
  CLI::App* const reset =
      AddOfOne(group, session, "reset",
               "let a group that has no workers begin anew elsewhere",
               "  trireme group reset orders billing --from trim-horizon\n"
               "  trireme group reset orders billing --from 2h\n",
               options, Reset);
  AddGroupFromOption(*reset, options->from, "where to begin")->required();
  AddOfOne(group, session, "delete",
           "delete a group that has no workers, and its checkpoints",
           "  trireme group delete orders billing\n", options, Delete);
}

}  // namespace trireme::cli
