// trireme stream increase-retention-period | decrease-retention-period
#include <memory>
#include <string>

#include "client/cli/commands.h"
#include "client/cli/format.h"
#include "client/cli/stream_change.h"

namespace trireme::cli {
namespace {

struct Options {
  std::string stream;
  int hours = 0;
  bool wait = false;
};
using Change = absl::Status (client::Client::*)(absl::string_view, int);

void Add(CLI::App& stream, Session& session, const std::string& name,
         const std::string& help, const std::string& example, Change change) {
  const auto options = std::make_shared<Options>();
  CLI::App* const app = stream.add_subcommand(name, help);
  app->footer("\nExamples:\n  " + example + "\n");
  app->add_option("STREAM", options->stream, "the stream's name")->required();
  app->add_option("--hours,--retention-period-hours", options->hours,
                  "how long it keeps its records")
      ->required()
      ->check(InRange(24, 8'760));
  app->add_flag("--wait", options->wait, "until the stream is ACTIVE again");
  RunWithClient(
      *app, session, [&session, options, change](client::Client& client) {
        return ConcludeChange(session, client, options->stream, options->wait,
                              (client.*change)(options->stream, options->hours),
                              {{"RetentionPeriodHours", options->hours}});
      });
}

}  // namespace

void AddRetentionCommands(CLI::App& app, Session& session) {
  CLI::App& stream = *app.get_subcommand("stream");
  Add(stream, session, "increase-retention-period",
      "keep a stream's records for longer",
      "trireme stream increase-retention-period orders --hours 168 --wait",
      &client::Client::IncreaseRetentionPeriod);
  Add(stream, session, "decrease-retention-period",
      "keep a stream's records for less long",
      "trireme stream decrease-retention-period orders --hours 24 --wait",
      &client::Client::DecreaseRetentionPeriod);
}

}  // namespace trireme::cli
