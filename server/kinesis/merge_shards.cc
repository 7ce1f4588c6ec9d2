#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
namespace {

void Run(KinesisCallPtr call) {
  const MessageView in = call->input();
  call->broker().MergeShards({call->Stream(), in.String("ShardToMerge"),
                              in.String("AdjacentShardToMerge")},
                             kKinesisCallTimeout, Acknowledge(call));
}

}  // namespace

KinesisOperation MergeShardsOperation() {
  return {"MergeShards",
          OfStream({{"ShardToMerge", ResourceNameShape().Required()},
                    {"AdjacentShardToMerge", ResourceNameShape().Required()}}),
          Run};
}

}  // namespace trireme
