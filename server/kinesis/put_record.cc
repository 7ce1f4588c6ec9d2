#include "server/kinesis/descriptions.h"
#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"
#include "storage/stream_name.h"

namespace trireme {
namespace {

void Write(const PutResult& put, KinesisCall& /*call*/, MessageWriter* writer) {
  writer->Key("ShardId").String(ShardIdToString(put.sequence_number.shard));
  writer->Key("SequenceNumber").String(put.sequence_number.ToString());
  WriteEncryptionType(put.encrypted, writer);
}

void Run(KinesisCallPtr call) {
  const MessageView in = call->input();
  PutRecordRequest request;
  request.stream = call->Stream();
  request.record = {in.Bytes("Data"), in.String("PartitionKey"),
                    in.String("ExplicitHashKey")};
  request.sequence_number_for_ordering = in.String("SequenceNumberForOrdering");
  request.dry_run = in.Boolean("DryRun");
  call->broker().PutRecord(
      request, kKinesisCallTimeout,
      [call, reply = ReplyWith(call, Write)](absl::StatusOr<PutResult> put) {
        if (put.ok() && !put->status.ok()) return call->Fail(put->status);
        reply(std::move(put));
      });
}

}  // namespace

KinesisOperation PutRecordOperation() {
  return {"PutRecord",
          OfStream({{"SequenceNumberForOrdering", SequenceNumberShape()},
                    {"PartitionKey", PartitionKeyShape()},
                    {"ExplicitHashKey", HashKeyShape()},
                    {"Data", BytesOfRecordShape()},
                    {"DryRun", Boolean()}}),
          Run};
}

}  // namespace trireme
