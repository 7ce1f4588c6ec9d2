// trireme account describe-account-settings | update-account-settings
#include <memory>
#include <string>

#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "client/cli/table.h"

namespace trireme::cli {
namespace {

using Commitment = v1::MinimumThroughputBillingCommitment;

int Show(Session& session, const absl::StatusOr<Commitment>& commitment) {
  if (!commitment.ok()) return session.Fail(commitment.status());
  Json json{{"Status", Commitment::Status_Name(commitment->status())}};
  if (commitment->has_started_at()) {
    json["StartedAt"] = FormatTime(commitment->started_at());
  }
  if (commitment->has_ended_at()) {
    json["EndedAt"] = FormatTime(commitment->ended_at());
  }
  if (commitment->has_earliest_allowed_end_at()) {
    json["EarliestAllowedEndAt"] =
        FormatTime(commitment->earliest_allowed_end_at());
  }
  Console& console = session.console();
  if (session.json()) {
    console.out << Dump({{"MinimumThroughputBillingCommitment", json}}, true)
                << "\n";
    return kExitOk;
  }
  Table table({{"MINIMUM THROUGHPUT BILLING COMMITMENT"}, {"VALUE"}});
  for (const auto& [name, value] : json.items()) {
    table.AddRow({name, value.get<std::string>()});
  }
  table.Print(console.out, console.out_is_terminal);
  return kExitOk;
}

}  // namespace

void AddAccountCommands(CLI::App& app, Session& session) {
  CLI::App* const account =
      app.add_subcommand("account", "what is set for all streams together");
  account->require_subcommand(1);
  account->footer("\nExamples:\n  trireme account describe-account-settings\n");
  CLI::App* const describe = account->add_subcommand(
      "describe-account-settings", "show the settings of all streams");
  describe->footer(
      "\nExamples:\n  trireme account describe-account-settings\n");
  RunWithClient(*describe, session, [&session](client::Client& client) {
    return Show(session, client.DescribeAccountSettings());
  });
  CLI::App* const update = account->add_subcommand(
      "update-account-settings", "change the settings of all streams");
  update->footer(
      "\nExamples:\n  trireme account update-account-settings "
      "--minimum-throughput-billing-commitment ENABLED\n");
  const auto status = std::make_shared<std::string>();
  update
      ->add_option("--minimum-throughput-billing-commitment", *status,
                   "ENABLED or DISABLED; allows warm throughput, for a day at "
                   "least")
      ->required()
      ->check(CLI::IsMember({"ENABLED", "DISABLED"}));
  RunWithClient(*update, session, [&session, status](client::Client& client) {
    return Show(session, client.UpdateAccountSettings(
                             *status == "ENABLED" ? Commitment::ENABLED
                                                  : Commitment::DISABLED));
  });
}

}  // namespace trireme::cli
