#include "server/kinesis/descriptions.h"
#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
namespace {

void Write(const UpdateShardCountResponse& update, KinesisCall& call,
           MessageWriter* writer) {
  WriteNames(*update.stream, call.account(), writer);
  writer->Key("CurrentShardCount")
      .Integer(static_cast<int64_t>(update.stream->open.size()));
  writer->Key("TargetShardCount").Integer(update.target_shard_count);
}

void Run(KinesisCallPtr call) {
  call->broker().UpdateShardCount(
      {call->Stream(), *call->input().Integer("TargetShardCount")},
      kKinesisCallTimeout, ReplyWith(call, Write));
}

}  // namespace

KinesisOperation UpdateShardCountOperation() {
  return {
      "UpdateShardCount",
      OfStream(
          {{"TargetShardCount", Integer().Required().Range(1, kIntegerMax)},
           {"ScalingType", String().Required().OneOf({"UNIFORM_SCALING"})}}),
      Run};
}

}  // namespace trireme
