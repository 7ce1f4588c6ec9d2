#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
namespace {

void Run(KinesisCallPtr call) {
  call->broker().DeleteStream(
      {call->Stream(), call->input().Boolean("EnforceConsumerDeletion")},
      kKinesisCallTimeout, Acknowledge(call));
}

}  // namespace

KinesisOperation DeleteStreamOperation() {
  return {"DeleteStream", OfStream({{"EnforceConsumerDeletion", Boolean()}}),
          Run};
}

}  // namespace trireme
