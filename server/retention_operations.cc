#include "server/retention_operations.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/errors.h"
#include "storage/retention.h"
#include "storage/status_macros.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

absl::Status CheckHours(int32_t hours) {
  if (hours < static_cast<int32_t>(kRetentionHoursMin)) {
    return MakeError(
        ErrorReason::kInvalidArgument,
        absl::StrCat("Minimum allowed retention period is ", kRetentionHoursMin,
                     " hours. Requested retention period (", hours,
                     " hours) is too short."));
  }
  if (hours > static_cast<int32_t>(kRetentionHoursMax)) {
    return MakeError(
        ErrorReason::kInvalidArgument,
        absl::StrCat("Maximum allowed retention period is ", kRetentionHoursMax,
                     " hours. Requested retention period (", hours,
                     " hours) is too long."));
  }
  return absl::OkStatus();
}

absl::Status WrongDirection(const Stream& stream, uint32_t hours,
                            absl::string_view comparison,
                            absl::string_view other) {
  return MakeError(
      ErrorReason::kInvalidArgument,
      absl::StrCat("Requested retention period (", hours, " hours) for stream ",
                   stream.name, " can not be ", comparison,
                   " than existing retention period (", stream.retention_hours,
                   " hours). Use ", other, " API."));
}

}  // namespace

void RetentionOperations::Increase(const RetentionPeriodRequest& request,
                                   absl::Duration timeout, StatusDone done) {
  Change(
      request, timeout,
      [](const Stream& stream, uint32_t hours) {
        if (hours >= stream.retention_hours) return absl::OkStatus();
        return WrongDirection(stream, hours, "shorter",
                              "DecreaseRetentionPeriod");
      },
      std::move(done));
}

void RetentionOperations::Decrease(const RetentionPeriodRequest& request,
                                   absl::Duration timeout, StatusDone done) {
  Change(
      request, timeout,
      [](const Stream& stream, uint32_t hours) {
        if (hours <= stream.retention_hours) return absl::OkStatus();
        return WrongDirection(stream, hours, "longer",
                              "IncreaseRetentionPeriod");
      },
      std::move(done));
}

void RetentionOperations::Change(const RetentionPeriodRequest& request,
                                 absl::Duration timeout,
                                 CheckDirection check_direction,
                                 StatusDone done) {
  absl::Status checked = CheckHours(request.retention_period_hours);
  if (!checked.ok()) return done(std::move(checked));
  changes_.Apply(
      request.stream, timeout,
      [hours = static_cast<uint32_t>(request.retention_period_hours),
       check_direction](const Stream& stream) -> absl::StatusOr<v1::Command> {
        RETURN_IF_ERROR(check_direction(stream, hours));
        v1::Command command;
        v1::UpdateRetentionCommand& update =
            *command.mutable_update_retention();
        update.set_stream_id(stream.id.value());
        update.set_retention_hours(hours);
        return command;
      },
      std::move(done));
}

}  // namespace trireme
