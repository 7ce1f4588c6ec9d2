#include "server/kinesis/descriptions.h"
#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
namespace {

void Write(const DescribeStreamResponse& found, KinesisCall& call,
           MessageWriter* writer) {
  writer->Key("StreamDescription").BeginMap();
  WriteSummary(*found.stream, call.account(), writer);
  WriteSettings(*found.stream, writer);
  WriteShards(found.shards, writer);
  writer->Key("HasMoreShards").Boolean(found.has_more_shards);
  writer->EndMap();
}

void Run(KinesisCallPtr call) {
  const MessageView in = call->input();
  call->broker().DescribeStream(
      {call->Stream(), in.Integer("Limit").value_or(0),
       in.String("ExclusiveStartShardId")},
      kKinesisCallTimeout, ReplyWith(call, Write));
}

}  // namespace

KinesisOperation DescribeStreamOperation() {
  return {"DescribeStream",
          OfStream({{"Limit", ListLimitShape()},
                    {"ExclusiveStartShardId", ResourceNameShape()}}),
          Run};
}

}  // namespace trireme
