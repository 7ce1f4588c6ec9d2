#include "server/kinesis/descriptions.h"
#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
namespace {

// StreamId stays untold: it is "reserved for future use", and an SDK that is
// given one (KCL 3.5 hands it on) goes to a host of AWS made of it, whatever
// endpoint it was pointed to.
void Write(const StreamPtr& found, KinesisCall& call, MessageWriter* writer) {
  const Stream& stream = *found;
  writer->Key("StreamDescriptionSummary").BeginMap();
  WriteSummary(stream, call.account(), writer);
  WriteSettings(stream, writer);
  writer->Key("OpenShardCount")
      .Integer(static_cast<int64_t>(stream.open.size()));
  writer->Key("ConsumerCount")
      .Integer(static_cast<int64_t>(stream.consumers.by_name.size()));
  writer->Key("MaxRecordSizeInKiB")
      .Integer(static_cast<int64_t>(stream.record_bytes_max / 1024));
  if (stream.warm) WriteWarmThroughput(*stream.warm, writer);
  if (stream.mode == StreamMode::kOnDemand) {
    writer->Key("RecordDistributionStrategy")
        .String(stream.distribution == RecordDistribution::kAuto
                    ? "AUTO"
                    : "USER_PARTITION_KEY");
  }
  writer->EndMap();
}

void Run(KinesisCallPtr call) {
  call->broker().DescribeStreamSummary(call->Stream(), kKinesisCallTimeout,
                                       ReplyWith(call, Write));
}

}  // namespace

KinesisOperation DescribeStreamSummaryOperation() {
  return {"DescribeStreamSummary", OfStream(), Run};
}

}  // namespace trireme
