#include "client/cli/app.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "client/cli/session.h"

namespace trireme::cli {
namespace {

constexpr char kFooter[] = R"(
Exit codes:
  0    done
  1    the operation failed, or a check did not hold
  2    the command line is wrong, or a value in it is not one that is allowed
  3    no such stream, shard or consumer
  4    no node answered in time
  5    some records were written and some were not
  130  interrupted; commands that go on until Ctrl-C end with 0

Examples:
  trireme stream create orders --shards 4 --wait
  trireme put orders --key customer-7 --data '{"total": 12}'
  trireme tail orders --from trim-horizon
  trireme --endpoint a:7420,b:7420,c:7420 cluster status
)";

void AddGlobalOptions(CLI::App& app, Session& session) {
  app.add_option("--endpoint", session.endpoints,
                 "HOST:PORT of a node; several with commas or by repeating "
                 "it: the next is tried when one fails "
                 "[default: 127.0.0.1:7420]")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->envname("TRIREME_ENDPOINT");
  app.add_option("--output", session.output,
                 "table for people, json for programs, errors too "
                 "[default: table]")
      ->check(CLI::IsMember({"table", "json"}));
  AddDurationOption(app, "--timeout", session.timeout,
                    "how long one call may take, repetitions included; an "
                    "address where nobody listens is not waited for, a silent "
                    "one for 5s at most [default: 30s]");
  app.set_version_flag("--version", TRIREME_VERSION);
}

// What is wrong with a command line that ends before a command was named; empty
// when one was.
std::string MissingCommand(const CLI::App& app) {
  const CLI::App* group = &app;
  while (!group->get_subcommands().empty()) {
    group = group->get_subcommands().back();
  }
  if (group->get_require_subcommand_min() == 0) return "";
  const auto all = [](const CLI::App*) { return true; };
  std::vector<std::string> names;
  for (const CLI::App* command : group->get_subcommands(all)) {
    names.push_back(command->get_name());
  }
  // What a group does not know is left to the program.
  const std::vector<std::string> unknown = app.remaining();
  return absl::StrCat(
      unknown.empty() ? "a command is missing"
                      : absl::StrCat("unknown command `", unknown[0], "`"),
      "; commands ", group == &app ? "" : "of " + group->get_name() + " ",
      "are ", absl::StrJoin(names, ", "));
}

// What stands behind `--` of `trireme consume`: a program and its arguments.
// They are not the parser's, which would take apart some, such as [a,b].
std::vector<std::string> TakeProgram(std::vector<std::string>& arguments) {
  const auto mark = std::find(arguments.begin(), arguments.end(), "--");
  if (std::find(arguments.begin(), mark, "consume") == mark ||
      mark == arguments.end()) {
    return {};
  }
  std::vector<std::string> program(mark + 1, arguments.end());
  arguments.erase(mark, arguments.end());
  return program;
}

}  // namespace

void RunWithClient(CLI::App& app, Session& session,
                   std::function<int(client::Client&)> run) {
  app.callback([&session, run = std::move(run)] {
    session.command = [&session, run] {
      const auto client = session.client();
      if (!client.ok()) return session.Fail(client.status());
      return run(**client);
    };
  });
}

std::function<std::string(const std::string&)> InRange(uint64_t min,
                                                       uint64_t max) {
  return [min, max](const std::string& text) {
    uint64_t value = 0;
    if (absl::SimpleAtoi(text, &value) && min <= value && value <= max) {
      return std::string();
    }
    return absl::StrCat(
        "must be ", FormatCount(min),
        max == UINT64_MAX ? " or more" : " to " + FormatCount(max), ", not ",
        text);
  };
}

CLI::Option* AddDurationOption(CLI::App& app, const std::string& name,
                               absl::Duration& value, const std::string& help,
                               DurationRange range) {
  return app
      .add_option_function<std::string>(
          name,
          [&value, name, range](const std::string& text) {
            const auto parsed = ParseDuration(text);
            if (!parsed.ok()) {
              throw CLI::ValidationError(
                  name, std::string(parsed.status().message()));
            }
            if (*parsed < range.min || *parsed > range.max) {
              throw CLI::ValidationError(
                  name, absl::StrCat("'", text, "' is not ",
                                     absl::FormatDuration(range.min), " to ",
                                     absl::FormatDuration(range.max)));
            }
            value = *parsed;
          },
          help)
      ->type_name("DURATION");
}

