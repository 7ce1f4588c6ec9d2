// What the program's exit says. Part of its interface (`trireme --help`).
#ifndef TRIREME_CLIENT_CLI_EXIT_CODE_H_
#define TRIREME_CLIENT_CLI_EXIT_CODE_H_

namespace trireme::cli {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,       // The operation failed; or a check did not hold.
  kExitUsage = 2,        // The command line is wrong.
  kExitNotFound = 3,     // No such stream or shard.
  kExitUnavailable = 4,  // No node answered in time.
  kExitPartial = 5,      // Some records were written, some were not.
  kExitInterrupted = 130,
};

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_EXIT_CODE_H_
