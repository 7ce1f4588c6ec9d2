#include "server/settings_operations.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/limits.h"
#include "server/tags.h"
#include "server/validation.h"
#include "storage/errors.h"
#include "storage/shard_metrics.h"
#include "storage/shard_places.h"
#include "storage/status_macros.h"
#include "storage/tag_rows.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

absl::StatusOr<v1::Command> PlanTags(const Stream& stream, const Tags& tags,
                                     const Account& account) {
  Tags all = tags;
  all.insert(stream.tags.begin(), stream.tags.end());
  RETURN_IF_ERROR(CheckTagCount(all.size(), "stream", stream.name, account));
  v1::Command command;
  v1::TagStreamCommand& tag = *command.mutable_tag_stream();
  tag.set_stream_id(stream.id.value());
  tag.set_tags_max(kTagsMax);
  AppendTags(tags, tag.mutable_add());
  return command;
}

ListTagsResponse PageOfTags(const Tags& tags, absl::string_view after,
                            size_t limit) {
  ListTagsResponse page;
  for (auto tag = tags.upper_bound(std::string(after)); tag != tags.end();
       ++tag) {
    page.has_more_tags = page.tags.size() == limit;
    if (page.has_more_tags) break;
    page.tags.insert(*tag);
  }
  return page;
}

absl::StatusOr<ShardMetrics> ParseMetrics(
    const std::vector<absl::string_view>& names) {
  Violations violations;
  violations.CheckLength("shardLevelMetrics",
                         absl::StrCat("[", absl::StrJoin(names, ", "), "]"),
                         names.size(), 1, kShardMetricsOfRequestMax);
  ShardMetrics metrics;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::optional<ShardMetrics> metric = ShardMetrics::Parse(names[i]);
    if (metric.has_value()) {
      metrics = metrics.With(*metric);
      continue;
    }
    violations.AddEnum(absl::StrCat("shardLevelMetrics.", i + 1, ".member"),
                       names[i], ShardMetrics::AllNames());
  }
  RETURN_IF_ERROR(violations.ToStatus());
  return metrics;
}

absl::Status CheckEncryption(const EncryptionRequest& request) {
  Violations violations;
  violations.CheckLength("keyId", request.key_id,
                         Utf8Characters(request.key_id), 1,
                         kKeyIdCharactersMax);
  RETURN_IF_ERROR(violations.ToStatus());
  if (request.is_kms) return absl::OkStatus();
  return MakeError(ErrorReason::kInvalidArgument,
                   "EncryptionType NONE is not one that a stream is encrypted "
                   "with; the only one is KMS");
}

}  // namespace

void SettingsOperations::UpdateMaxRecordSize(
    const UpdateMaxRecordSizeRequest& request, absl::Duration timeout,
    StatusDone done) {
  Violations violations;
  violations.CheckRange("maxRecordSizeInKiB", request.max_record_size_in_kib,
                        kStreamRecordKibMaxLow, kStreamRecordKibMaxHigh);
  if (!violations.empty()) return done(violations.ToStatus());
  const auto kib = static_cast<uint64_t>(request.max_record_size_in_kib);
  changes_.Apply(
      request.stream, timeout,
      [kib](const Stream& stream) {
        v1::Command command;
        v1::UpdateStreamSettingsCommand& update =
            *command.mutable_update_stream_settings();
        update.set_stream_id(stream.id.value());
        update.set_record_bytes_max(kib * 1024);
        return command;
      },
      std::move(done));
}

void SettingsOperations::DescribeLimits(absl::Duration timeout,
                                        Done<DescribeLimitsResponse> done) {
  router_->Refresh(
      timeout, [this, done = std::move(done)](absl::Status status) mutable {
        if (!status.ok()) return done(std::move(status));
        DescribeLimitsResponse response;
        response.shard_limit = kShardsMax;
        response.open_shard_count =
            ShardPlaces(router_->catalog().OpenShardsByGroup(group_count_))
                .shard_count();
        response.on_demand_stream_count =
            router_->catalog().on_demand_stream_count();
        response.on_demand_stream_count_limit = kOnDemandStreamsMax;
        done(response);
      });
}

void SettingsOperations::AddTags(const AddTagsRequest& request,
                                 absl::Duration timeout, StatusDone done) {
  Violations violations;
  CheckTags(request.tags, &violations);
  if (!violations.empty()) return done(violations.ToStatus());
  absl::Status free = CheckTagKeysAreFree(request.tags);
  if (!free.ok()) return done(std::move(free));
  changes_.Apply(
      request.stream, timeout,
      [this, tags = request.tags](const Stream& stream) {
        return PlanTags(stream, tags, router_->account());
      },
      std::move(done));
}

