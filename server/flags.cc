#include "server/flags.h"

#include <CLI/CLI.hpp>

namespace trireme {

std::variant<DaemonFlags, int> ParseFlags(int argc, const char* const* argv,
                                          const std::string& version) {
  DaemonFlags flags;
  CLI::App app(
      "triremed: one node of a Trireme cluster, or a whole one on this "
      "machine.",
      "triremed");
  app.footer(
      "Examples:\n"
      "  triremed --dev                       a three-zone cluster, data in "
      "./trireme-dev\n"
      "  triremed --config zone-a.yaml        one node of a cluster");
  app.set_version_flag("--version", version);
  CLI::Option* const dev = app.add_flag(
      "--dev", flags.dev, "Run a real three-zone cluster in this process");
  CLI::Option* const config =
      app.add_option("--config", flags.config,
                     "Configuration file of this node (YAML)")
          ->check(CLI::ExistingFile)
          ->excludes(dev);
  app.add_option("--data-dir", flags.data_dir, "Where --dev keeps its data")
      ->capture_default_str()
      ->check([](const std::string& directory) {
        return directory.empty() ? "names no directory" : "";
      })
      ->needs(dev);
  app.add_option("--listen", flags.listen, "HOST:PORT that --dev listens on")
      ->capture_default_str()
      ->needs(dev);
  app.add_option("--kinesis-listen", flags.kinesis_listen,
                 "HOST:PORT where --dev takes AWS clients (SDKs, CLI, KCL, "
                 "KPL); none: nowhere")
      ->capture_default_str()
      ->needs(dev);
  app.add_option("--access-keys", flags.access_keys,
                 "File of the access keys that AWS clients of --dev must sign "
                 "with, a line each: ID SECRET. Without it any will do")
      ->check(CLI::ExistingFile)
      ->needs(dev);
  app.add_option("--limits", flags.limits,
                 "Rates that --dev holds callers to: none or kinesis")
      ->capture_default_str()
      ->check(CLI::IsMember({"none", "kinesis"}))
      ->needs(dev);
  app.add_flag("--insecure", flags.insecure,
               "Allow plaintext on an address other machines can reach");
  app.add_option("--log-level", flags.log_level,
                 "trace, debug, info, warn or error")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}));
  try {
    app.parse(argc, argv);
    if (!flags.dev && config->count() == 0) {
      throw CLI::RequiredError("--dev or --config");
    }
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return flags;
}

}  // namespace trireme
