// What every command needs: the options given before or after it, the console,
// and a client made when it is first asked for. Lives as long as one run of
// the program; main thread.
#ifndef TRIREME_CLIENT_CLI_SESSION_H_
#define TRIREME_CLIENT_CLI_SESSION_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cli/console.h"
#include "client/client.h"

namespace trireme::cli {

class Session {
 public:
  // `interrupt` is Ctrl-C: it cancels the clients.
  Session(Console& console, client::Cancellation& interrupt)
      : console_(console), interrupt_(interrupt) {}

  // Errors: InvalidArgument for a malformed endpoint.
  absl::StatusOr<client::Client*> client();
  // Another one, which Ctrl-C does not cancel: for cleaning up.
  absl::StatusOr<std::unique_ptr<client::Client>> NewClient() const;

  // Prints the error and what to do about it, to programs as JSON; gives the
  // exit code.
  int Fail(const absl::Status& status);
  // For a command line that is formally right but makes no sense.
  int FailUsage(const std::string& message);

  Console& console() { return console_; }
  client::Cancellation& interrupt() { return interrupt_; }
  bool json() const { return output == "json"; }

  // Filled while the command line is parsed.
  std::vector<std::string> endpoints;
  std::string output = "table";
  absl::Duration timeout = absl::Seconds(30);
  std::vector<std::string> program;  // Behind `--`.
  std::function<int()> command;      // What to do; gives the exit code.

 private:
  void TellInJson(const std::string& operation, const std::string& code,
                  const std::string& message, absl::string_view hint);

  // Set at construction.
  Console& console_;
  client::Cancellation& interrupt_;

  std::unique_ptr<client::Client> client_;
  std::optional<client::Cancellation::Hook> on_interrupt_;
};

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_SESSION_H_