CLI::Option* AddLimitOption(CLI::App& app, uint64_t& value,
                            const std::string& help) {
  return app.add_option("--limit", value, help)
      ->type_name("COUNT")
      ->check([](const std::string& text) {
        const std::string wrong = InRange(1)(text);
        return wrong.empty() ? wrong : wrong + "; leave it out for no limit";
      });
}

CLI::Option* AddDeaggregateFlag(CLI::App& app, bool& value) {
  return app.add_flag("--deaggregate", value,
                      "decompress data, and show the user records in "
                      "aggregated records one by one");
}

CLI::Option* AddShardOption(CLI::App& app, const std::string& name,
                            std::string& id, const std::string& help) {
  return app
      .add_option_function<std::string>(
          name, [&id](const std::string& text) { id = ParseShardId(text); },
          help + ": shardId-000000000003, or 3")
      ->type_name("SHARD")
      ->check([](const std::string& text) {
        return IsShardId(ParseShardId(text))
                   ? std::string()
                   : absl::StrCat("must be a shard's number, or an id such as ",
                                  "shardId-000000000003, not ", text);
      });
}

CLI::Option* AddFromOption(CLI::App& app, std::string& value) {
  return app
      .add_option("--from", value,
                  absl::StrCat("trim-horizon, latest, a time (RFC 3339, "
                               "\"2026-11-23 17:00\" in UTC, 10m for ten "
                               "minutes ago, @UNIX), a sequence number, or "
                               "after:NUMBER [default: ",
                               value, "]"))
      ->type_name("POSITION")
      ->check([](const std::string& text) {
        const auto parsed = ParseFrom(text);
        return parsed.ok() ? std::string()
                           : std::string(parsed.status().message());
      });
}

CLI::Option* AddGroupFromOption(CLI::App& app, std::string& value,
                                const std::string& help) {
  return app
      .add_option("--from", value,
                  help +
                      ": trim-horizon, latest, or a time (RFC 3339, "
                      "\"2026-11-23 17:00\" in UTC, 10m for ten minutes "
                      "ago, @UNIX)")
      ->type_name("POSITION")
      ->check([](const std::string& text) -> std::string {
        const auto parsed = ParseFrom(text);
        if (!parsed.ok() || !parsed->sequence_number().empty()) {
          return absl::StrCat(
              "'", text,
              parsed.ok() ? "' is a sequence number, which is of one shard; "
                            "allowed are "
                          : "' is none of ",
              "trim-horizon, latest and a time (", kTimeExamples, ")");
        }
        const absl::Time now = absl::Now();
        if (parsed->has_timestamp() &&
            absl::FromUnixSeconds(parsed->timestamp().seconds()) > now) {
          return absl::StrCat("'", text, "' is in the future: it is ",
                              TimeText(now));
        }
        return "";
      });
}

int RunTrireme(std::vector<std::string> arguments, Console& console,
               client::Cancellation& interrupt) {
  Session session(console, interrupt);
  CLI::App app("Trireme: durable streams of records over three zones.",
               "trireme");
  app.fallthrough();  // --output json may stand behind the command too.
  app.require_subcommand(1);
  app.footer(kFooter);
  AddGlobalOptions(app, session);
  AddStreamCommands(app, session);
  AddShardCommands(app, session);
  AddReshardCommands(app, session);
  AddRetentionCommands(app, session);
  AddSettingsCommands(app, session);
  AddConsumerCommands(app, session);
  AddGroupCommands(app, session);
  AddConsumeCommand(app, session);
  AddCapacityCommands(app, session);
  AddResourceCommands(app, session);
  AddAccountCommands(app, session);
  AddPutCommand(app, session);
  AddGetCommand(app, session);
  AddTailCommand(app, session);
  AddClusterCommands(app, session);
  AddDemoCommand(app, session);
  session.program = TakeProgram(arguments);
  std::reverse(arguments.begin(), arguments.end());  // As CLI11 wants them.
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::RequiredError& error) {
    const std::string missing = MissingCommand(app);
    if (!missing.empty()) return session.FailUsage(missing);
    return session.FailUsage(error.what());
  } catch (const CLI::Success& asked) {  // For help, or the version.
    return app.exit(asked, console.out, console.err);
  } catch (const CLI::ParseError& error) {
    return session.FailUsage(error.what());
  }
  const int code = session.command();
  console.out.flush();
  return code;
}

}  // namespace trireme::cli
