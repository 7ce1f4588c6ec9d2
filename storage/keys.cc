#include "storage/keys.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace trireme {
namespace {

// Takes `values` off a key of `kind`; false when it is any other key.
template <typename... Ints>
bool Decode(absl::string_view key, KeyKind kind, Ints*... values) {
  ByteCursor cursor(key);
  uint8_t first = 0;
  return cursor.TakeLittle(&first) && first == static_cast<uint8_t>(kind) &&
         (cursor.TakeBig(values) && ...) && cursor.empty();
}

Key ThenShard(Key key, const ShardKey& shard) {
  return key.Then(shard.stream.value()).Then(shard.shard.value());
}

// By PlaceOf.
constexpr absl::string_view kClassNames[] = {"day", "week", "year", "daykept",
                                             "weekkept"};

}  // namespace

std::optional<RetentionClass> ToRetentionClass(uint64_t number) {
  if (number < 1 || number > kRetentionClasses.size()) return std::nullopt;
  return static_cast<RetentionClass>(number);
}

std::string Key::PrefixEnd() const {
  std::string end(view());
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  // No kind is 0xff, so the first byte is always left.
  end.back() = static_cast<char>(end.back() + 1);
  return end;
}

Key GroupKey(GroupId group) { return Key(KeyKind::kGroup).Then(group.value()); }

std::optional<GroupId> DecodeGroupKey(absl::string_view key) {
  uint32_t group = 0;
  if (!Decode(key, KeyKind::kGroup, &group)) return std::nullopt;
  return GroupId(group);
}

Key ClaimsKey(GroupId group) {
  return Key(KeyKind::kClaims).Then(group.value());
}

std::optional<GroupId> DecodeClaimsKey(absl::string_view key) {
  uint32_t group = 0;
  if (!Decode(key, KeyKind::kClaims, &group)) return std::nullopt;
  return GroupId(group);
}

Key ShardStateKey(const ShardStateId& id) {
  return ThenShard(Key(KeyKind::kShardState).Then(id.group.value()), id.shard);
}

std::optional<ShardStateId> DecodeShardStateKey(absl::string_view key) {
  uint32_t group = 0;
  uint32_t stream = 0;
  uint32_t shard = 0;
  if (!Decode(key, KeyKind::kShardState, &group, &stream, &shard))
    return std::nullopt;
  return ShardStateId{GroupId(group), {StreamId(stream), ShardIndex(shard)}};
}

Key GroupProducersKey(GroupId group) {
  return Key(KeyKind::kProducer).Then(group.value());
}

Key ShardProducersKey(GroupId group, ShardKey shard) {
  return ThenShard(GroupProducersKey(group), shard);
}

Key ProducerKey(const ProducerRowPlace& place) {
  return ShardProducersKey(place.group, place.shard)
      .Then(place.row.index)
      .Then(place.row.ordinal);
}

std::optional<ProducerRowPlace> DecodeProducerKey(absl::string_view key) {
  uint32_t group = 0;
  uint32_t stream = 0;
  uint32_t shard = 0;
  ProducerRowId row;
  if (!Decode(key, KeyKind::kProducer, &group, &stream, &shard, &row.index,
              &row.ordinal))
    return std::nullopt;
  return ProducerRowPlace{
      GroupId(group), {StreamId(stream), ShardIndex(shard)}, row};
}

Key ConsumerGroupRowKey(const ConsumerGroupRowId& id) {
  return Key(KeyKind::kConsumerGroup)
      .Then(id.stream.value())
      .Then(id.group)
      .Then(static_cast<uint8_t>(id.part))
      .Then(id.number);
}

std::optional<ConsumerGroupRowId> DecodeConsumerGroupRowKey(
    absl::string_view key) {
  uint32_t stream = 0;
  uint8_t part = 0;
  ConsumerGroupRowId id;
  if (!Decode(key, KeyKind::kConsumerGroup, &stream, &id.group, &part,
              &id.number) ||
      part > static_cast<uint8_t>(ConsumerGroupPart::kLease)) {
    return std::nullopt;
  }
  id.stream = StreamId(stream);
  id.part = static_cast<ConsumerGroupPart>(part);
  return id;
}

