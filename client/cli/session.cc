#include "client/cli/session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/exit_code.h"
#include "client/error.h"
#include "client/status_macros.h"

namespace trireme::cli {
namespace {

// What the reader of the message can do; empty when the message says it all.
std::string Hint(const absl::Status& status) {
  const std::string reason = client::Reason(status);
  if (reason == client::kNotConnected) {
    return "is triremed running there? Start one with `triremed --dev`, or "
           "name another address with --endpoint HOST:PORT";
  }
  if (reason == client::kOutcomeUnknown) {
    return "look before you repeat it: the first attempt may have worked";
  }
  if (reason == "ResourceNotFoundException") {
    return "`trireme stream list` shows the streams there are, `trireme shard "
           "list STREAM` their shards, `trireme consumer list STREAM` its "
           "consumers";
  }
  if (reason == "ResourceInUseException") {
    return "the name is taken, the stream is still changing, or it is in use: "
           "`trireme stream list` shows its status, `trireme consumer list "
           "STREAM` its consumers";
  }
  if (reason == "NoLeader") {
    return "a group is electing a leader; try again in a second, or see "
           "`trireme cluster status`";
  }
  if (reason == "LimitExceededException") {
    return "ask for less, delete what is not needed, or wait until what was "
           "begun is done";
  }
  if (absl::IsResourceExhausted(status)) {
    return "the cluster is busy; try again, or allow more time with --timeout";
  }
  if (absl::IsDeadlineExceeded(status)) {
    return "allow more time with --timeout, or see `trireme cluster status`";
  }
  return "";
}

int CodeOf(const absl::Status& status) {
  if (absl::IsNotFound(status)) return kExitNotFound;
  if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) {
    return kExitUnavailable;
  }
  // Without a reason the server has not seen it: the command line was wrong.
  if (absl::IsInvalidArgument(status) && client::Reason(status).empty()) {
    return kExitUsage;
  }
  return kExitFailed;
}

}  // namespace

absl::StatusOr<std::unique_ptr<client::Client>> Session::NewClient() const {
  client::ClientOptions options;
  if (!endpoints.empty()) options.endpoints = endpoints;
  options.timeout = timeout;
  options.connect_timeout = std::min(timeout, options.connect_timeout);
  // Whoever waits for an answer at a prompt wants to know at once.
  options.refused_timeout = absl::ZeroDuration();
  return client::Client::Create(std::move(options));
}

absl::StatusOr<client::Client*> Session::client() {
  if (client_ == nullptr) {
    CLIENT_ASSIGN_OR_RETURN(client_, NewClient());
    on_interrupt_.emplace(interrupt_, [this] { client_->Cancel(); });
  }
  return client_.get();
}

int Session::Fail(const absl::Status& status) {
  if (interrupt_.cancelled()) {
    console_.err << "trireme: interrupted\n";
    return kExitInterrupted;
  }
  console_.err << "trireme: ";
  if (const std::string call = client::FailedCall(status); !call.empty()) {
    console_.err << call << ": ";
  }
  if (const std::string reason = client::Reason(status); !reason.empty()) {
    console_.err << reason << ": ";
  }
  console_.err << std::string(status.message()) << " ("
               << absl::StatusCodeToString(status.code()) << ")\n";
  if (const std::string hint = Hint(status); !hint.empty()) {
    console_.err << "  hint: " << hint << "\n";
  }
  return CodeOf(status);
}

int Session::FailUsage(const std::string& message) {
  console_.err << "trireme: " << message << "\n"
               << "  hint: see `trireme --help`, or --help of the command\n";
  return kExitUsage;
}

}  // namespace trireme::cli
