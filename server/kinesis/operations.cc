#include "server/kinesis/operations.h"

namespace trireme {

std::vector<KinesisOperation> AllKinesisOperations() {
  std::vector<KinesisOperation> operations;
  operations.push_back(AddTagsToStreamOperation());
  operations.push_back(CreateStreamOperation());
  operations.push_back(DecreaseStreamRetentionPeriodOperation());
  operations.push_back(DeleteResourcePolicyOperation());
  operations.push_back(DeleteStreamOperation());
  operations.push_back(DeregisterStreamConsumerOperation());
  operations.push_back(DescribeAccountSettingsOperation());
  operations.push_back(DescribeLimitsOperation());
  operations.push_back(DescribeStreamOperation());
  operations.push_back(DescribeStreamConsumerOperation());
  operations.push_back(DescribeStreamSummaryOperation());
  operations.push_back(DisableEnhancedMonitoringOperation());
  operations.push_back(EnableEnhancedMonitoringOperation());
  operations.push_back(GetRecordsOperation());
  operations.push_back(GetResourcePolicyOperation());
  operations.push_back(GetShardIteratorOperation());
  operations.push_back(IncreaseStreamRetentionPeriodOperation());
  operations.push_back(ListShardsOperation());
  operations.push_back(ListStreamConsumersOperation());
  operations.push_back(ListStreamsOperation());
  operations.push_back(ListTagsForResourceOperation());
  operations.push_back(ListTagsForStreamOperation());
  operations.push_back(MergeShardsOperation());
  operations.push_back(PutRecordOperation());
  operations.push_back(PutRecordsOperation());
  operations.push_back(PutResourcePolicyOperation());
  operations.push_back(RegisterStreamConsumerOperation());
  operations.push_back(RemoveTagsFromStreamOperation());
  operations.push_back(SplitShardOperation());
  operations.push_back(StartStreamEncryptionOperation());
  operations.push_back(StopStreamEncryptionOperation());
  operations.push_back(SubscribeToShardOperation());
  operations.push_back(TagResourceOperation());
  operations.push_back(UntagResourceOperation());
  operations.push_back(UpdateAccountSettingsOperation());
  operations.push_back(UpdateMaxRecordSizeOperation());
  operations.push_back(UpdateShardCountOperation());
  operations.push_back(UpdateStreamModeOperation());
  operations.push_back(UpdateStreamRecordDistributionStrategyOperation());
  operations.push_back(UpdateStreamWarmThroughputOperation());
  return operations;
}

}  // namespace trireme
