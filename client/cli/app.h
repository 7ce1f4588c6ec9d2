// The whole program but for main: parses a command line and runs what it asks.
#ifndef TRIREME_CLIENT_CLI_APP_H_
#define TRIREME_CLIENT_CLI_APP_H_

#include <string>
#include <vector>

#include "client/cancellation.h"
#include "client/cli/console.h"

namespace trireme::cli {

// `arguments` without the program's name. Gives the exit code (exit_code.h).
// Throwing `interrupt` ends the command soon.
int RunTrireme(std::vector<std::string> arguments, Console& console,
               client::Cancellation& interrupt);

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_APP_H_
