// The command line of triremed.
#ifndef TRIREME_SERVER_FLAGS_H_
#define TRIREME_SERVER_FLAGS_H_

#include <string>
#include <variant>

namespace trireme {

struct DaemonFlags {
  bool dev = false;    // Three nodes in this process.
  std::string config;  // Else: the configuration file of one node.
  std::string data_dir = "trireme-dev";   // With --dev.
  std::string listen = "127.0.0.1:7420";  // With --dev.
  // With --dev, where AWS clients connect; "none": nowhere.
  std::string kinesis_listen = "127.0.0.1:4567";
  std::string access_keys;      // With --dev: a file of who may; empty: anyone.
  std::string limits = "none";  // With --dev; or kinesis.
  bool insecure = false;        // Plaintext beyond this machine.
  std::string log_level;        // Empty: the configuration's, or info.
};

// The flags, or the exit code when there is nothing to run: help or the
// version was asked for, or the command line was wrong (which was told).
std::variant<DaemonFlags, int> ParseFlags(int argc, const char* const* argv,
                                          const std::string& version);

}  // namespace trireme

#endif  // TRIREME_SERVER_FLAGS_H_
