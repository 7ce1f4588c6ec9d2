#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"
#include "server/kinesis/starting_position.h"

namespace trireme {
namespace {

void Write(const GetShardIteratorResponse& found, KinesisCall& /*call*/,
           MessageWriter* writer) {
  writer->Key("ShardIterator").String(found.shard_iterator);
}

void Run(KinesisCallPtr call) {
  const MessageView in = call->input();
  call->broker().GetShardIterator(
      {call->Stream(), in.String("ShardId"),
       PositionOf(in.String("ShardIteratorType"),
                  in.String("StartingSequenceNumber"), in.Time("Timestamp")),
       in.Boolean("DryRun")},
      kKinesisCallTimeout, ReplyWith(call, Write));
}

}  // namespace

KinesisOperation GetShardIteratorOperation() {
  return {"GetShardIterator",
          OfStream({{"ShardId", ResourceNameShape().Required()},
                    {"ShardIteratorType", IteratorTypeShape()},
                    {"StartingSequenceNumber", SequenceNumberShape()},
                    {"Timestamp", Time()},
                    {"DryRun", Boolean()}}),
          Run};
}

}  // namespace trireme
