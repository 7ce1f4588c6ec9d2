#include "client/error.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"

namespace trireme::client {
namespace {

constexpr char kReasonUrl[] = "trireme.dev/reason";
constexpr char kCallUrl[] = "trireme.dev/call";
constexpr char kRetryUrl[] = "trireme.dev/retry";

std::string Payload(const absl::Status& status, const char* url) {
  const auto payload = status.GetPayload(url);
  return payload.has_value() ? std::string(*payload) : std::string();
}

void AddDetails(const std::string& serialized, absl::Status& to) {
  google::rpc::Status details;
  if (!details.ParseFromString(serialized)) return;
  for (const google::protobuf::Any& any : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::RetryInfo retry;
    if (any.UnpackTo(&info)) {
      to.SetPayload(kReasonUrl, absl::Cord(info.reason()));
    } else if (any.UnpackTo(&retry)) {
      const absl::Duration delay =
          absl::Seconds(retry.retry_delay().seconds()) +
          absl::Nanoseconds(retry.retry_delay().nanos());
      to.SetPayload(kRetryUrl, absl::Cord(absl::FormatDuration(delay)));
    }
  }
}

}  // namespace

absl::Status FromGrpc(const grpc::Status& status, absl::string_view call) {
  if (status.ok()) return absl::OkStatus();
  // gRPC's codes and Abseil's are the same canonical ones.
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()),
                      status.error_message());
  result.SetPayload(kCallUrl, absl::Cord(call));
  AddDetails(status.error_details(), result);
  return result;
}

absl::Status MakeError(absl::StatusCode code, absl::string_view reason,
                       absl::string_view call, absl::string_view message) {
  absl::Status result(code, message);
  result.SetPayload(kReasonUrl, absl::Cord(reason));
  result.SetPayload(kCallUrl, absl::Cord(call));
  return result;
}

std::string Reason(const absl::Status& status) {
  return Payload(status, kReasonUrl);
}

std::string FailedCall(const absl::Status& status) {
  return Payload(status, kCallUrl);
}

std::optional<absl::Duration> RetryDelay(const absl::Status& status) {
  absl::Duration delay;
  if (!absl::ParseDuration(Payload(status, kRetryUrl), &delay)) {
    return std::nullopt;
  }
  return delay;
}

absl::Status AsOutcomeUnknown(const absl::Status& status) {
  if (Reason(status) == kOutcomeUnknown) return status;
  return MakeError(
      absl::StatusCode::kDeadlineExceeded, kOutcomeUnknown, FailedCall(status),
      absl::StrCat("it may or may not have been done: ", status.message()));
}

Failure Classify(const absl::Status& status) {
  const std::string reason = Reason(status);
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      // Typed ones come from a server that wrote nothing; the others from a
      // connection that broke under a call.
      return reason.empty() ? Failure::kUnknown : Failure::kNotDone;
    case absl::StatusCode::kResourceExhausted:
      // Without a type it is gRPC's own limit on message sizes.
      if (reason.empty()) return Failure::kRefused;
      if (reason == "LimitExceededException" && !RetryDelay(status)) {
        return Failure::kRefused;
      }
      return Failure::kNotDone;
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kAborted:
      return Failure::kUnknown;
    default:
      return Failure::kRefused;
  }
}

}  // namespace trireme::client