void SettingsOperations::RemoveTags(const RemoveTagsRequest& request,
                                    absl::Duration timeout, StatusDone done) {
  Violations violations;
  CheckTagKeys(request.keys, &violations);
  if (!violations.empty()) return done(violations.ToStatus());
  changes_.Apply(
      request.stream, timeout,
      [keys = request.keys](const Stream& stream) {
        v1::Command command;
        v1::TagStreamCommand& tag = *command.mutable_tag_stream();
        tag.set_stream_id(stream.id.value());
        for (const std::string& key : keys) tag.add_remove_keys(key);
        return command;
      },
      std::move(done));
}

void SettingsOperations::ListTags(const ListTagsRequest& request,
                                  absl::Duration timeout,
                                  Done<ListTagsResponse> done) {
  Violations violations;
  if (request.limit != 0) {
    violations.CheckRange("limit", request.limit, 1,
                          static_cast<int64_t>(kTagsMax));
  }
  violations.CheckLength(
      "exclusiveStartTagKey", request.exclusive_start_tag_key,
      Utf8Characters(request.exclusive_start_tag_key), 0, kTagKeyCharactersMax);
  if (!violations.empty()) return done(violations.ToStatus());
  const absl::StatusOr<StreamRef> ref =
      ResolveStream(request.stream, router_->account());
  if (!ref.ok()) return done(ref.status());
  const size_t limit =
      request.limit == 0 ? kTagsMax : static_cast<size_t>(request.limit);
  router_->FindFresh(
      *ref, timeout,
      [after = std::string(request.exclusive_start_tag_key), limit,
       done = std::move(done)](absl::StatusOr<StreamPtr> stream) mutable {
        if (!stream.ok()) return done(stream.status());
        done(PageOfTags((*stream)->tags, after, limit));
      });
}

void SettingsOperations::ChangeEnhancedMonitoring(
    const MonitoringRequest& request, absl::Duration timeout,
    Done<MonitoringResponse> done) {
  const absl::StatusOr<ShardMetrics> metrics =
      ParseMetrics(request.shard_level_metrics);
  if (!metrics.ok()) return done(metrics.status());
  changes_.Change(
      request.stream, timeout,
      [metrics = *metrics, enable = request.enable](const Stream& stream) {
        v1::Command command;
        v1::ChangeMonitoringCommand& change =
            *command.mutable_change_monitoring();
        change.set_stream_id(stream.id.value());
        if (enable) {
          change.set_enable(metrics.bits());
        } else {
          change.set_disable(metrics.bits());
        }
        return command;
      },
      [done = std::move(done)](absl::StatusOr<ChangedStream> changed) mutable {
        if (!changed.ok()) return done(changed.status());
        v1::ChangeMonitoringReply reply;
        if (!reply.ParseFromString(changed->reply)) {
          return done(absl::DataLossError("a command's reply is malformed"));
        }
        done(MonitoringResponse{std::move(changed->before),
                                ShardMetrics::FromBits(reply.before()),
                                ShardMetrics::FromBits(reply.after())});
      });
}

void SettingsOperations::StartStreamEncryption(const EncryptionRequest& request,
                                               absl::Duration timeout,
                                               StatusDone done) {
  absl::Status checked = CheckEncryption(request);
  if (!checked.ok()) return done(std::move(checked));
  SetKey(request.stream, request.key_id, timeout, std::move(done));
}

void SettingsOperations::StopStreamEncryption(const EncryptionRequest& request,
                                              absl::Duration timeout,
                                              StatusDone done) {
  absl::Status checked = CheckEncryption(request);
  if (!checked.ok()) return done(std::move(checked));
  SetKey(request.stream, "", timeout, std::move(done));
}

void SettingsOperations::SetKey(const StreamAddress& stream,
                                absl::string_view key_id,
                                absl::Duration timeout, StatusDone done) {
  changes_.Apply(
      stream, timeout,
      [this, key_id = std::string(key_id)](const Stream& found) {
        v1::Command command;
        v1::ChangeEncryptionCommand& change =
            *command.mutable_change_encryption();
        change.set_stream_id(found.id.value());
        change.set_key_id(key_id);
        change.set_times_a_day_max(rates_->DailyMax(
            found, key_id.empty() ? DailyChange::kEncryptionStop
                                  : DailyChange::kEncryptionStart));
        return command;
      },
      std::move(done));
}

}  // namespace trireme
