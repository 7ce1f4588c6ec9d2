#include "client/cli/session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/string_view.h"
#include "client/cli/exit_code.h"
#include "client/cli/format.h"
#include "client/error.h"
#include "client/status_macros.h"

namespace trireme::cli {
namespace {

// What the reader of a message can do. The first that fits is told.
struct Hint {
  absl::string_view reason;
  absl::string_view call;  // Empty: any.
  absl::string_view text;  // Empty: the message says it all.
};
constexpr char kGroupsHint[] =
    "`trireme group list` shows the groups there are, with their streams; "
    "`trireme stream list` shows all streams";
constexpr char kWorkersHint[] =
    "stop its workers first; `trireme group describe STREAM GROUP` shows them";
const Hint kHints[] = {
    {client::kNotConnected, "",
     "is triremed running there? Start one with `triremed --dev`, or name "
     "another address with --endpoint HOST:PORT"},
    {client::kOutcomeUnknown, "",
     "look before you repeat it: the first attempt may have worked"},
    {"ResourceNotFoundException", "DeleteResourcePolicy", ""},
    {"ResourceNotFoundException", "DescribeConsumerGroup", kGroupsHint},
    {"ResourceNotFoundException", "ResetConsumerGroup", kGroupsHint},
    {"ResourceNotFoundException", "DeleteConsumerGroup", kGroupsHint},
    {"ResourceInUseException", "ResetConsumerGroup", kWorkersHint},
    {"ResourceInUseException", "DeleteConsumerGroup", kWorkersHint},
    {"ResourceNotFoundException", "",
     "`trireme stream list` shows the streams there are, `trireme shard list "
     "STREAM` their shards, `trireme consumer list STREAM` its consumers"},
    {"ResourceInUseException", "CreateStream",
     "the name is taken: `trireme stream list` shows the streams there are"},
    {"ResourceInUseException", "RegisterStreamConsumer",
     "`trireme consumer list STREAM` shows the consumers there are"},
    {"ResourceInUseException", "DeleteStream",
     "`trireme stream describe-stream-summary STREAM` shows its status, "
     "`trireme consumer list STREAM` its consumers: "
     "--enforce-consumer-deletion lets them go with it"},
    {"ResourceInUseException", "SubscribeToShard", ""},
    {"ResourceInUseException", "",
     "`trireme stream describe-stream-summary STREAM` shows its status; with "
     "--wait, a change is waited for"},
    {"NoLeader", "",
     "a group is electing a leader; try again in a second, or see `trireme "
     "cluster status`"},
};

absl::string_view HintOf(const absl::Status& status) {
  const std::string reason = client::Reason(status);
  const std::string call = client::FailedCall(status);
  for (const Hint& hint : kHints) {
    if (hint.reason != reason) continue;
    if (hint.call.empty() || hint.call == call) return hint.text;
  }
  // A limit that is told by name is no matter of time.
  if (absl::IsResourceExhausted(status) && reason != "LimitExceededException") {
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
  if (absl::IsInvalidArgument(status)) return kExitUsage;
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
  const std::string call = client::FailedCall(status);
  const std::string reason = client::Reason(status);
  const std::string message(status.message());
  const std::string code = absl::StatusCodeToString(status.code());
  const absl::string_view hint = HintOf(status);
  if (json()) {
    TellInJson(call, reason.empty() ? code : reason, message, hint);
    return CodeOf(status);
  }
  console_.err << "trireme: " << (call.empty() ? "" : call + ": ")
               << (reason.empty() ? "" : reason + ": ") << message << " ("
               << code << ")\n";
  if (!hint.empty()) console_.err << "  hint: " << hint << "\n";
  return CodeOf(status);
}

int Session::FailUsage(const std::string& message) {
  constexpr char kHint[] = "see `trireme --help`, or --help of the command";
  if (json()) {
    TellInJson("", "Usage", message, kHint);
  } else {
    console_.err << "trireme: " << message << "\n  hint: " << kHint << "\n";
  }
  return kExitUsage;
}

void Session::TellInJson(const std::string& operation, const std::string& code,
                         const std::string& message, absl::string_view hint) {
  Json error{{"Code", code}, {"Message", message}};
  if (!operation.empty()) error["Operation"] = operation;
  if (!hint.empty()) error["Hint"] = hint;
  console_.err << Dump({{"Error", error}}, true) << "\n";
}

}  // namespace trireme::cli
