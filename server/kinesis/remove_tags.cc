#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
namespace {

std::vector<std::string> KeysOf(KinesisCall& call) {
  const std::vector<absl::string_view> keys = call.input().Strings("TagKeys");
  return {keys.begin(), keys.end()};
}

void OfTheStream(KinesisCallPtr call) {
  call->broker().RemoveTags({call->Stream(), KeysOf(*call)},
                            kKinesisCallTimeout, Acknowledge(call));
}

void OfTheResource(KinesisCallPtr call) {
  call->broker().RemoveTags({call->Resource(), KeysOf(*call)},
                            kKinesisCallTimeout, Acknowledge(call));
}

}  // namespace

KinesisOperation RemoveTagsFromStreamOperation() {
  return {"RemoveTagsFromStream",
          OfStream({{"TagKeys", TagKeysShape().Required()}}), OfTheStream};
}

KinesisOperation UntagResourceOperation() {
  return {"UntagResource", OfResource({{"TagKeys", TagKeysShape().Required()}}),
          OfTheResource};
}

}  // namespace trireme
