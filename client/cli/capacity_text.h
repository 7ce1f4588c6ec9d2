// Modes, strategies and warm throughput on the command line: options that
// several commands have, and how they are shown.
#ifndef TRIREME_CLIENT_CLI_CAPACITY_TEXT_H_
#define TRIREME_CLIENT_CLI_CAPACITY_TEXT_H_

#include <CLI/CLI.hpp>
#include <string>

#include "client/cli/commands.h"
#include "client/cli/format.h"
#include "trireme/v1/settings.pb.h"

namespace trireme::cli {

inline CLI::Option* AddModeOption(CLI::App& app, std::string& mode) {
  return app
      .add_option("--stream-mode", mode,
                  "PROVISIONED: you say how many shards; ON_DEMAND: the "
                  "service does")
      ->check(CLI::IsMember({"PROVISIONED", "ON_DEMAND"}));
}
inline CLI::Option* AddDistributionOption(CLI::App& app,
                                          std::string& strategy) {
  return app
      .add_option("--record-distribution-strategy", strategy,
                  "USER_PARTITION_KEY: keys pick a record's shard; AUTO, on "
                  "demand only: the service does")
      ->check(CLI::IsMember({"USER_PARTITION_KEY", "AUTO"}));
}
inline CLI::Option* AddWarmThroughputOption(CLI::App& app, int& mibps) {
  return app
      .add_option("--warm-throughput-mibps", mibps,
                  "MiB a second that an on-demand stream is to be ready for")
      ->check(InRange(0, 10'240));
}

// Of what the options above took.
inline v1::StreamMode ParseMode(const std::string& text) {
  return text == "ON_DEMAND" ? v1::ON_DEMAND : v1::PROVISIONED;
}
inline v1::RecordDistributionStrategy ParseDistribution(
    const std::string& text) {
  if (text.empty()) return v1::RECORD_DISTRIBUTION_STRATEGY_UNSPECIFIED;
  return text == "AUTO" ? v1::AUTO : v1::USER_PARTITION_KEY;
}

inline Json ModeJson(const v1::StreamModeDetails& details) {
  return {{"StreamMode", v1::StreamMode_Name(details.stream_mode())}};
}

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_CAPACITY_TEXT_H_
