#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
namespace {

void Run(KinesisCallPtr call) {
  const MessageView in = call->input();
  call->broker().SplitShard({call->Stream(), in.String("ShardToSplit"),
                             in.String("NewStartingHashKey")},
                            kKinesisCallTimeout, Acknowledge(call));
}

}  // namespace

KinesisOperation SplitShardOperation() {
  return {"SplitShard",
          OfStream({{"NewStartingHashKey", HashKeyShape().Required()},
                    {"ShardToSplit", ResourceNameShape().Required()}}),
          Run};
}

}  // namespace trireme
