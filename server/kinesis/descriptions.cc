#include "server/kinesis/descriptions.h"

#include <string>

#include "server/consumer_names.h"
#include "server/error_map.h"
#include "storage/ids.h"
#include "storage/stream_name.h"

namespace trireme {
namespace {

absl::string_view StatusName(CommitmentStatus status) {
  switch (status) {
    case CommitmentStatus::kDisabled:
      return "DISABLED";
    case CommitmentStatus::kEnabled:
      return "ENABLED";
    case CommitmentStatus::kEnding:
      return "ENABLED_UNTIL_EARLIEST_ALLOWED_END";
  }
  return "";
}

void WriteRange(const HashKeyRange& range, MessageWriter* writer) {
  writer->Key("HashKeyRange").BeginMap();
  writer->Key("StartingHashKey").String(HashKeyToString(range.start));
  writer->Key("EndingHashKey").String(HashKeyToString(range.end));
  writer->EndMap();
}

void WriteShard(const Shard& shard, MessageWriter* writer) {
  writer->BeginMap();
  writer->Key("ShardId").String(ShardIdToString(shard.index));
  if (shard.parent.has_value()) {
    writer->Key("ParentShardId").String(ShardIdToString(*shard.parent));
  }
  if (shard.adjacent_parent.has_value()) {
    writer->Key("AdjacentParentShardId")
        .String(ShardIdToString(*shard.adjacent_parent));
  }
  WriteRange(shard.range, writer);
  writer->Key("SequenceNumberRange").BeginMap();
  writer->Key("StartingSequenceNumber").String(StartingSequenceNumber(shard));
  if (shard.end.has_value()) {
    writer->Key("EndingSequenceNumber").String(EndingSequenceNumber(shard));
  }
  writer->EndMap();
  writer->EndMap();
}

void WriteTimeIf(absl::string_view name, const std::optional<absl::Time>& time,
                 MessageWriter* writer) {
  if (time.has_value()) writer->Key(name).Time(*time);
}

}  // namespace

absl::string_view StreamModeName(StreamMode mode) {
  return mode == StreamMode::kOnDemand ? "ON_DEMAND" : "PROVISIONED";
}

StreamMode StreamModeNamed(absl::string_view name) {
  return name == "ON_DEMAND" ? StreamMode::kOnDemand : StreamMode::kProvisioned;
}

RecordDistribution RecordDistributionNamed(absl::string_view name) {
  return name == "AUTO" ? RecordDistribution::kAuto
                        : RecordDistribution::kUserPartitionKey;
}

void WriteNames(const Stream& stream, const Account& account,
                MessageWriter* writer) {
  writer->Key("StreamName").String(stream.name);
  writer->Key("StreamARN").String(StreamArn(account, stream.name));
}

void WriteSummary(const Stream& stream, const Account& account,
                  MessageWriter* writer) {
  WriteNames(stream, account, writer);
  writer->Key("StreamStatus").String(StreamStatusName(stream.status));
  writer->Key("StreamModeDetails").BeginMap();
  writer->Key("StreamMode").String(StreamModeName(stream.mode));
  writer->EndMap();
  writer->Key("StreamCreationTimestamp").Time(stream.created);
}

void WriteSettings(const Stream& stream, MessageWriter* writer) {
  writer->Key("RetentionPeriodHours").Integer(stream.retention_hours);
  writer->Key("EnhancedMonitoring").BeginList();
  writer->BeginMap();
  WriteStrings("ShardLevelMetrics", stream.shard_metrics.Names(), writer);
  writer->EndMap();
  writer->EndList();
  const bool encrypted = IsEncrypted(stream);
  writer->Key("EncryptionType").String(encrypted ? "KMS" : "NONE");
  if (encrypted) writer->Key("KeyId").String(stream.kms_key_id);
}

void WriteShards(const std::vector<const Shard*>& shards,
                 MessageWriter* writer) {
  writer->Key("Shards").BeginList();
  for (const Shard* shard : shards) WriteShard(*shard, writer);
  writer->EndList();
}

void WriteChildShards(const std::vector<ChildShard>& children,
                      MessageWriter* writer) {
  if (children.empty()) return;
  writer->Key("ChildShards").BeginList();
  for (const ChildShard& child : children) {
    writer->BeginMap();
    writer->Key("ShardId").String(ShardIdToString(child.shard));
    writer->Key("ParentShards").BeginList();
    for (const ShardIndex parent : child.parents) {
      writer->String(ShardIdToString(parent));
    }
    writer->EndList();
    WriteRange(child.range, writer);
    writer->EndMap();
  }
  writer->EndList();
}

void WritePlace(const PutResult& put, MessageWriter* writer) {
  writer->Key("ShardId").String(ShardIdToString(put.sequence_number.shard));
  writer->Key("SequenceNumber").String(put.sequence_number.ToString());
}

void WritePlaceOrError(const PutResult& put, MessageWriter* writer) {
  if (put.status.ok()) return WritePlace(put, writer);
  const RecordError error = DescribeRecordError(put.status);
  writer->Key("ErrorCode").String(error.code);
  writer->Key("ErrorMessage").String(error.message);
}

void WriteEncryptionType(bool encrypted, MessageWriter* writer) {
  if (encrypted) writer->Key("EncryptionType").String("KMS");
}

void WriteRecords(const RecordRun& records, bool encrypted,
                  MessageWriter* writer) {
  writer->Key("Records").BeginList();
  for (const EncodedSpan& span : records.spans) {
    absl::string_view rest = span.bytes;
    while (!rest.empty()) {
      const EncodedRecord record = TakeRecord(&rest);
      writer->BeginMap();
      writer->Key("SequenceNumber").String(record.sequence_number);
      writer->Key("ApproximateArrivalTimestamp")
          .Time(absl::FromUnixMillis(record.arrival_ms));
      writer->Key("Data").Bytes(record.data);
      if (!record.partition_key.empty()) {
        writer->Key("PartitionKey").String(record.partition_key);
      }
      WriteEncryptionType(encrypted, writer);
      writer->EndMap();
    }
  }
  writer->EndList();
}

void WriteStrings(absl::string_view name,
                  const std::vector<absl::string_view>& values,
                  MessageWriter* writer) {
  writer->Key(name).BeginList();
  for (const absl::string_view value : values) writer->String(value);
  writer->EndList();
}

void WriteTags(const Tags& tags, MessageWriter* writer) {
  writer->Key("Tags").BeginList();
  for (const auto& [key, value] : tags) {
    writer->BeginMap();
    writer->Key("Key").String(key);
    writer->Key("Value").String(value);
    writer->EndMap();
  }
  writer->EndList();
}

void WriteWarmThroughput(const WarmThroughput& warm, MessageWriter* writer) {
  writer->Key("WarmThroughput").BeginMap();
  writer->Key("TargetMiBps").Integer(static_cast<int64_t>(warm.target_mibps));
  writer->Key("CurrentMiBps").Integer(static_cast<int64_t>(warm.current_mibps));
  writer->EndMap();
}

void WriteConsumer(const FoundConsumer& consumer, absl::string_view status,
                   const Account& account, MessageWriter* writer) {
  writer->Key("ConsumerName").String(consumer.name);
  writer->Key("ConsumerARN")
      .String(ConsumerArn(account, consumer.stream_name, consumer.name,
                          consumer.created_s));
  writer->Key("ConsumerStatus").String(status);
  writer->Key("ConsumerCreationTimestamp")
      .Time(absl::FromUnixSeconds(static_cast<int64_t>(consumer.created_s)));
}

void WriteNextToken(absl::string_view token, MessageWriter* writer) {
  if (!token.empty()) writer->Key("NextToken").String(token);
}

void WriteCommitment(const AccountSettings& settings, MessageWriter* writer) {
  const BillingCommitment& commitment = settings.commitment;
  writer->Key("MinimumThroughputBillingCommitment").BeginMap();
  writer->Key("Status").String(StatusName(commitment.status));
  WriteTimeIf("StartedAt", commitment.started, writer);
  WriteTimeIf("EndedAt", commitment.ended, writer);
  WriteTimeIf("EarliestAllowedEndAt", commitment.earliest_end, writer);
  writer->EndMap();
}

}  // namespace trireme
