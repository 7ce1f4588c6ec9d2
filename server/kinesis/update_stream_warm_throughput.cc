#include "server/kinesis/descriptions.h"
#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"
#include "server/limits.h"

namespace trireme {
namespace {

void Write(const UpdateWarmThroughputResponse& update, KinesisCall& call,
           MessageWriter* writer) {
  WriteNames(*update.stream, call.account(), writer);
  WriteWarmThroughput(update.warm, writer);
}

void Run(KinesisCallPtr call) {
  call->broker().UpdateStreamWarmThroughput(
      {call->Stream(), *call->input().Integer("WarmThroughputMiBps")},
      kKinesisCallTimeout, ReplyWith(call, Write));
}

}  // namespace

KinesisOperation UpdateStreamWarmThroughputOperation() {
  return {"UpdateStreamWarmThroughput",
          OfStream({{"WarmThroughputMiBps",
                     Integer().Required().Range(0, kWarmMibpsMax)}}),
          Run};
}

}  // namespace trireme
