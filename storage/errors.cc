#include "storage/errors.h"

#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/check.h"

namespace trireme {
namespace {

constexpr char kPayloadUrl[] = "trireme.dev/ErrorReason";
constexpr char kRetryUrl[] = "trireme.dev/RetryAfterMillis";

struct ReasonRow {
  ErrorReason reason;
  absl::StatusCode code;
  absl::string_view name;
};

constexpr ReasonRow kReasons[] = {
    {ErrorReason::kNone, absl::StatusCode::kUnknown, "Unknown"},
    {ErrorReason::kResourceNotFound, absl::StatusCode::kNotFound,
     "ResourceNotFoundException"},
    {ErrorReason::kResourceInUse, absl::StatusCode::kFailedPrecondition,
     "ResourceInUseException"},
    {ErrorReason::kLimitExceeded, absl::StatusCode::kResourceExhausted,
     "LimitExceededException"},
    {ErrorReason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
     "InvalidArgumentException"},
    {ErrorReason::kValidation, absl::StatusCode::kInvalidArgument,
     "ValidationException"},
    {ErrorReason::kProvisionedThroughputExceeded,
     absl::StatusCode::kResourceExhausted,
     "ProvisionedThroughputExceededException"},
    {ErrorReason::kExpiredIterator, absl::StatusCode::kInvalidArgument,
     "ExpiredIteratorException"},
    {ErrorReason::kExpiredNextToken, absl::StatusCode::kInvalidArgument,
     "ExpiredNextTokenException"},
    {ErrorReason::kInternalFailure, absl::StatusCode::kInternal,
     "InternalFailureException"},
    {ErrorReason::kOverloaded, absl::StatusCode::kResourceExhausted,
     "Overloaded"},
    {ErrorReason::kNoLeader, absl::StatusCode::kUnavailable, "NoLeader"},
    {ErrorReason::kOutcomeUnknown, absl::StatusCode::kDeadlineExceeded,
     "OutcomeUnknown"},
    {ErrorReason::kDiskFull, absl::StatusCode::kResourceExhausted, "DiskFull"},
    {ErrorReason::kShardSealed, absl::StatusCode::kFailedPrecondition,
     "ShardSealed"},
    {ErrorReason::kNodeStarting, absl::StatusCode::kUnavailable,
     "NodeStarting"},
    {ErrorReason::kDryRunOperation, absl::StatusCode::kFailedPrecondition,
     "DryRunOperationException"},
    {ErrorReason::kProducerFenced, absl::StatusCode::kFailedPrecondition,
     "ProducerFencedException"},
    {ErrorReason::kStaleProducerNumber, absl::StatusCode::kFailedPrecondition,
     "StaleProducerNumberException"},
    {ErrorReason::kWorkerExpired, absl::StatusCode::kFailedPrecondition,
     "WorkerExpiredException"},
    {ErrorReason::kLeaseLost, absl::StatusCode::kFailedPrecondition,
     "LeaseLostException"},
    {ErrorReason::kWorkerReplaced, absl::StatusCode::kFailedPrecondition,
     "WorkerReplacedException"},
};

const ReasonRow& RowOf(ErrorReason reason) {
  const auto row = static_cast<size_t>(reason);
  CHECK(row < std::size(kReasons), "unknown error reason");
  return kReasons[row];
}

}  // namespace

bool IsErrorReason(uint32_t number) { return number < std::size(kReasons); }

absl::string_view ErrorReasonName(ErrorReason reason) {
  return RowOf(reason).name;
}

absl::Status MakeError(ErrorReason reason, absl::string_view message) {
  absl::Status status(RowOf(reason).code, message);
  status.SetPayload(kPayloadUrl,
                    absl::Cord(std::string(1, static_cast<char>(reason))));
  return status;
}

ErrorReason ReasonOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayloadUrl);
  if (!payload.has_value() || payload->size() != 1) return ErrorReason::kNone;
  return static_cast<ErrorReason>(std::string(*payload)[0]);
}

absl::Status WithRetryAfter(absl::Status status, absl::Duration after) {
  // Rounded up: an instant too early is refused again.
  const int64_t millis =
      absl::ToInt64Milliseconds(absl::Ceil(after, absl::Milliseconds(1)));
  status.SetPayload(kRetryUrl, absl::Cord(absl::StrCat(millis)));
  return status;
}

std::optional<absl::Duration> RetryAfterOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryUrl);
  int64_t millis = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &millis))
    return std::nullopt;
  return absl::Milliseconds(millis);
}

}  // namespace trireme
