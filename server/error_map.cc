#include "server/error_map.h"

#include <atomic>

#include "absl/strings/str_cat.h"
#include "spdlog/spdlog.h"
#include "storage/clock.h"
#include "storage/errors.h"

namespace trireme {
namespace {

// How long a client should wait before it tries again; nullopt: that would
// not help, or is not safe.
std::optional<absl::Duration> RetryAfter(ErrorReason reason) {
  switch (reason) {
    case ErrorReason::kOverloaded:
      return absl::Milliseconds(100);
    case ErrorReason::kProvisionedThroughputExceeded:
      return absl::Seconds(1);
    case ErrorReason::kNoLeader:
      return absl::Milliseconds(200);  // An election takes about a second.
    case ErrorReason::kNodeStarting:
      return absl::Seconds(1);
    case ErrorReason::kDiskFull:
      return absl::Seconds(5);
    default:
      return std::nullopt;
  }
}

// A client is not told of a node's files; its log is, once a second at most.
std::string WithholdInternals(const absl::Status& status) {
  static std::atomic<int64_t> logged_s{-1};
  const int64_t now_s =
      absl::ToInt64Seconds(SystemClock::Get()->MonotonicNow());
  if (logged_s.exchange(now_s) != now_s) {
    spdlog::error("a call failed: {}", status.ToString());
  }
  return absl::StrCat(absl::IsDataLoss(status)
                          ? "what this node has of it is damaged"
                          : "this node failed to do it",
                      "; its log says more, and another node may be able to");
}

// Errors that carry no reason of ours: of a library, of the caller's leaving.
ErrorDescription DescribeUntyped(const absl::Status& status) {
  ErrorDescription error;
  error.message = std::string(status.message());
  switch (status.code()) {
    case absl::StatusCode::kCancelled:
      error.code = absl::StatusCode::kCancelled;
      error.reason = "Cancelled";
      return error;
    case absl::StatusCode::kDeadlineExceeded:
      error.code = absl::StatusCode::kDeadlineExceeded;
      error.reason = std::string(ErrorReasonName(ErrorReason::kOutcomeUnknown));
      return error;
    case absl::StatusCode::kUnavailable:
      error.code = absl::StatusCode::kUnavailable;
      error.reason = "Unavailable";
      error.retry_after = absl::Milliseconds(200);
      return error;
    default:
      error.message = WithholdInternals(status);
      error.code = absl::StatusCode::kInternal;
      error.reason =
          std::string(ErrorReasonName(ErrorReason::kInternalFailure));
      return error;
  }
}

}  // namespace

ErrorDescription DescribeError(const absl::Status& status) {
  const ErrorReason reason = ReasonOf(status);
  if (reason == ErrorReason::kNone) return DescribeUntyped(status);
  ErrorDescription error;
  error.message = std::string(status.message());
  error.retry_after = RetryAfterOf(status);
  if (!error.retry_after.has_value()) error.retry_after = RetryAfter(reason);
  error.violations = ViolationsOf(status);
  if (reason == ErrorReason::kShardSealed) {
    // Puts re-route it; a client sees it only if every try met a new reshard.
    error.code = absl::StatusCode::kUnavailable;
    error.reason = std::string(ErrorReasonName(reason));
    error.retry_after = absl::Milliseconds(100);
    return error;
  }
  error.code = status.code();
  error.reason = std::string(ErrorReasonName(reason));
  return error;
}

RecordError DescribeRecordError(const absl::Status& status) {
  switch (ReasonOf(status)) {
    case ErrorReason::kProvisionedThroughputExceeded:
    case ErrorReason::kOverloaded:
    case ErrorReason::kNoLeader:
    case ErrorReason::kDiskFull:
    case ErrorReason::kShardSealed:
      // Nothing was written: the one code clients retry a record for.
      return {"ProvisionedThroughputExceededException",
              std::string(status.message())};
    case ErrorReason::kProducerFenced:
    case ErrorReason::kStaleProducerNumber:
    case ErrorReason::kLimitExceeded:
      return {std::string(ErrorReasonName(ReasonOf(status))),
              std::string(status.message())};
    default:
      return {"InternalFailure", absl::StrCat("Internal Service Failure: ",
                                              DescribeError(status).message)};
  }
}

}  // namespace trireme
