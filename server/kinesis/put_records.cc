#include "server/kinesis/descriptions.h"
#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"
#include "server/limits.h"

namespace trireme {
namespace {

// Room for what one record's answer takes.
constexpr size_t kResultBytes = 128;

void Write(const PutRecordsResponse& response, KinesisCall& /*call*/,
           MessageWriter* writer) {
  writer->Reserve(response.records.size() * kResultBytes);
  int64_t failed = 0;
  writer->Key("Records").BeginList();
  for (const PutResult& put : response.records) {
    if (!put.status.ok()) ++failed;
    writer->BeginMap();
    WritePlaceOrError(put, writer);
    writer->EndMap();
  }
  writer->EndList();
  writer->Key("FailedRecordCount").Integer(failed);
  WriteEncryptionType(response.encrypted, writer);
}

void Run(KinesisCallPtr call) {
  const MessageView in = call->input();
  PutRecordsRequest request;
  request.stream = call->Stream();
  const std::vector<MessageView> records = in.Structures("Records");
  request.records.reserve(records.size());
  for (const MessageView& record : records) {
    request.records.push_back({record.Bytes("Data"),
                               record.String("PartitionKey"),
                               record.String("ExplicitHashKey")});
  }
  request.dry_run = in.Boolean("DryRun");
  call->broker().PutRecords(request, kKinesisCallTimeout,
                            ReplyWith(call, Write));
}

}  // namespace

KinesisOperation PutRecordsOperation() {
  return {"PutRecords",
          OfStream({{"Records", List(Structure({
                                         {"PartitionKey", PartitionKeyShape()},
                                         {"ExplicitHashKey", HashKeyShape()},
                                         {"Data", BytesOfRecordShape()},
                                     }))
                                    .Required()
                                    .Length(1, kPutRecordsMax)},
                    {"DryRun", Boolean()}}),
          Run};
}

}  // namespace trireme
