// What a failed call tells a program: the absl::Status has gRPC's code and the
// server's message; the service's name of the error, the call and the server's
// retry hint travel as payloads and are read by the functions below
// (proto/trireme/v1/records.proto, "Errors").
#ifndef TRIREME_CLIENT_ERROR_H_
#define TRIREME_CLIENT_ERROR_H_

#include <grpcpp/support/status.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace trireme::client {

// Reasons this library gives itself; the others are the server's.
inline constexpr char kNotConnected[] = "NotConnected";  // Nothing was sent.
inline constexpr char kOutcomeUnknown[] = "OutcomeUnknown";
inline constexpr char kCancelled[] = "Cancelled";  // By Client::Cancel.
// A record's time to live was over; it was not written.
inline constexpr char kExpired[] = "Expired";
// TryPut found no room; nothing was taken.
inline constexpr char kProducerFull[] = "ProducerFull";

// `call` is the operation's name, e.g. "PutRecord".
absl::Status FromGrpc(const grpc::Status& status, absl::string_view call);

absl::Status MakeError(absl::StatusCode code, absl::string_view reason,
                       absl::string_view call, absl::string_view message);

// Empty when the status does not say.
std::string Reason(const absl::Status& status);
std::string FailedCall(const absl::Status& status);
std::optional<absl::Duration> RetryDelay(const absl::Status& status);

// The same failure of a write of which nobody knows if it took place.
absl::Status AsOutcomeUnknown(const absl::Status& status);

// How a failed attempt of any call leaves the matter.
enum class Failure {
  kNotDone,  // Nothing happened; the same call may succeed later.
  kUnknown,  // It may have happened.
  kRefused,  // It did not happen and the same call would fail again.
};
Failure Classify(const absl::Status& status);

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_ERROR_H_
