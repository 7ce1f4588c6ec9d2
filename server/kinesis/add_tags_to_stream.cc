#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
namespace {

void Run(KinesisCallPtr call) {
  const MessageView in = call->input();
  call->broker().AddTags({call->Stream(), in.StringMap<Tags>("Tags")},
                         kKinesisCallTimeout, Acknowledge(call));
}

}  // namespace

KinesisOperation AddTagsToStreamOperation() {
  return {"AddTagsToStream", OfStream({{"Tags", TagMapShape().Required()}}),
          Run};
}

}  // namespace trireme
