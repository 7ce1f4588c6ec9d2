#include "client/cli/commands.h"
namespace trireme::cli {
void AddDemoCommand(CLI::App&, Session&) {}
}  // namespace trireme::cli
