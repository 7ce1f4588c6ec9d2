#include "storage/catalog_tables.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/hash_key.h"
#include "storage/resharding.h"
#include "storage/status_macros.h"
#include "storage/tag_rows.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

void EncodeShard(const Shard& shard, v1::ShardRow* row) {
  row->set_shard(shard.index.value());
  row->set_group(shard.group.value());
  row->set_range_start(HashKeyToBytes(shard.range.start));
  row->set_range_end(HashKeyToBytes(shard.range.end));
  row->set_created_s(shard.created_s);
  if (shard.parent) row->set_parent(shard.parent->value());
  if (shard.adjacent_parent)
    row->set_adjacent_parent(shard.adjacent_parent->value());
  if (shard.end) row->set_end_counter(*shard.end);
  row->set_closed_s(shard.closed_s);
}

absl::StatusOr<Shard> DecodeShard(const v1::ShardRow& row) {
  Shard shard;
  shard.index = ShardIndex(row.shard());
  shard.group = GroupId(row.group());
  if (!HashKeyFromBytes(row.range_start(), &shard.range.start) ||
      !HashKeyFromBytes(row.range_end(), &shard.range.end) ||
      shard.range.start > shard.range.end)
    return absl::DataLossError("a shard's hash key range is malformed");
  shard.created_s = row.created_s();
  if (row.has_parent()) shard.parent = ShardIndex(row.parent());
  if (row.has_adjacent_parent())
    shard.adjacent_parent = ShardIndex(row.adjacent_parent());
  if (row.has_end_counter()) shard.end = row.end_counter();
  shard.closed_s = row.closed_s();
  return shard;
}

absl::Status CheckShards(const Stream& stream) {
  for (size_t i = 1; i < stream.shards.size(); ++i) {
    if (!(stream.shards[i - 1].index < stream.shards[i].index))
      return absl::DataLossError("shards out of order");
  }
  if (stream.open.empty()) return absl::DataLossError("no open shard");
  HashKey expected = 0;
  for (size_t i = 0; i < stream.open.size(); ++i) {
    const HashKeyRange& range = stream.shards[stream.open[i]].range;
    if (range.start != expected || (i > 0 && expected == 0))
      return absl::DataLossError("open shards leave a gap or overlap");
    expected = range.end + 1;  // Zero after the last key of all.
  }
  if (expected != 0)
    return absl::DataLossError("open shards end before the last hash key");
  return absl::OkStatus();
}

absl::StatusOr<Reshard> DecodeReshard(const v1::ReshardRow& row,
                                      const Stream& stream) {
  Reshard reshard;
  for (const uint32_t parent : row.parents()) {
    const Shard* const shard = stream.FindShard(ShardIndex(parent));
    if (shard == nullptr || shard->end.has_value())
      return absl::DataLossError("a reshard of a shard that is not open");
    reshard.parents.push_back(shard->index);
  }
  for (const v1::ShardRow& child_row : row.children()) {
    ASSIGN_OR_RETURN(Shard child, DecodeShard(child_row));
    if (stream.FindShard(child.index) != nullptr)
      return absl::DataLossError("a reshard's child has another's number");
    reshard.children.push_back(std::move(child));
  }
  if (reshard.parents.empty() || reshard.children.empty())
    return absl::DataLossError("a reshard without parents or children");
  const HashKeyRange range = RangeOf(stream, reshard);
  HashKey expected = range.start;
  for (const Shard& child : reshard.children) {
    if (child.range.start != expected || child.range.end > range.end)
      return absl::DataLossError("a reshard's children leave a gap or overlap");
    expected = child.range.end + 1;
  }
  if (expected != range.end + 1)
    return absl::DataLossError("a reshard's children end before its parents");
  return reshard;
}

