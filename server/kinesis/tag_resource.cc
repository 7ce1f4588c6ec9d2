#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
namespace {

void Run(KinesisCallPtr call) {
  const MessageView in = call->input();
  call->broker().AddTags({call->Resource(), in.StringMap<Tags>("Tags")},
                         kKinesisCallTimeout, Acknowledge(call));
}

}  // namespace

KinesisOperation TagResourceOperation() {
  return {"TagResource", OfResource({{"Tags", TagMapShape().Required()}}), Run};
}

}  // namespace trireme
