// The operations of the Kinesis API that the Broker has (kinesis-contract.md
// §1), each in the file of its name.
#ifndef TRIREME_SERVER_KINESIS_OPERATIONS_H_
#define TRIREME_SERVER_KINESIS_OPERATIONS_H_

#include <vector>

#include "server/kinesis/kinesis_call.h"

namespace trireme {

KinesisOperation AddTagsToStreamOperation();
KinesisOperation CreateStreamOperation();
KinesisOperation DecreaseStreamRetentionPeriodOperation();
KinesisOperation DeleteResourcePolicyOperation();
KinesisOperation DeleteStreamOperation();
KinesisOperation DeregisterStreamConsumerOperation();
KinesisOperation DescribeAccountSettingsOperation();
KinesisOperation DescribeLimitsOperation();
KinesisOperation DescribeStreamOperation();
KinesisOperation DescribeStreamConsumerOperation();
KinesisOperation DescribeStreamSummaryOperation();
KinesisOperation DisableEnhancedMonitoringOperation();
KinesisOperation EnableEnhancedMonitoringOperation();
KinesisOperation GetRecordsOperation();
KinesisOperation GetResourcePolicyOperation();
KinesisOperation GetShardIteratorOperation();
KinesisOperation IncreaseStreamRetentionPeriodOperation();
KinesisOperation ListShardsOperation();
KinesisOperation ListStreamConsumersOperation();
KinesisOperation ListStreamsOperation();
KinesisOperation ListTagsForResourceOperation();
KinesisOperation ListTagsForStreamOperation();
KinesisOperation MergeShardsOperation();
KinesisOperation PutRecordOperation();
KinesisOperation PutRecordsOperation();
KinesisOperation PutResourcePolicyOperation();
KinesisOperation RegisterStreamConsumerOperation();
KinesisOperation RemoveTagsFromStreamOperation();
KinesisOperation SplitShardOperation();
KinesisOperation StartStreamEncryptionOperation();
KinesisOperation StopStreamEncryptionOperation();
KinesisOperation SubscribeToShardOperation();
KinesisOperation TagResourceOperation();
KinesisOperation UntagResourceOperation();
KinesisOperation UpdateAccountSettingsOperation();
KinesisOperation UpdateMaxRecordSizeOperation();
KinesisOperation UpdateShardCountOperation();
KinesisOperation UpdateStreamModeOperation();
KinesisOperation UpdateStreamRecordDistributionStrategyOperation();
KinesisOperation UpdateStreamWarmThroughputOperation();

std::vector<KinesisOperation> AllKinesisOperations();

}  // namespace trireme

#endif  // TRIREME_SERVER_KINESIS_OPERATIONS_H_
