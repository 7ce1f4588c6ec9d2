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
  StartingPosition position;
  position.type = IteratorTypeNamed(in.String("ShardIteratorType"));
  position.sequence_number = in.String("StartingSequenceNumber");
  // Of the other types it means nothing.
  if (position.type == ShardIteratorType::kAtTimestamp) {
    position.timestamp = in.Time("Timestamp");
  }
  call->broker().GetShardIterator(
      {call->Stream(), in.String("ShardId"), position, in.Boolean("DryRun")},
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