Key ItemTableKey(uint64_t table) {
  return Key(KeyKind::kItemTable).Then(table);
}

std::optional<uint64_t> DecodeItemTableKey(absl::string_view key) {
  uint64_t table = 0;
  if (!Decode(key, KeyKind::kItemTable, &table)) return std::nullopt;
  return table;
}

std::string ItemKey(const ItemRowId& id) {
  return absl::StrCat(Key(KeyKind::kItem).Then(id.table).view(), id.key);
}

std::optional<ItemRowId> DecodeItemKey(absl::string_view key) {
  ByteCursor cursor(key);
  uint8_t kind = 0;
  ItemRowId id;
  if (!cursor.TakeLittle(&kind) ||
      kind != static_cast<uint8_t>(KeyKind::kItem) ||
      !cursor.TakeBig(&id.table)) {
    return std::nullopt;
  }
  id.key = cursor.rest();
  return id;
}

Key PartitionKey(const PartitionId& id) {
  return Key(KeyKind::kPartition)
      .Then(static_cast<uint8_t>(id.retention))
      .Then(id.number);
}

std::optional<PartitionId> DecodePartitionKey(absl::string_view key) {
  uint8_t retention = 0;
  PartitionId id;
  if (!Decode(key, KeyKind::kPartition, &retention, &id.number))
    return std::nullopt;
  const std::optional<RetentionClass> known = ToRetentionClass(retention);
  if (!known) return std::nullopt;
  id.retention = *known;
  return id;
}

Key StreamKey(StreamId stream) {
  return Key(KeyKind::kStream).Then(stream.value());
}

std::optional<StreamId> DecodeStreamKey(absl::string_view key) {
  uint32_t stream = 0;
  if (!Decode(key, KeyKind::kStream, &stream)) return std::nullopt;
  return StreamId(stream);
}

Key GroupBlocksKey(GroupId group) {
  return Key(KeyKind::kBlock).Then(group.value());
}

Key ShardBlocksKey(GroupId group, ShardKey shard) {
  return ThenShard(GroupBlocksKey(group), shard);
}

Key BlockKey(const BlockId& id) {
  return ShardBlocksKey(id.group, id.shard).Then(id.first);
}

std::optional<BlockId> DecodeBlockKey(absl::string_view key) {
  uint32_t group = 0;
  uint32_t stream = 0;
  uint32_t shard = 0;
  BlockId id;
  if (!Decode(key, KeyKind::kBlock, &group, &stream, &shard, &id.first))
    return std::nullopt;
  id.group = GroupId(group);
  id.shard = {StreamId(stream), ShardIndex(shard)};
  return id;
}

Key GroupTimesKey(GroupId group) {
  return Key(KeyKind::kTime).Then(group.value());
}

Key TimeKey(const SecondId& id) {
  return GroupTimesKey(id.group).Then(id.second);
}

std::optional<SecondId> DecodeTimeKey(absl::string_view key) {
  uint32_t group = 0;
  SecondId id;
  if (!Decode(key, KeyKind::kTime, &group, &id.second)) return std::nullopt;
  id.group = GroupId(group);
  return id;
}

std::string PartitionName(const PartitionId& id) {
  return absl::StrCat("part-", kClassNames[PlaceOf(id.retention)], "-",
                      id.number);
}

std::optional<PartitionId> ParsePartitionName(absl::string_view name) {
  for (const RetentionClass retention : kRetentionClasses) {
    const std::string prefix =
        absl::StrCat("part-", kClassNames[PlaceOf(retention)], "-");
    PartitionId id;
    if (absl::StartsWith(name, prefix) &&
        absl::SimpleAtoi(name.substr(prefix.size()), &id.number)) {
      id.retention = retention;
      return id;
    }
  }
  return std::nullopt;
}

}  // namespace trireme
