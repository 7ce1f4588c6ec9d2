#include "server/kinesis/descriptions.h"
#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
namespace {

void Write(const PutResult& put, KinesisCall& /*call*/, MessageWriter* writer) {
  WritePlace(put, writer);
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
