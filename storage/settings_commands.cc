#include "storage/settings_commands.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/tag_rows.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

CatalogDecision Put(std::shared_ptr<const Stream> stream) {
  CatalogDecision decision;
  decision.put = std::move(stream);
  return decision;
}

}  // namespace

CatalogDecision TagStream(const CatalogState& state,
                          const v1::TagStreamCommand& command) {
  auto stream = TakeActive(state, command.stream_id());
  if (!stream.ok()) return Refuse(stream.status());
  Tags& tags = (*stream)->tags;
  for (const std::string& key : command.remove_keys()) tags.erase(key);
  SetTags(command.add(), &tags);
  if (command.tags_max() > 0 && tags.size() > command.tags_max()) {
    return Refuse(
        ErrorReason::kInvalidArgument,
        absl::StrCat("stream ", (*stream)->name, " would have ", tags.size(),
                     " tags; the limit is ", command.tags_max()));
  }
  return Put(*std::move(stream));
}

CatalogDecision UpdateStreamSettings(
    const CatalogState& state, const v1::UpdateStreamSettingsCommand& command) {
  auto stream = TakeActive(state, command.stream_id());
  if (!stream.ok()) return Refuse(stream.status());
  if (command.has_record_bytes_max()) {
    (*stream)->record_bytes_max = command.record_bytes_max();
  }
  if (command.has_distribution()) {
    (*stream)->distribution =
        static_cast<RecordDistribution>(command.distribution() & 1);
  }
  if (absl::Status fits = CheckModeSettings(**stream); !fits.ok())
    return Refuse(std::move(fits));
  return Put(*std::move(stream));
}

CatalogDecision SetPolicy(const CatalogState& state,
                          const v1::SetPolicyCommand& command) {
  auto stream = command.consumer() == 0
                    ? TakeActive(state, command.stream_id())
                    : TakeLiving(state, command.stream_id());
  if (!stream.ok()) return Refuse(stream.status());
  std::string* policy = &(*stream)->policy;
  if (command.consumer() != 0) {
    const auto row = (*stream)->consumers.Find(command.consumer());
    if (row == (*stream)->consumers.by_name.end()) {
      return Refuse(
          ErrorReason::kResourceNotFound,
          absl::StrCat("stream ", (*stream)->name,
                       " has no consumer of number ", command.consumer()));
    }
    policy = &row->second.policy;
  }
  *policy = command.policy();
  return Put(*std::move(stream));
}

CatalogDecision ChangeMonitoring(const CatalogState& state,
                                 const v1::ChangeMonitoringCommand& command) {
  auto stream = TakeActive(state, command.stream_id());
  if (!stream.ok()) return Refuse(stream.status());
  ShardMetrics& metrics = (*stream)->shard_metrics;
  v1::ChangeMonitoringReply reply;
  reply.set_before(metrics.bits());
  metrics = metrics.With(ShardMetrics::FromBits(command.enable()))
                .Without(ShardMetrics::FromBits(command.disable()));
  reply.set_after(metrics.bits());
  CatalogDecision decision = Put(*std::move(stream));
  decision.reply = reply.SerializeAsString();
  return decision;
}

CatalogDecision ChangeEncryption(const CatalogState& state,
                                 const v1::ChangeEncryptionCommand& command,
                                 int64_t stamp_ms) {
  auto stream = TakeActive(state, command.stream_id());
  if (!stream.ok()) return Refuse(stream.status());
  absl::Status often =
      NoteDailyChange(command.key_id().empty() ? DailyChange::kEncryptionStop
                                               : DailyChange::kEncryptionStart,
                      command.times_a_day_max(), stamp_ms, (*stream)->name,
                      &(*stream)->daily_changes);
  if (!often.ok()) return Refuse(std::move(often));
  (*stream)->kms_key_id = command.key_id();
  (*stream)->status = StreamStatus::kUpdating;
  return Put(*std::move(stream));
}

CatalogDecision ChangeCapacity(const CatalogState& state,
                               const v1::ChangeCapacityCommand& command,
                               int64_t stamp_ms) {
  auto found = TakeActive(state, command.stream_id());
  if (!found.ok()) return Refuse(found.status());
  std::shared_ptr<Stream> stream = *std::move(found);
  const StreamMode before = stream->mode;
  const bool changes_mode =
      command.has_mode() &&
      static_cast<StreamMode>(command.mode() & 1) != stream->mode;
  if (!changes_mode && !command.has_warm_mibps()) return CatalogDecision();
  if (changes_mode) {
    absl::Status often =
        NoteDailyChange(DailyChange::kMode, command.times_a_day_max(), stamp_ms,
                        stream->name, &stream->daily_changes);
    if (!often.ok()) return Refuse(std::move(often));
    stream->mode = static_cast<StreamMode>(command.mode() & 1);
    if (stream->mode == StreamMode::kProvisioned) stream->warm.reset();
  }
  if (stream->mode == StreamMode::kOnDemand &&
      before == StreamMode::kProvisioned) {
    absl::Status room =
        CheckOnDemandRoom(state, command.on_demand_streams_max());
    if (!room.ok()) return Refuse(std::move(room));
  }
  if (command.has_warm_mibps()) {
    if (!stream->warm) stream->warm.emplace();
    stream->warm->target_mibps = command.warm_mibps();
  }
  if (absl::Status fits = CheckModeSettings(*stream); !fits.ok())
    return Refuse(std::move(fits));
  stream->status = StreamStatus::kUpdating;
  return Put(std::move(stream));
}

CatalogDecision UpdateAccountSettings(
    const CatalogState& state, const v1::UpdateAccountSettingsCommand& command,
    int64_t stamp_ms) {
  AccountSettings account = state.catalog.account();
  if (command.has_commitment()) {
    account.commitment = Changed(account.commitment, command.commitment(),
                                 absl::FromUnixMillis(stamp_ms));
  }
  CatalogDecision decision;
  decision.reply = EncodeAccount(account);
  decision.account = account;
  return decision;
}

}  // namespace trireme
