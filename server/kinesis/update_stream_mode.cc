#include "server/kinesis/descriptions.h"
#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"
#include "server/limits.h"

namespace trireme {
namespace {

void Run(KinesisCallPtr call) {
  const MessageView in = call->input();
  call->broker().UpdateStreamMode(
      {call->Stream(),
       StreamModeNamed(in.Structure("StreamModeDetails")->String("StreamMode")),
       in.Integer("WarmThroughputMiBps")},
      kKinesisCallTimeout, Acknowledge(call));
}

}  // namespace

KinesisOperation UpdateStreamModeOperation() {
  return {
      "UpdateStreamMode",
      OfStreamArn({{"StreamModeDetails", StreamModeDetailsShape().Required()},
                   {"WarmThroughputMiBps", Integer().Range(0, kWarmMibpsMax)}}),
      Run};
}

}  // namespace trireme
