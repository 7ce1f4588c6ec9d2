#include "server/kinesis/descriptions.h"
#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"
#include "server/limits.h"

namespace trireme {
namespace {

// A stream whose capacity is its shards needs their number.
bool LacksShardCount(const MessageView& in) {
  const auto mode = in.Structure("StreamModeDetails");
  return !in.Has("ShardCount") &&
         (!mode || StreamModeNamed(mode->String("StreamMode")) ==
                       StreamMode::kProvisioned);
}

void Check(const nlohmann::json& message, Violations* violations) {
  if (LacksShardCount(MessageView(message))) violations->AddNull("shardCount");
}

void Run(KinesisCallPtr call) {
  const MessageView in = call->input();
  CreateStreamRequest request;
  request.stream_name = in.String("StreamName");
  request.shard_count = in.Integer("ShardCount").value_or(0);
  request.max_record_size_in_kib = in.Integer("MaxRecordSizeInKiB").value_or(0);
  request.tags = in.StringMap<Tags>("Tags");
  if (const auto mode = in.Structure("StreamModeDetails")) {
    request.mode = StreamModeNamed(mode->String("StreamMode"));
  }
  request.warm_mibps = in.Integer("WarmThroughputMiBps");
  request.distribution =
      RecordDistributionNamed(in.String("RecordDistributionStrategy"));
  call->broker().CreateStream(request, kKinesisCallTimeout, Acknowledge(call));
}

}  // namespace

KinesisOperation CreateStreamOperation() {
  return {"CreateStream",
          Structure({
              {"ShardCount", Integer().Range(1, 100'000)},
              {"StreamName", ResourceNameShape().Required()},
              {"StreamModeDetails", StreamModeDetailsShape()},
              {"Tags", TagMapShape()},
              {"WarmThroughputMiBps", Integer().Range(0, kWarmMibpsMax)},
              {"MaxRecordSizeInKiB", Integer().Range(kStreamRecordKibMaxLow,
                                                     kStreamRecordKibMaxHigh)},
              {"RecordDistributionStrategy", RecordDistributionShape()},
          }),
          Run, Check};
}

}  // namespace trireme
