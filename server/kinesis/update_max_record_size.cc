#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"
#include "server/limits.h"

namespace trireme {
namespace {

void Run(KinesisCallPtr call) {
  call->broker().UpdateMaxRecordSize(
      {call->Stream(), *call->input().Integer("MaxRecordSizeInKiB")},
      kKinesisCallTimeout, Acknowledge(call));
}

}  // namespace

KinesisOperation UpdateMaxRecordSizeOperation() {
  return {"UpdateMaxRecordSize",
          OfStream({{"MaxRecordSizeInKiB",
                     Integer().Required().Range(kStreamRecordKibMaxLow,
                                                kStreamRecordKibMaxHigh)}}),
          Run};
}

}  // namespace trireme
