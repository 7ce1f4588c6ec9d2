#include "server/kinesis/descriptions.h"
#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
namespace {

void Write(const ListStreamsResponse& found, KinesisCall& call,
           MessageWriter* writer) {
  writer->Key("StreamNames").BeginList();
  for (const StreamPtr& stream : found.streams) writer->String(stream->name);
  writer->EndList();
  writer->Key("HasMoreStreams").Boolean(found.has_more_streams);
  WriteNextToken(found.next_token, writer);
  writer->Key("StreamSummaries").BeginList();
  for (const StreamPtr& stream : found.streams) {
    writer->BeginMap();
    WriteSummary(*stream, call.account(), writer);
    writer->EndMap();
  }
  writer->EndList();
}

void Run(KinesisCallPtr call) {
  const MessageView in = call->input();
  call->broker().ListStreams(
      {in.Integer("Limit").value_or(0), in.String("ExclusiveStartStreamName"),
       in.String("NextToken")},
      kKinesisCallTimeout, ReplyWith(call, Write));
}

}  // namespace

KinesisOperation ListStreamsOperation() {
  return {"ListStreams",
          Structure({{"Limit", ListLimitShape()},
                     {"ExclusiveStartStreamName", ResourceNameShape()},
                     {"NextToken", NextTokenShape()}}),
          Run};
}

}  // namespace trireme
