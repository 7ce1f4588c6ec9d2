#include "server/grpc/record_messages.h"

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/slice.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/error_map.h"
#include "server/limits.h"
#include "storage/check.h"
#include "storage/errors.h"
#include "storage/hash_key.h"
#include "storage/stream_name.h"

namespace trireme {
namespace {

// Below this a copy costs less than a reference count.
constexpr size_t kSharedSliceBytesMin = 512;

ShardIteratorType FromMessage(v1::ShardIteratorType type) {
  switch (type) {
    case v1::AT_SEQUENCE_NUMBER:
      return ShardIteratorType::kAtSequenceNumber;
    case v1::AFTER_SEQUENCE_NUMBER:
      return ShardIteratorType::kAfterSequenceNumber;
    case v1::TRIM_HORIZON:
      return ShardIteratorType::kTrimHorizon;
    case v1::LATEST:
      return ShardIteratorType::kLatest;
    case v1::AT_TIMESTAMP:
      return ShardIteratorType::kAtTimestamp;
    default:
      return ShardIteratorType::kUnspecified;
  }
}

template <typename Message>
std::optional<absl::Time> TimestampOf(const Message& message) {
  if (!message.has_timestamp()) return std::nullopt;
  return TimeOf(message.timestamp());
}

// Views into `message`.
template <typename Message>
StreamAddress AddressIn(const Message& message) {
  return {message.stream_name(), message.stream_arn(), /*is_resource=*/false,
          message.stream_id()};
}

PutEntry FromMessage(const v1::PutRecordsEntry& entry) {
  return {entry.data(), entry.partition_key(), entry.explicit_hash_key(),
          entry.number()};
}

template <typename Message>
std::optional<PutProducer> ProducerIn(const Message& message) {
  if (!message.has_producer()) return std::nullopt;
  const v1::Producer& producer = message.producer();
  return PutProducer{producer.producer_id(), producer.epoch(),
                     producer.oldest_number()};
}

grpc::Slice SharedSlice(const EncodedSpan& span) {
  if (span.bytes.size() < kSharedSliceBytesMin) {
    return grpc::Slice(span.bytes.data(), span.bytes.size());
  }
  // The slice keeps the encoded batch alive until gRPC has sent it.
  using Owner = std::shared_ptr<const std::string>;
  return grpc::Slice(
      const_cast<char*>(span.bytes.data()), span.bytes.size(),
      [](void* owner) { delete static_cast<Owner*>(owner); },
      new Owner(span.owner));
}

// The records' own bytes, then those of the other fields: a serialized message
// may hold its fields in any order.
grpc::ByteBuffer Assemble(const RecordRun& records, const std::string& rest) {
  std::vector<grpc::Slice> slices;
  slices.reserve(records.spans.size() + 1);
  for (const EncodedSpan& span : records.spans) {
    slices.push_back(SharedSlice(span));
  }
  if (!rest.empty() || slices.empty()) slices.emplace_back(rest);
  return grpc::ByteBuffer(slices.data(), slices.size());
}

}  // namespace

absl::Time TimeOf(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) +
         absl::Nanoseconds(timestamp.nanos());
}

PutRecordRequest FromMessage(const v1::PutRecordRequest& message) {
  PutRecordRequest request;
  request.stream = AddressIn(message);
  request.dry_run = message.dry_run();
  request.record = {message.data(), message.partition_key(),
                    message.explicit_hash_key(), message.number()};
  request.producer = ProducerIn(message);
  request.sequence_number_for_ordering = message.sequence_number_for_ordering();
  return request;
}

PutRecordsRequest FromMessage(const v1::PutRecordsRequest& message) {
  PutRecordsRequest request;
  request.stream = AddressIn(message);
  request.dry_run = message.dry_run();
  request.producer = ProducerIn(message);
  request.records.reserve(static_cast<size_t>(message.records_size()));
  for (const v1::PutRecordsEntry& entry : message.records()) {
    request.records.push_back(FromMessage(entry));
  }
  return request;
}

GetShardIteratorRequest FromMessage(
    const v1::GetShardIteratorRequest& message) {
  GetShardIteratorRequest request;
  request.stream = AddressIn(message);
  request.dry_run = message.dry_run();
  request.shard_id = message.shard_id();
  request.position = {FromMessage(message.shard_iterator_type()),
                      message.starting_sequence_number(), TimestampOf(message)};
  return request;
}

GetRecordsRequest FromMessage(const v1::GetRecordsRequest& message) {
  return {message.shard_iterator(), message.limit(), message.stream_arn(),
          message.stream_id(), message.dry_run()};
}

