#include "server/settings_operations.h"

#include <string>
#include <utility>

#include "server/limits.h"
#include "server/tags.h"
#include "server/validation.h"
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
  const absl::StatusOr<absl::string_view> name =
      ResolveStreamName(request.stream, router_->account());
  if (!name.ok()) return done(name.status());
  const size_t limit =
      request.limit == 0 ? kTagsMax : static_cast<size_t>(request.limit);
  router_->FindFresh(
      *name, timeout,
      [after = std::string(request.exclusive_start_tag_key), limit,
       done = std::move(done)](absl::StatusOr<StreamPtr> stream) mutable {
        if (!stream.ok()) return done(stream.status());
        done(PageOfTags((*stream)->tags, after, limit));
      });
}

}  // namespace trireme
