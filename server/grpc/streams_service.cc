#include "server/grpc/streams_service.h"

#include <string>
#include <utility>

#include "server/grpc/grpc_status.h"
#include "server/shard_lineage.h"
#include "storage/hash_key.h"
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

void ToMessage(absl::Time time, google::protobuf::Timestamp* message) {
  const int64_t millis = absl::ToUnixMillis(time);
  message->set_seconds(millis / 1000);
  message->set_nanos(static_cast<int32_t>(millis % 1000 * 1'000'000));
}

void ToMessage(const Shard& shard, v1::Shard* message) {
  message->set_shard_id(ShardIdToString(shard.index));
  v1::HashKeyRange& range = *message->mutable_hash_key_range();
  range.set_starting_hash_key(HashKeyToString(shard.range.start));
  range.set_ending_hash_key(HashKeyToString(shard.range.end));
  v1::SequenceNumberRange& numbers = *message->mutable_sequence_number_range();
  numbers.set_starting_sequence_number(StartingSequenceNumber(shard));
  if (shard.end.has_value()) {
    numbers.set_ending_sequence_number(EndingSequenceNumber(shard));
  }
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
  ToMessage(stream.created, message->mutable_stream_creation_timestamp());
}

// Views into `message`.
template <typename Message>
StreamAddress AddressOf(const Message& message) {
  return {message.stream_name(), message.stream_arn()};
}

}  // namespace

grpc::ServerUnaryReactor* StreamsService::CreateStream(
    grpc::CallbackServerContext* context,
    const v1::CreateStreamRequest* request, v1::CreateStreamResponse*) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  broker_->CreateStream({request->stream_name(), request->shard_count()},
                        TimeLeft(*context), [reactor](absl::Status status) {
                          reactor->Finish(ToGrpcStatus(status));
                        });
  return reactor;
}

grpc::ServerUnaryReactor* StreamsService::DeleteStream(
    grpc::CallbackServerContext* context,
    const v1::DeleteStreamRequest* request, v1::DeleteStreamResponse*) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  broker_->DeleteStream(AddressOf(*request), TimeLeft(*context),
                        [reactor](absl::Status status) {
                          reactor->Finish(ToGrpcStatus(status));
                        });
  return reactor;
}

grpc::ServerUnaryReactor* StreamsService::DescribeStream(
    grpc::CallbackServerContext* context,
    const v1::DescribeStreamRequest* request,
    v1::DescribeStreamResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  broker_->DescribeStream(
      {AddressOf(*request), request->limit(),
       request->exclusive_start_shard_id()},
      TimeLeft(*context),
      [this, reactor, response](absl::StatusOr<DescribeStreamResponse> found) {
        if (!found.ok()) return reactor->Finish(ToGrpcStatus(found.status()));
        v1::StreamDescription& description =
            *response->mutable_stream_description();
        SetCommon(*found->stream, broker_->account(), &description);
        description.set_retention_period_hours(
            static_cast<int32_t>(found->stream->retention_hours));
        for (const Shard* shard : found->shards) {
          ToMessage(*shard, description.add_shards());
        }
        description.set_has_more_shards(found->has_more_shards);
        reactor->Finish(grpc::Status::OK);
      });
  return reactor;
}

grpc::ServerUnaryReactor* StreamsService::DescribeStreamSummary(
    grpc::CallbackServerContext* context,
    const v1::DescribeStreamSummaryRequest* request,
    v1::DescribeStreamSummaryResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  broker_->DescribeStreamSummary(
      AddressOf(*request), TimeLeft(*context),
      [this, reactor, response](absl::StatusOr<StreamPtr> found) {
        if (!found.ok()) return reactor->Finish(ToGrpcStatus(found.status()));
        const Stream& stream = **found;
        v1::StreamDescriptionSummary& summary =
            *response->mutable_stream_description_summary();
        SetCommon(stream, broker_->account(), &summary);
        summary.set_retention_period_hours(
            static_cast<int32_t>(stream.retention_hours));
        summary.set_open_shard_count(static_cast<int32_t>(stream.open.size()));
        summary.set_max_record_size_in_kib(
            static_cast<int32_t>(stream.record_bytes_max / 1024));
        reactor->Finish(grpc::Status::OK);
      });
  return reactor;
}

grpc::ServerUnaryReactor* StreamsService::ListStreams(
    grpc::CallbackServerContext* context, const v1::ListStreamsRequest* request,
    v1::ListStreamsResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  broker_->ListStreams(
      {request->limit(), request->exclusive_start_stream_name(),
       request->next_token()},
      TimeLeft(*context),
      [this, reactor, response](absl::StatusOr<ListStreamsResponse> found) {
        if (!found.ok()) return reactor->Finish(ToGrpcStatus(found.status()));
        for (const StreamPtr& stream : found->streams) {
          response->add_stream_names(stream->name);
          SetCommon(*stream, broker_->account(),
                    response->add_stream_summaries());
        }
        response->set_has_more_streams(found->has_more_streams);
        response->set_next_token(std::move(found->next_token));
        reactor->Finish(grpc::Status::OK);
      });
  return reactor;
}

grpc::ServerUnaryReactor* StreamsService::ListShards(
    grpc::CallbackServerContext* context, const v1::ListShardsRequest* request,
    v1::ListShardsResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  broker_->ListShards(
      {AddressOf(*request), request->next_token(), request->max_results(),
       request->exclusive_start_shard_id()},
      TimeLeft(*context),
      [reactor, response](absl::StatusOr<ListShardsResponse> found) {
        if (!found.ok()) return reactor->Finish(ToGrpcStatus(found.status()));
        for (const Shard* shard : found->shards) {
          ToMessage(*shard, response->add_shards());
        }
        response->set_next_token(std::move(found->next_token));
        reactor->Finish(grpc::Status::OK);
      });
  return reactor;
}

}  // namespace trireme
