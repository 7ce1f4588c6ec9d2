// The command groups of `trireme`; each adds its subcommands to the program
// and, when one was given, sets Session::command.
#ifndef TRIREME_CLIENT_CLI_COMMANDS_H_
#define TRIREME_CLIENT_CLI_COMMANDS_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/time/time.h"
#include "client/cli/session.h"

namespace trireme::cli {

void AddStreamCommands(CLI::App& app, Session& session);
void AddShardCommands(CLI::App& app, Session& session);
// To the commands of the two above.
void AddReshardCommands(CLI::App& app, Session& session);
// To `stream`.
void AddRetentionCommands(CLI::App& app, Session& session);
void AddSettingsCommands(CLI::App& app, Session& session);
void AddConsumerCommands(CLI::App& app, Session& session);
void AddGroupCommands(CLI::App& app, Session& session);
void AddConsumeCommand(CLI::App& app, Session& session);
void AddCapacityCommands(CLI::App& app, Session& session);
void AddResourceCommands(CLI::App& app, Session& session);
void AddAccountCommands(CLI::App& app, Session& session);
void AddPutCommand(CLI::App& app, Session& session);
void AddGetCommand(CLI::App& app, Session& session);
void AddTailCommand(CLI::App& app, Session& session);
void AddClusterCommands(CLI::App& app, Session& session);
void AddDemoCommand(CLI::App& app, Session& session);

// `app` is a command: once all of the command line is read, `run` is called
// with a client and gives the exit code.
void RunWithClient(CLI::App& app, Session& session,
                   std::function<int(client::Client&)> run);

// A check of an option's value: a whole number of `min` to `max`.
std::function<std::string(const std::string&)> InRange(
    uint64_t min, uint64_t max = UINT64_MAX);

// An option whose value is a duration ("10s", "2m", or seconds).
struct DurationRange {
  absl::Duration min = absl::Nanoseconds(1);
  absl::Duration max = absl::InfiniteDuration();
};
CLI::Option* AddDurationOption(CLI::App& app, const std::string& name,
                               absl::Duration& value, const std::string& help,
                               DurationRange range = {});

// --limit: 1 record or more.
CLI::Option* AddLimitOption(CLI::App& app, uint64_t& value,
                            const std::string& help);

// --deaggregate.
CLI::Option* AddDeaggregateFlag(CLI::App& app, bool& value);

// A shard's id, of which the number is enough.
CLI::Option* AddShardOption(CLI::App& app, const std::string& name,
                            std::string& id, const std::string& help);

// An option whose value is a position, checked while parsing.
CLI::Option* AddFromOption(CLI::App& app, std::string& value);

// The same of where a consumer group begins: no sequence number.
CLI::Option* AddGroupFromOption(CLI::App& app, std::string& value,
                                const std::string& help);

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_COMMANDS_H_
