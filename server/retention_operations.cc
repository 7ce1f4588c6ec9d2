#include "server/retention_operations.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/errors.h"
#include "storage/retention.h"
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

v1::Command MakeCommand(const Stream& stream, uint32_t hours) {
  v1::Command command;
  v1::UpdateRetentionCommand& update = *command.mutable_update_retention();
  update.set_stream_id(stream.id.value());
  update.set_retention_hours(hours);
  return command;
}

}  // namespace

void RetentionOperations::Increase(const RetentionPeriodRequest& request,
                                   absl::Duration timeout, StatusDone done) {
  absl::Status checked = CheckHours(request.retention_period_hours);
  if (!checked.ok()) return done(std::move(checked));
  const auto hours = static_cast<uint32_t>(request.retention_period_hours);
  changes_.Apply(
      request.stream, timeout,
      [hours](const Stream& stream) -> absl::StatusOr<v1::Command> {
        if (hours < stream.retention_hours) {
          return WrongDirection(stream, hours, "shorter",
                                "DecreaseRetentionPeriod");
        }
        return MakeCommand(stream, hours);
      },
      std::move(done));
}

void RetentionOperations::Decrease(const RetentionPeriodRequest& request,
                                   absl::Duration timeout, StatusDone done) {
  absl::Status checked = CheckHours(request.retention_period_hours);
  if (!checked.ok()) return done(std::move(checked));
  const auto hours = static_cast<uint32_t>(request.retention_period_hours);
  changes_.Apply(
      request.stream, timeout,
      [hours](const Stream& stream) -> absl::StatusOr<v1::Command> {
        if (hours > stream.retention_hours) {
          return WrongDirection(stream, hours, "longer",
                                "IncreaseRetentionPeriod");
        }
        return MakeCommand(stream, hours);
      },
      std::move(done));
}

}  // namespace trireme