StartingPosition FromMessage(const v1::StartingPosition& message) {
  return {FromMessage(message.type()), message.sequence_number(),
          TimestampOf(message)};
}

SubscribeToShardRequest FromMessage(
    const v1::SubscribeToShardRequest& message) {
  SubscribeToShardRequest request;
  request.stream = AddressIn(message);
  request.dry_run = message.dry_run();
  request.shard_id = message.shard_id();
  request.position = FromMessage(message.starting_position());
  request.consumer_arn = message.consumer_arn();
  return request;
}

void ToMessage(const PutResult& result, v1::PutRecordResponse* message) {
  message->set_shard_id(ShardIdToString(result.sequence_number.shard));
  result.sequence_number.AppendTo(message->mutable_sequence_number());
  message->set_duplicate(result.duplicate);
}

void ToMessage(const PutRecordsResponse& response,
               v1::PutRecordsResponse* message) {
  message->mutable_records()->Reserve(
      static_cast<int>(response.records.size()));
  int32_t failed = 0;
  for (const PutResult& result : response.records) {
    v1::PutRecordsResult& added = *message->add_records();
    if (result.status.ok()) {
      added.set_shard_id(ShardIdToString(result.sequence_number.shard));
      result.sequence_number.AppendTo(added.mutable_sequence_number());
      added.set_duplicate(result.duplicate);
      continue;
    }
    RecordError error = DescribeRecordError(result.status);
    added.set_error_code(std::move(error.code));
    added.set_error_message(std::move(error.message));
    ++failed;
  }
  message->set_failed_record_count(failed);
}

void ToMessage(const GetShardIteratorResponse& response,
               v1::GetShardIteratorResponse* message) {
  message->set_shard_iterator(response.shard_iterator);
}

void ToMessage(const HashKeyRange& range, v1::HashKeyRange* message) {
  message->set_starting_hash_key(HashKeyToString(range.start));
  message->set_ending_hash_key(HashKeyToString(range.end));
}

void ToMessage(const ChildShard& child, v1::ChildShard* message) {
  message->set_shard_id(ShardIdToString(child.shard));
  for (const ShardIndex parent : child.parents) {
    message->add_parent_shards(ShardIdToString(parent));
  }
  ToMessage(child.range, message->mutable_hash_key_range());
}

absl::Status ParseMessage(const grpc::ByteBuffer& buffer,
                          google::protobuf::Message* message) {
  if (buffer.Length() > kRequestBytesMax) {
    return MakeError(ErrorReason::kInvalidArgument,
                     absl::StrCat("the request is ", buffer.Length(),
                                  " bytes; the limit is ", kRequestBytesMax));
  }
  // Deserializing empties the buffer it is given, not the bytes.
  grpc::ByteBuffer bytes = buffer;
  if (grpc::SerializationTraits<google::protobuf::Message>::Deserialize(&bytes,
                                                                        message)
          .ok()) {
    return absl::OkStatus();
  }
  return MakeError(
      ErrorReason::kInvalidArgument,
      absl::StrCat("the request of ", buffer.Length(), " bytes is not a ",
                   message->GetDescriptor()->full_name(),
                   "; strings must be UTF-8"));
}

grpc::ByteBuffer SerializeMessage(const google::protobuf::Message& message) {
  grpc::ByteBuffer buffer;
  bool own_buffer = false;
  const grpc::Status status =
      grpc::SerializationTraits<google::protobuf::Message>::Serialize(
          message, &buffer, &own_buffer);
  CHECK(status.ok(), status.error_message());
  return buffer;
}

grpc::ByteBuffer ToBuffer(const GetRecordsResponse& response) {
  v1::GetRecordsResponse rest;
  rest.set_next_shard_iterator(response.next_shard_iterator);
  rest.set_millis_behind_latest(response.millis_behind_latest);
  for (const ChildShard& child : response.child_shards) {
    ToMessage(child, rest.add_child_shards());
  }
  return Assemble(response.records, rest.SerializeAsString());
}

grpc::ByteBuffer ToBuffer(const SubscriptionEvent& event) {
  v1::SubscribeToShardEvent rest;
  rest.set_continuation_sequence_number(event.continuation_sequence_number);
  rest.set_millis_behind_latest(event.millis_behind_latest);
  for (const ChildShard& child : event.child_shards) {
    ToMessage(child, rest.add_child_shards());
  }
  return Assemble(event.records, rest.SerializeAsString());
}

}  // namespace trireme
