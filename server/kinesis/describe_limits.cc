#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
namespace {

void Write(const DescribeLimitsResponse& limits, KinesisCall& /*call*/,
           MessageWriter* writer) {
  const auto write = [&](absl::string_view name, uint64_t value) {
    writer->Key(name).Integer(static_cast<int64_t>(value));
  };
  write("ShardLimit", limits.shard_limit);
  write("OpenShardCount", limits.open_shard_count);
  write("OnDemandStreamCount", limits.on_demand_stream_count);
  write("OnDemandStreamCountLimit", limits.on_demand_stream_count_limit);
}

void Run(KinesisCallPtr call) {
  call->broker().DescribeLimits(kKinesisCallTimeout, ReplyWith(call, Write));
}

}  // namespace

KinesisOperation DescribeLimitsOperation() {
  return {"DescribeLimits", Structure({}), Run};
}

}  // namespace trireme
