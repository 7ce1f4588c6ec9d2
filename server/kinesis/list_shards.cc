#include "server/kinesis/descriptions.h"
#include "server/kinesis/operations.h"
#include "server/kinesis/shapes.h"

namespace trireme {
namespace {

ShardFilterType FilterTypeNamed(absl::string_view name) {
  if (name == "AFTER_SHARD_ID") return ShardFilterType::kAfterShardId;
  if (name == "AT_TRIM_HORIZON") return ShardFilterType::kAtTrimHorizon;
  if (name == "FROM_TRIM_HORIZON") return ShardFilterType::kFromTrimHorizon;
  if (name == "AT_LATEST") return ShardFilterType::kAtLatest;
  if (name == "AT_TIMESTAMP") return ShardFilterType::kAtTimestamp;
  return ShardFilterType::kFromTimestamp;
}

ShardFilter FilterOf(const MessageView& in) {
  const auto filter = in.Structure("ShardFilter");
  if (!filter) return {};
  return {FilterTypeNamed(filter->String("Type")), filter->String("ShardId"),
          filter->Time("Timestamp")};
}

void Write(const ListShardsResponse& found, KinesisCall& /*call*/,
           MessageWriter* writer) {
  WriteShards(found.shards, writer);
  WriteNextToken(found.next_token, writer);
}

void Run(KinesisCallPtr call) {
  const MessageView in = call->input();
  call->broker().ListShards(
      {call->Stream(), in.String("NextToken"),
       in.Integer("MaxResults").value_or(0), in.String("ExclusiveStartShardId"),
       FilterOf(in), in.Time("StreamCreationTimestamp")},
      kKinesisCallTimeout, ReplyWith(call, Write));
}

Shape FilterShape() {
  return Structure(
      {{"Type", String().Required().OneOf({"AFTER_SHARD_ID", "AT_TRIM_HORIZON",
                                           "FROM_TRIM_HORIZON", "AT_LATEST",
                                           "AT_TIMESTAMP", "FROM_TIMESTAMP"})},
       {"ShardId", ResourceNameShape()},
       {"Timestamp", Time()}});
}

}  // namespace

KinesisOperation ListShardsOperation() {
  return {"ListShards",
          OfStream({{"ExclusiveStartShardId", ResourceNameShape()},
                    {"MaxResults", ListLimitShape()},
                    {"NextToken", NextTokenShape()},
                    {"StreamCreationTimestamp", Time()},
                    {"ShardFilter", FilterShape()}}),
          Run};
}

}  // namespace trireme
