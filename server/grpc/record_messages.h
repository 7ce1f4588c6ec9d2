// Between the messages of records.proto and the Broker's structs. What is
// pushed or read in bulk becomes a ByteBuffer of shared slices: the records
// are encoded once for everyone who gets them (design.md D7).
#ifndef TRIREME_SERVER_GRPC_RECORD_MESSAGES_H_
#define TRIREME_SERVER_GRPC_RECORD_MESSAGES_H_

#include <grpcpp/support/byte_buffer.h>

#include "server/api.h"
#include "trireme/v1/records.pb.h"

namespace trireme {

absl::Time TimeOf(const google::protobuf::Timestamp& timestamp);

// Views into `message`.
StartingPosition FromMessage(const v1::StartingPosition& message);
PutRecordRequest FromMessage(const v1::PutRecordRequest& message);
PutRecordsRequest FromMessage(const v1::PutRecordsRequest& message);
GetShardIteratorRequest FromMessage(const v1::GetShardIteratorRequest& message);
GetRecordsRequest FromMessage(const v1::GetRecordsRequest& message);
SubscribeToShardRequest FromMessage(const v1::SubscribeToShardRequest& message);

void ToMessage(const PutResult& result, v1::PutRecordResponse* message);
void ToMessage(const PutRecordsResponse& response,
               v1::PutRecordsResponse* message);
void ToMessage(const GetShardIteratorResponse& response,
               v1::GetShardIteratorResponse* message);
void ToMessage(const HashKeyRange& range, v1::HashKeyRange* message);
void ToMessage(const ChildShard& child, v1::ChildShard* message);

// The message in `buffer`, which is left as it is. InvalidArgument when it is
// none: too many bytes, bytes that are no such message, or text that is not
// UTF-8.
absl::Status ParseMessage(const grpc::ByteBuffer& buffer,
                          google::protobuf::Message* message);
grpc::ByteBuffer SerializeMessage(const google::protobuf::Message& message);

// A serialized v1::GetRecordsResponse.
grpc::ByteBuffer ToBuffer(const GetRecordsResponse& response);
// A serialized v1::SubscribeToShardEvent.
grpc::ByteBuffer ToBuffer(const SubscriptionEvent& event);

}  // namespace trireme

#endif  // TRIREME_SERVER_GRPC_RECORD_MESSAGES_H_
