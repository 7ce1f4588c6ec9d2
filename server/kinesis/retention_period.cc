#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
namespace {

RetentionPeriodRequest RequestOf(KinesisCall& call) {
  return {call.Stream(), *call.input().Integer("RetentionPeriodHours")};
}

void Increase(KinesisCallPtr call) {
  call->broker().IncreaseStreamRetentionPeriod(
      RequestOf(*call), kKinesisCallTimeout, Acknowledge(call));
}

void Decrease(KinesisCallPtr call) {
  call->broker().DecreaseStreamRetentionPeriod(
      RequestOf(*call), kKinesisCallTimeout, Acknowledge(call));
}

Shape Input() {
  // Which periods there may be is for the Broker to say, in its own words.
  return OfStream(
      {{"RetentionPeriodHours", Integer().Required().Range(1, kIntegerMax)}});
}

}  // namespace

KinesisOperation IncreaseStreamRetentionPeriodOperation() {
  return {"IncreaseStreamRetentionPeriod", Input(), Increase};
}

KinesisOperation DecreaseStreamRetentionPeriodOperation() {
  return {"DecreaseStreamRetentionPeriod", Input(), Decrease};
}

}  // namespace trireme
