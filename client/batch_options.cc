#include "client/batch_options.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "client/error.h"
#include "client/status_macros.h"

namespace trireme::client {
namespace {

absl::Status Refuse(absl::string_view message) {
  return MakeError(absl::StatusCode::kInvalidArgument,
                   "InvalidArgumentException", "MakeBatchProcessorFactory",
                   message);
}

absl::Status CheckNumber(absl::string_view name, int64_t value, int64_t min,
                         int64_t max) {
  if (value >= min && value <= max) return absl::OkStatus();
  return Refuse(
      absl::StrCat(name, " is ", value, "; it must be ", min, " to ", max));
}

absl::Status CheckDuration(absl::string_view name, absl::Duration value,
                           absl::Duration min, absl::Duration max) {
  if (value >= min && value <= max) return absl::OkStatus();
  return Refuse(absl::StrCat(name, " is ", absl::FormatDuration(value),
                             "; it must be ", absl::ToInt64Seconds(min), " to ",
                             absl::ToInt64Seconds(max), " s"));
}

absl::Status CheckTumblingWindow(const BatchOptions& options) {
  const absl::Duration length = options.tumbling_window;
  CLIENT_RETURN_IF_ERROR(CheckDuration("tumbling_window", length,
                                       absl::ZeroDuration(),
                                       BatchOptions::kTumblingWindowMax));
  if (length != absl::Trunc(length, absl::Seconds(1))) {
    return Refuse(absl::StrCat("tumbling_window is ",
                               absl::FormatDuration(length),
                               "; it must be whole seconds"));
  }
  if (length > absl::ZeroDuration() && options.parallelization_factor > 1) {
    return Refuse(absl::StrCat("parallelization_factor is ",
                               options.parallelization_factor,
                               "; with a tumbling_window it must be 1"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Validate(const BatchOptions& options) {
  CLIENT_RETURN_IF_ERROR(CheckNumber("batch_size", options.batch_size, 1,
                                     BatchOptions::kBatchSizeMax));
  if (options.batch_bytes_max < 1 ||
      options.batch_bytes_max > BatchOptions::kBatchBytesMax) {
    return Refuse(absl::StrCat("batch_bytes_max is ", options.batch_bytes_max,
                               "; it must be 1 to ",
                               BatchOptions::kBatchBytesMax));
  }
  CLIENT_RETURN_IF_ERROR(
      CheckDuration("batching_window", options.batching_window,
                    absl::ZeroDuration(), BatchOptions::kBatchingWindowMax));
  CLIENT_RETURN_IF_ERROR(CheckNumber("parallelization_factor",
                                     options.parallelization_factor, 1,
                                     BatchOptions::kParallelizationFactorMax));
  if (options.max_record_age != absl::InfiniteDuration()) {
    CLIENT_RETURN_IF_ERROR(CheckDuration(
        "max_record_age", options.max_record_age, BatchOptions::kRecordAgeMin,
        BatchOptions::kRecordAgeMax));
  }
  CLIENT_RETURN_IF_ERROR(CheckNumber("max_retry_attempts",
                                     options.max_retry_attempts, -1,
                                     BatchOptions::kRetryAttemptsMax));
  if (!options.now) return Refuse("now is not set; it must tell the time");
  return CheckTumblingWindow(options);
}

}  // namespace trireme::client
