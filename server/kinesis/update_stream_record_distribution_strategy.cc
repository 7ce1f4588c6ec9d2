#include "server/kinesis/descriptions.h"
#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
namespace {

void Run(KinesisCallPtr call) {
  call->broker().UpdateStreamRecordDistributionStrategy(
      {call->Stream(), RecordDistributionNamed(
                           call->input().String("RecordDistributionStrategy"))},
      kKinesisCallTimeout, Acknowledge(call));
}

}  // namespace

KinesisOperation UpdateStreamRecordDistributionStrategyOperation() {
  return {"UpdateStreamRecordDistributionStrategy",
          OfStreamArn({{"RecordDistributionStrategy",
                        RecordDistributionShape().Required()}}),
          Run};
}

}  // namespace trireme