void EncodeConsumers(const Consumers& consumers, v1::ConsumersRow* row) {
  row->set_next_number(consumers.next_number);
  row->set_created_s_min(consumers.created_s_min);
  for (const auto& [name, consumer] : consumers.by_name) {
    v1::ConsumerRow& one = *row->add_consumers();
    one.set_number(consumer.number);
    one.set_name(name);
    one.set_created_s(consumer.created_s);
    AppendTags(consumer.tags, one.mutable_tags());
    one.set_policy(consumer.policy);
  }
}

absl::StatusOr<Consumers> DecodeConsumers(const v1::ConsumersRow& row) {
  Consumers consumers;
  consumers.next_number = row.next_number();
  consumers.created_s_min = row.created_s_min();
  for (const v1::ConsumerRow& one : row.consumers()) {
    if (one.number() >= row.next_number() || consumers.Has(one.number()))
      return absl::DataLossError("a consumer's number is not its own");
    Consumer consumer;
    consumer.number = one.number();
    consumer.created_s = one.created_s();
    SetTags(one.tags(), &consumer.tags);
    consumer.policy = one.policy();
    if (!consumers.by_name.emplace(one.name(), std::move(consumer)).second)
      return absl::DataLossError("two consumers of one name");
  }
  return consumers;
}

void EncodeDecision(const ScalingDecision& decision,
                    v1::ScalingDecisionRow* row) {
  row->set_decided_ms(absl::ToUnixMillis(decision.decided));
  row->set_action(static_cast<uint32_t>(decision.action));
  for (const ShardIndex shard : decision.shards) row->add_shards(shard.value());
  row->set_reason(decision.reason);
}

absl::StatusOr<ScalingDecision> DecodeDecision(
    const v1::ScalingDecisionRow& row) {
  if (row.action() < 1 || row.action() > 3)
    return absl::DataLossError("an unknown scaling decision");
  ScalingDecision decision;
  decision.decided = absl::FromUnixMillis(row.decided_ms());
  decision.action = static_cast<ScalingAction>(row.action());
  for (const uint32_t shard : row.shards())
    decision.shards.push_back(ShardIndex(shard));
  decision.reason = row.reason();
  return decision;
}

absl::StatusOr<std::shared_ptr<const Stream>> Decode(absl::string_view bytes) {
  v1::StreamRow row;
  if (!row.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return absl::DataLossError("it does not parse");
  auto stream = std::make_shared<Stream>();
  stream->id = StreamId(row.stream_id());
  stream->name = row.name();
  if (row.status() < 1 || row.status() > 4)
    return absl::DataLossError(absl::StrCat("unknown status ", row.status()));
  stream->status = static_cast<StreamStatus>(row.status());
  stream->created = absl::FromUnixMillis(row.created_ms());
  stream->retention_hours = row.retention_hours();
  stream->retention_hours_next = row.retention_hours_next();
  stream->retention_change = row.retention_change();
  stream->trimmed_until_ms = row.trimmed_until_ms();
  stream->record_bytes_max = row.record_bytes_max();
  stream->shards.reserve(static_cast<size_t>(row.shards_size()));
  for (const v1::ShardRow& shard_row : row.shards()) {
    ASSIGN_OR_RETURN(Shard shard, DecodeShard(shard_row));
    stream->shards.push_back(std::move(shard));
  }
  ListOpenShards(stream.get());
  RETURN_IF_ERROR(CheckShards(*stream));
  for (const v1::ReshardRow& reshard_row : row.reshards()) {
    ASSIGN_OR_RETURN(Reshard reshard, DecodeReshard(reshard_row, *stream));
    stream->reshards.push_back(std::move(reshard));
  }
  for (const v1::ShardRow& shard_row : row.forgotten()) {
    ASSIGN_OR_RETURN(Shard shard, DecodeShard(shard_row));
    stream->forgotten.push_back(std::move(shard));
  }
  stream->shard_count_target = row.shard_count_target();
  SetTags(row.tags(), &stream->tags);
  if (row.has_consumers()) {
    ASSIGN_OR_RETURN(stream->consumers, DecodeConsumers(row.consumers()));
  }
  stream->policy = row.policy();
  stream->shard_metrics = ShardMetrics::FromBits(row.shard_metrics());
  stream->kms_key_id = row.kms_key_id();
  if (row.mode() > 1 || row.distribution() > 1)
    return absl::DataLossError("unknown mode or distribution of records");
  stream->mode = static_cast<StreamMode>(row.mode());
  stream->distribution = static_cast<RecordDistribution>(row.distribution());
  if (row.has_warm_target_mibps())
    stream->warm =
        WarmThroughput{row.warm_target_mibps(), row.warm_current_mibps()};
  for (const v1::ScalingDecisionRow& decision_row : row.scaling_decisions()) {
    ASSIGN_OR_RETURN(ScalingDecision decision, DecodeDecision(decision_row));
    stream->scaling_decisions.push_back(std::move(decision));
  }
  for (const v1::DailyChangeRow& changes : row.daily_changes()) {
    stream->daily_changes[static_cast<DailyChange>(changes.change())].assign(
        changes.stamps_ms().begin(), changes.stamps_ms().end());
  }
  return stream;
}

}  // namespace

