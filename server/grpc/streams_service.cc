#include "server/grpc/streams_service.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/grpc/consumer_calls.h"
#include "server/grpc/record_messages.h"
#include "server/grpc/stream_messages.h"
#include "server/shard_lineage.h"
#include "server/validation.h"
#include "storage/hash_key.h"
#include "storage/status_macros.h"
#include "storage/stream_name.h"

namespace trireme {
namespace {

v1::StreamStatus ToMessage(StreamStatus status) {
  switch (status) {
    case StreamStatus::kCreating:
      return v1::CREATING;
    case StreamStatus::kDeleting:
      return v1::DELETING;
    case StreamStatus::kActive:
      return v1::ACTIVE;
    case StreamStatus::kUpdating:
      return v1::UPDATING;
  }
  return v1::STREAM_STATUS_UNSPECIFIED;
}

void ToMessage(const Shard& shard, v1::Shard* message) {
  message->set_shard_id(ShardIdToString(shard.index));
  ToMessage(shard.range, message->mutable_hash_key_range());
  v1::SequenceNumberRange& numbers = *message->mutable_sequence_number_range();
  numbers.set_starting_sequence_number(StartingSequenceNumber(shard));
  if (shard.end.has_value()) {
    numbers.set_ending_sequence_number(EndingSequenceNumber(shard));
  }
  message->set_replication_group(shard.group.value());
  if (shard.parent.has_value()) {
    message->set_parent_shard_id(ShardIdToString(*shard.parent));
  }
  if (shard.adjacent_parent.has_value()) {
    message->set_adjacent_parent_shard_id(
        ShardIdToString(*shard.adjacent_parent));
  }
}

// The fields that all descriptions of a stream have.
template <typename Message>
void SetCommon(const Stream& stream, const Account& account, Message* message) {
  message->set_stream_name(stream.name);
  message->set_stream_arn(StreamArn(account, stream.name));
  message->set_stream_status(ToMessage(stream.status));
  ToTimestamp(stream.created, message->mutable_stream_creation_timestamp());
  message->mutable_stream_mode_details()->set_stream_mode(
      trireme::ToMessage(stream.mode));
}

v1::DescribeStreamResponse ToResponse(const DescribeStreamResponse& found,
                                      const Account& account) {
  v1::DescribeStreamResponse response;
  v1::StreamDescription& description = *response.mutable_stream_description();
  SetCommon(*found.stream, account, &description);
  description.set_retention_period_hours(
      static_cast<int32_t>(found.stream->retention_hours));
  SetSettings(*found.stream, &description);
  for (const Shard* shard : found.shards) {
    ToMessage(*shard, description.add_shards());
  }
  description.set_has_more_shards(found.has_more_shards);
  return response;
}

v1::DescribeStreamSummaryResponse ToResponse(const StreamPtr& found,
                                             const Account& account) {
  const Stream& stream = *found;
  v1::DescribeStreamSummaryResponse response;
  v1::StreamDescriptionSummary& summary =
      *response.mutable_stream_description_summary();
  SetCommon(stream, account, &summary);
  summary.set_retention_period_hours(
      static_cast<int32_t>(stream.retention_hours));
  SetSettings(stream, &summary);
  summary.set_stream_id(StreamIdToString(stream.id));
  if (stream.warm) {
    trireme::ToMessage(*stream.warm, summary.mutable_warm_throughput());
  }
  if (stream.mode == StreamMode::kOnDemand) {
    summary.set_record_distribution_strategy(stream.distribution ==
                                                     RecordDistribution::kAuto
                                                 ? v1::AUTO
                                                 : v1::USER_PARTITION_KEY);
  }
  summary.set_open_shard_count(static_cast<int32_t>(stream.open.size()));
  summary.set_max_record_size_in_kib(
      static_cast<int32_t>(stream.record_bytes_max / 1024));
  summary.set_consumer_count(
      static_cast<int32_t>(stream.consumers.by_name.size()));
  return response;
}

v1::ListStreamsResponse ToResponse(const ListStreamsResponse& found,
                                   const Account& account) {
  v1::ListStreamsResponse response;
  for (const StreamPtr& stream : found.streams) {
    response.add_stream_names(stream->name);
    SetCommon(*stream, account, response.add_stream_summaries());
  }
  response.set_has_more_streams(found.has_more_streams);
  response.set_next_token(found.next_token);
  return response;
}

v1::ListShardsResponse ToResponse(const ListShardsResponse& found,
                                  const Account& /*account*/) {
  v1::ListShardsResponse response;
  for (const Shard* shard : found.shards) {
    ToMessage(*shard, response.add_shards());
  }
  response.set_next_token(found.next_token);
  response.set_stream_id(StreamIdToString(found.stream->id));
  return response;
}

v1::UpdateShardCountResponse ToResponse(const UpdateShardCountResponse& update,
                                        const Account& account) {
  v1::UpdateShardCountResponse response;
  response.set_stream_name(update.stream->name);
  response.set_stream_arn(StreamArn(account, update.stream->name));
  response.set_current_shard_count(
      static_cast<int32_t>(update.stream->open.size()));
  response.set_target_shard_count(
      static_cast<int32_t>(update.target_shard_count));
  return response;
}

ShardFilterType FromMessage(v1::ShardFilter::Type type) {
  switch (type) {
    case v1::ShardFilter::AFTER_SHARD_ID:
      return ShardFilterType::kAfterShardId;
    case v1::ShardFilter::AT_TRIM_HORIZON:
      return ShardFilterType::kAtTrimHorizon;
    case v1::ShardFilter::FROM_TRIM_HORIZON:
      return ShardFilterType::kFromTrimHorizon;
    case v1::ShardFilter::AT_LATEST:
      return ShardFilterType::kAtLatest;
    case v1::ShardFilter::AT_TIMESTAMP:
      return ShardFilterType::kAtTimestamp;
    case v1::ShardFilter::FROM_TIMESTAMP:
      return ShardFilterType::kFromTimestamp;
    default:
      return ShardFilterType::kUnspecified;
  }
}

// Views into `message`.
ShardFilter FilterOf(const v1::ListShardsRequest& message) {
  const v1::ShardFilter& filter = message.shard_filter();
  ShardFilter result{FromMessage(filter.type()), filter.shard_id(), {}};
  if (filter.has_timestamp()) {
    result.timestamp = TimeOf(filter.timestamp());
  }
  return result;
}

v1::DescribeLimitsResponse ToResponse(const DescribeLimitsResponse& limits,
                                      const Account& /*account*/) {
  v1::DescribeLimitsResponse response;
  response.set_shard_limit(static_cast<int64_t>(limits.shard_limit));
  response.set_open_shard_count(static_cast<int64_t>(limits.open_shard_count));
  response.set_on_demand_stream_count(
      static_cast<int64_t>(limits.on_demand_stream_count));
  response.set_on_demand_stream_count_limit(
      static_cast<int64_t>(limits.on_demand_stream_count_limit));
  return response;
}

template <typename Response>
Response TagsResponse(const Tags& tags) {
  Response response;
  for (const auto& [key, value] : tags) {
    v1::Tag& tag = *response.add_tags();
    tag.set_key(key);
    tag.set_value(value);
  }
  return response;
}

// A callback that ends `call` with what ToResponse makes.
template <typename Call>
auto Respond(Call call) {
  return RespondWith(std::move(call),
                     [](const auto& found, const Account& account) {
                       return ToResponse(found, account);
                     });
}

absl::Status ReadModes(const v1::CreateStreamRequest& message,
                       CreateStreamRequest* request) {
  if (message.stream_mode_details().stream_mode() !=
      v1::STREAM_MODE_UNSPECIFIED) {
    ASSIGN_OR_RETURN(request->mode, ModeOf(message.stream_mode_details()));
  }
  if (message.record_distribution_strategy() !=
      v1::RECORD_DISTRIBUTION_STRATEGY_UNSPECIFIED) {
    ASSIGN_OR_RETURN(request->distribution,
                     DistributionOf(message.record_distribution_strategy()));
  }
  if (message.has_warm_throughput_mibps()) {
    request->warm_mibps = message.warm_throughput_mibps();
  }
  return absl::OkStatus();
}

void OnCreateStream(
    UnaryCallPtr<v1::CreateStreamRequest, v1::CreateStreamResponse> call,
    absl::Duration timeout) {
  const v1::CreateStreamRequest& message = call->request();
  CreateStreamRequest request{message.stream_name(), message.shard_count(),
                              message.max_record_size_in_kib(),
                              TagsOf(message)};
  if (absl::Status modes = ReadModes(message, &request); !modes.ok()) {
    return call->Reply(modes);
  }
  call->broker().CreateStream(request, timeout, Acknowledge(std::move(call)));
}

void OnDeleteStream(
    UnaryCallPtr<v1::DeleteStreamRequest, v1::DeleteStreamResponse> call,
    absl::Duration timeout) {
  const v1::DeleteStreamRequest& message = call->request();
  call->broker().DeleteStream(
      {AddressOf(message), message.enforce_consumer_deletion()}, timeout,
      Acknowledge(std::move(call)));
}

void OnDescribeStream(
    UnaryCallPtr<v1::DescribeStreamRequest, v1::DescribeStreamResponse> call,
    absl::Duration timeout) {
  const v1::DescribeStreamRequest& message = call->request();
  call->broker().DescribeStream(
      {AddressOf(message), message.limit(), message.exclusive_start_shard_id()},
      timeout, Respond(std::move(call)));
}

void OnDescribeStreamSummary(UnaryCallPtr<v1::DescribeStreamSummaryRequest,
                                          v1::DescribeStreamSummaryResponse>
                                 call,
                             absl::Duration timeout) {
  const v1::DescribeStreamSummaryRequest& message = call->request();
  call->broker().DescribeStreamSummary(AddressOf(message), timeout,
                                       Respond(std::move(call)));
}

void OnListStreams(
    UnaryCallPtr<v1::ListStreamsRequest, v1::ListStreamsResponse> call,
    absl::Duration timeout) {
  const v1::ListStreamsRequest& message = call->request();
  call->broker().ListStreams(
      {message.limit(), message.exclusive_start_stream_name(),
       message.next_token()},
      timeout, Respond(std::move(call)));
}

void OnListShards(
    UnaryCallPtr<v1::ListShardsRequest, v1::ListShardsResponse> call,
    absl::Duration timeout) {
  const v1::ListShardsRequest& message = call->request();
  const v1::ShardFilter::Type type = message.shard_filter().type();
  if (!v1::ShardFilter::Type_IsValid(type)) {
    Violations violations;
    violations.Add("shardFilter.type", absl::StrCat(static_cast<int>(type)),
                   "Member must satisfy enum value set: [AFTER_SHARD_ID, "
                   "AT_TRIM_HORIZON, FROM_TRIM_HORIZON, AT_LATEST, "
                   "AT_TIMESTAMP, FROM_TIMESTAMP]");
    return call->Reply(violations.ToStatus());
  }
  call->broker().ListShards(
      {AddressOf(message), message.next_token(), message.max_results(),
       message.exclusive_start_shard_id(), FilterOf(message),
       CreationOf(message)},
      timeout, Respond(std::move(call)));
}

void OnSplitShard(
    UnaryCallPtr<v1::SplitShardRequest, v1::SplitShardResponse> call,
    absl::Duration timeout) {
  const v1::SplitShardRequest& message = call->request();
  call->broker().SplitShard({AddressOf(message), message.shard_to_split(),
                             message.new_starting_hash_key()},
                            timeout, Acknowledge(std::move(call)));
}

void OnMergeShards(
    UnaryCallPtr<v1::MergeShardsRequest, v1::MergeShardsResponse> call,
    absl::Duration timeout) {
  const v1::MergeShardsRequest& message = call->request();
  call->broker().MergeShards({AddressOf(message), message.shard_to_merge(),
                              message.adjacent_shard_to_merge()},
                             timeout, Acknowledge(std::move(call)));
}

void OnUpdateShardCount(
    UnaryCallPtr<v1::UpdateShardCountRequest, v1::UpdateShardCountResponse>
        call,
    absl::Duration timeout) {
  const v1::UpdateShardCountRequest& message = call->request();
  if (!v1::ScalingType_IsValid(message.scaling_type())) {
    Violations violations;
    violations.Add("scalingType",
                   absl::StrCat(static_cast<int>(message.scaling_type())),
                   "Member must satisfy enum value set: [UNIFORM_SCALING]");
    return call->Reply(violations.ToStatus());
  }
  call->broker().UpdateShardCount(
      {AddressOf(message), message.target_shard_count()}, timeout,
      Respond(std::move(call)));
}

void OnUpdateMaxRecordSize(UnaryCallPtr<v1::UpdateMaxRecordSizeRequest,
                                        v1::UpdateMaxRecordSizeResponse>
                               call,
                           absl::Duration timeout) {
  const v1::UpdateMaxRecordSizeRequest& message = call->request();
  call->broker().UpdateMaxRecordSize(
      {AddressOf(message), message.max_record_size_in_kib()}, timeout,
      Acknowledge(std::move(call)));
}

void OnIncreaseStreamRetentionPeriod(
    UnaryCallPtr<v1::IncreaseStreamRetentionPeriodRequest,
                 v1::IncreaseStreamRetentionPeriodResponse>
        call,
    absl::Duration timeout) {
  const v1::IncreaseStreamRetentionPeriodRequest& message = call->request();
  call->broker().IncreaseStreamRetentionPeriod(
      {AddressOf(message), message.retention_period_hours()}, timeout,
      Acknowledge(std::move(call)));
}

void OnDecreaseStreamRetentionPeriod(
    UnaryCallPtr<v1::DecreaseStreamRetentionPeriodRequest,
                 v1::DecreaseStreamRetentionPeriodResponse>
        call,
    absl::Duration timeout) {
  const v1::DecreaseStreamRetentionPeriodRequest& message = call->request();
  call->broker().DecreaseStreamRetentionPeriod(
      {AddressOf(message), message.retention_period_hours()}, timeout,
      Acknowledge(std::move(call)));
}

v1::ListScalingDecisionsResponse ToDecisions(const StreamPtr& stream,
                                             const Account& /*account*/) {
  v1::ListScalingDecisionsResponse response;
  for (const ScalingDecision& decision : stream->scaling_decisions) {
    v1::ScalingDecision& out = *response.add_scaling_decisions();
    ToTimestamp(decision.decided, out.mutable_decided_at());
    out.set_action(static_cast<v1::ScalingAction>(decision.action));
    for (const ShardIndex shard : decision.shards) {
      out.add_shard_ids(ShardIdToString(shard));
    }
    out.set_reason(decision.reason);
  }
  return response;
}

void OnListScalingDecisions(UnaryCallPtr<v1::ListScalingDecisionsRequest,
                                         v1::ListScalingDecisionsResponse>
                                call,
                            absl::Duration timeout) {
  const v1::ListScalingDecisionsRequest& message = call->request();
  call->broker().DescribeStreamSummary(
      AddressOf(message), timeout, RespondWith(std::move(call), ToDecisions));
}

void OnDescribeLimits(
    UnaryCallPtr<v1::DescribeLimitsRequest, v1::DescribeLimitsResponse> call,
    absl::Duration timeout) {
  call->broker().DescribeLimits(timeout, Respond(std::move(call)));
}

void OnAddTagsToStream(
    UnaryCallPtr<v1::AddTagsToStreamRequest, v1::AddTagsToStreamResponse> call,
    absl::Duration timeout) {
  const v1::AddTagsToStreamRequest& message = call->request();
  call->broker().AddTags({AddressOf(message), TagsOf(message)}, timeout,
                         Acknowledge(std::move(call)));
}

void OnTagResource(
    UnaryCallPtr<v1::TagResourceRequest, v1::TagResourceResponse> call,
    absl::Duration timeout) {
  const v1::TagResourceRequest& message = call->request();
  call->broker().AddTags({AddressOf(message), TagsOf(message)}, timeout,
                         Acknowledge(std::move(call)));
}

void OnRemoveTagsFromStream(UnaryCallPtr<v1::RemoveTagsFromStreamRequest,
                                         v1::RemoveTagsFromStreamResponse>
                                call,
                            absl::Duration timeout) {
  const v1::RemoveTagsFromStreamRequest& message = call->request();
  call->broker().RemoveTags(
      {AddressOf(message),
       {message.tag_keys().begin(), message.tag_keys().end()}},
      timeout, Acknowledge(std::move(call)));
}

void OnUntagResource(
    UnaryCallPtr<v1::UntagResourceRequest, v1::UntagResourceResponse> call,
    absl::Duration timeout) {
  const v1::UntagResourceRequest& message = call->request();
  call->broker().RemoveTags(
      {AddressOf(message),
       {message.tag_keys().begin(), message.tag_keys().end()}},
      timeout, Acknowledge(std::move(call)));
}

void OnListTagsForStream(
    UnaryCallPtr<v1::ListTagsForStreamRequest, v1::ListTagsForStreamResponse>
        call,
    absl::Duration timeout) {
  const v1::ListTagsForStreamRequest& message = call->request();
  call->broker().ListTags(
      {AddressOf(message), message.exclusive_start_tag_key(), message.limit()},
      timeout,
      [call = std::move(call)](absl::StatusOr<ListTagsResponse> found) {
        if (!found.ok()) return call->Reply(found.status());
        auto response =
            TagsResponse<v1::ListTagsForStreamResponse>(found->tags);
        response.set_has_more_tags(found->has_more_tags);
        call->Reply(std::move(response));
      });
}

void OnListTagsForResource(UnaryCallPtr<v1::ListTagsForResourceRequest,
                                        v1::ListTagsForResourceResponse>
                               call,
                           absl::Duration timeout) {
  const v1::ListTagsForResourceRequest& message = call->request();
  call->broker().ListTags(
      {AddressOf(message), "", 0}, timeout,
      [call = std::move(call)](absl::StatusOr<ListTagsResponse> found) {
        if (!found.ok()) return call->Reply(found.status());
        call->Reply(TagsResponse<v1::ListTagsForResourceResponse>(found->tags));
      });
}

}  // namespace

StreamsService::StreamsService(const ServedBroker* served)
    : UnaryService(served) {
  Serve("CreateStream", OnCreateStream);
  Serve("DeleteStream", OnDeleteStream);
  Serve("DescribeStream", OnDescribeStream);
  Serve("DescribeStreamSummary", OnDescribeStreamSummary);
  Serve("ListStreams", OnListStreams);
  Serve("ListShards", OnListShards);
  Serve("SplitShard", OnSplitShard);
  Serve("MergeShards", OnMergeShards);
  Serve("UpdateShardCount", OnUpdateShardCount);
  Serve("UpdateMaxRecordSize", OnUpdateMaxRecordSize);
  Serve("IncreaseStreamRetentionPeriod", OnIncreaseStreamRetentionPeriod);
  Serve("DecreaseStreamRetentionPeriod", OnDecreaseStreamRetentionPeriod);
  Serve("ListScalingDecisions", OnListScalingDecisions);
  Serve("DescribeLimits", OnDescribeLimits);
  Serve("RegisterStreamConsumer", OnRegisterStreamConsumer);
  Serve("DeregisterStreamConsumer", OnDeregisterStreamConsumer);
  Serve("DescribeStreamConsumer", OnDescribeStreamConsumer);
  Serve("ListStreamConsumers", OnListStreamConsumers);
  Serve("AddTagsToStream", OnAddTagsToStream);
  Serve("RemoveTagsFromStream", OnRemoveTagsFromStream);
  Serve("ListTagsForStream", OnListTagsForStream);
  Serve("TagResource", OnTagResource);
  Serve("UntagResource", OnUntagResource);
  Serve("ListTagsForResource", OnListTagsForResource);
  ServeSettings();
}

}  // namespace trireme
