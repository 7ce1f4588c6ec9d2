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
          // In the order in which the service tells what is wrong.
          Structure({{"NewStartingHashKey", HashKeyShape().Required()},
                     {"StreamName", ResourceNameShape()},
                     {"ShardToSplit", ResourceNameShape().Required()},
                     {"StreamARN", ArnShape()},
                     {"StreamId", StreamIdShape()}}),
          Run};
}

}  // namespace trireme