std::string EncodeStream(const Stream& stream) {
  v1::StreamRow row;
  row.set_stream_id(stream.id.value());
  row.set_name(stream.name);
  row.set_status(static_cast<uint32_t>(stream.status));
  row.set_created_ms(absl::ToUnixMillis(stream.created));
  row.set_retention_hours(stream.retention_hours);
  row.set_retention_hours_next(stream.retention_hours_next);
  row.set_retention_change(stream.retention_change);
  row.set_trimmed_until_ms(stream.trimmed_until_ms);
  row.set_record_bytes_max(stream.record_bytes_max);
  for (const Shard& shard : stream.shards) EncodeShard(shard, row.add_shards());
  for (const Reshard& reshard : stream.reshards) {
    v1::ReshardRow& reshard_row = *row.add_reshards();
    for (const ShardIndex parent : reshard.parents)
      reshard_row.add_parents(parent.value());
    for (const Shard& child : reshard.children)
      EncodeShard(child, reshard_row.add_children());
  }
  for (const Shard& shard : stream.forgotten)
    EncodeShard(shard, row.add_forgotten());
  row.set_shard_count_target(stream.shard_count_target);
  AppendTags(stream.tags, row.mutable_tags());
  EncodeConsumers(stream.consumers, row.mutable_consumers());
  row.set_policy(stream.policy);
  row.set_shard_metrics(stream.shard_metrics.bits());
  row.set_kms_key_id(stream.kms_key_id);
  row.set_mode(static_cast<uint32_t>(stream.mode));
  row.set_distribution(static_cast<uint32_t>(stream.distribution));
  if (stream.warm) {
    row.set_warm_target_mibps(stream.warm->target_mibps);
    row.set_warm_current_mibps(stream.warm->current_mibps);
  }
  for (const ScalingDecision& decision : stream.scaling_decisions)
    EncodeDecision(decision, row.add_scaling_decisions());
  for (const auto& [change, stamps_ms] : stream.daily_changes) {
    v1::DailyChangeRow& changes = *row.add_daily_changes();
    changes.set_change(static_cast<uint32_t>(change));
    changes.mutable_stamps_ms()->Add(stamps_ms.begin(), stamps_ms.end());
  }
  return row.SerializeAsString();
}

absl::StatusOr<std::shared_ptr<const Stream>> DecodeStream(
    absl::string_view row) {
  auto stream = Decode(row);
  if (stream.ok()) return stream;
  return absl::DataLossError(
      absl::StrCat("malformed row of a stream: ", stream.status().message()));
}

void ListOpenShards(Stream* stream) {
  stream->open.clear();
  for (uint32_t i = 0; i < stream->shards.size(); ++i) {
    if (!stream->shards[i].end) stream->open.push_back(i);
  }
  std::sort(stream->open.begin(), stream->open.end(),
            [stream](uint32_t a, uint32_t b) {
              return stream->shards[a].range.start <
                     stream->shards[b].range.start;
            });
}

}  // namespace trireme
