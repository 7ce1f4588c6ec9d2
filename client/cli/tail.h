// Follows shards of a stream and prints what is pushed; `trireme tail` and
// `trireme get --follow`.
#ifndef TRIREME_CLIENT_CLI_TAIL_H_
#define TRIREME_CLIENT_CLI_TAIL_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "client/cli/session.h"

namespace trireme::cli {

struct TailOptions {
  std::string stream;
  std::string consumer;  // Name or ARN of a registered one. Empty: none.
  std::string shard;     // Empty: all, and those that split off.
  std::string from = "latest";
  uint64_t limit = 0;  // 0: none.
  bool deaggregate = false;
  // Ends when no record came for so long.
  absl::Duration idle_exit = absl::InfiniteDuration();
};

// Gives the exit code; Ctrl-C is a normal end.
int RunTail(Session& session, const TailOptions& options);

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_TAIL_H_
