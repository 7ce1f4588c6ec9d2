#include "server/kinesis/descriptions.h"
#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"
#include "server/limits.h"
#include "storage/shard_metrics.h"

namespace trireme {
namespace {

void Write(const MonitoringResponse& changed, KinesisCall& call,
           MessageWriter* writer) {
  WriteNames(*changed.stream, call.account(), writer);
  WriteStrings("CurrentShardLevelMetrics", changed.before.Names(), writer);
  WriteStrings("DesiredShardLevelMetrics", changed.after.Names(), writer);
}

void Change(KinesisCallPtr call, bool enable) {
  call->broker().ChangeEnhancedMonitoring(
      {call->Stream(), call->input().Strings("ShardLevelMetrics"), enable},
      kKinesisCallTimeout, ReplyWith(call, Write));
}

Shape Input() {
  return OfStream(
      {{"ShardLevelMetrics", List(String().OneOf(ShardMetrics::AllNames()))
                                 .Required()
                                 .Length(1, kShardMetricsOfRequestMax)}});
}

}  // namespace

KinesisOperation EnableEnhancedMonitoringOperation() {
  return {"EnableEnhancedMonitoring", Input(),
          [](KinesisCallPtr call) { Change(std::move(call), true); }};
}

KinesisOperation DisableEnhancedMonitoringOperation() {
  return {"DisableEnhancedMonitoring", Input(),
          [](KinesisCallPtr call) { Change(std::move(call), false); }};
}

}  // namespace trireme
