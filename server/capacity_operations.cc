#include "server/capacity_operations.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/limits.h"
#include "storage/errors.h"
#include "storage/status_macros.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

absl::Status OnlyOnDemand(absl::string_view stream_name, absl::string_view what,
                          const Account& account) {
  return MakeError(
      ErrorReason::kInvalidArgument,
      absl::StrCat("Stream ", stream_name, " under account ", account.id,
                   " is in Provisioned mode, and only on-demand streams have ",
                   what));
}

}  // namespace

void CheckWarmThroughput(std::optional<int32_t> mibps, Violations* violations) {
  if (!mibps.has_value()) return;
  violations->CheckRange("warmThroughputMiBps", *mibps, 0, kWarmMibpsMax);
}

absl::Status CheckCommitment(const Catalog& catalog, absl::Time now) {
  if (IsOn(catalog.account().commitment, now)) return absl::OkStatus();
  return MakeError(ErrorReason::kInvalidArgument,
                   "WarmThroughputMiBps needs the account's minimum throughput "
                   "billing commitment; enable it with UpdateAccountSettings");
}

absl::Status CheckMode(const Stream& stream, StreamMode mode,
                       const Account& account) {
  if (stream.mode == mode) return absl::OkStatus();
  return MakeError(
      ErrorReason::kValidation,
      absl::StrCat(
          "Request is invalid. Stream ", stream.name, " under account ",
          account.id, " is in ",
          stream.mode == StreamMode::kOnDemand ? "On-Demand" : "Provisioned",
          " mode."));
}

void CapacityOperations::UpdateStreamMode(
    const UpdateStreamModeRequest& request, absl::Duration timeout,
    StatusDone done) {
  Violations violations;
  CheckWarmThroughput(request.warm_mibps, &violations);
  if (!violations.empty()) return done(violations.ToStatus());
  changes_.Apply(
      request.stream, timeout,
      [this, mode = request.mode, warm = request.warm_mibps](
          const Stream& stream) { return PlanMode(stream, mode, warm); },
      std::move(done));
}

absl::StatusOr<v1::Command> CapacityOperations::PlanMode(
    const Stream& stream, StreamMode mode, std::optional<int32_t> warm) const {
  const Account& account = router_->account();
  if (mode == StreamMode::kProvisioned) {
    if (warm.has_value()) {
      return OnlyOnDemand(stream.name, "warm throughput", account);
    }
    if (stream.distribution == RecordDistribution::kAuto) {
      return MakeError(
          ErrorReason::kInvalidArgument,
          absl::StrCat("Stream ", stream.name, " under account ", account.id,
                       " has the record distribution strategy AUTO, which only "
                       "on-demand streams have; set USER_PARTITION_KEY first"));
    }
  }
  if (warm.has_value()) {
    RETURN_IF_ERROR(CheckCommitment(router_->catalog(), clock_->WallNow()));
  }
  v1::Command command;
  v1::ChangeCapacityCommand& change = *command.mutable_change_capacity();
  change.set_stream_id(stream.id.value());
  change.set_mode(static_cast<uint32_t>(mode));
  if (warm.has_value()) change.set_warm_mibps(static_cast<uint32_t>(*warm));
  change.set_on_demand_streams_max(kOnDemandStreamsMax);
  change.set_times_a_day_max(rates_->DailyMax(stream, DailyChange::kMode));
  return command;
}

void CapacityOperations::UpdateWarmThroughput(
    const UpdateWarmThroughputRequest& request, absl::Duration timeout,
    Done<UpdateWarmThroughputResponse> done) {
  Violations violations;
  CheckWarmThroughput(request.warm_mibps, &violations);
  if (!violations.empty()) return done(violations.ToStatus());
  const int32_t warm = request.warm_mibps;
  changes_.Change(
      request.stream, timeout,
      [this, warm](const Stream& stream) { return PlanWarm(stream, warm); },
      [warm,
       done = std::move(done)](absl::StatusOr<ChangedStream> changed) mutable {
        if (!changed.ok()) return done(changed.status());
        const WarmThroughput before =
            changed->before->warm.value_or(WarmThroughput());
        done(UpdateWarmThroughputResponse{
            std::move(changed->before),
            {static_cast<uint32_t>(warm), before.current_mibps}});
      });
}

absl::StatusOr<v1::Command> CapacityOperations::PlanWarm(const Stream& stream,
                                                         int32_t warm) const {
  RETURN_IF_ERROR(CheckMode(stream, StreamMode::kOnDemand, router_->account()));
  RETURN_IF_ERROR(CheckCommitment(router_->catalog(), clock_->WallNow()));
  v1::Command command;
  v1::ChangeCapacityCommand& change = *command.mutable_change_capacity();
  change.set_stream_id(stream.id.value());
  change.set_warm_mibps(static_cast<uint32_t>(warm));
  return command;
}

void CapacityOperations::UpdateRecordDistribution(
    const UpdateRecordDistributionRequest& request, absl::Duration timeout,
    StatusDone done) {
  changes_.Apply(
      request.stream, timeout,
      [this, distribution = request.distribution](
          const Stream& stream) -> absl::StatusOr<v1::Command> {
        if (distribution == RecordDistribution::kAuto &&
            stream.mode != StreamMode::kOnDemand) {
          return OnlyOnDemand(stream.name,
                              "the record distribution strategy AUTO",
                              router_->account());
        }
        v1::Command command;
        v1::UpdateStreamSettingsCommand& update =
            *command.mutable_update_stream_settings();
        update.set_stream_id(stream.id.value());
        update.set_distribution(static_cast<uint32_t>(distribution));
        return command;
      },
      std::move(done));
}

}  // namespace trireme
