// Every key of the store: one enum, one encode/decode pair each
// (docs/storage-format.md, "Keys"). Integers are big-endian, so that the order
// of keys is the order of what they name.
#ifndef TRIREME_STORAGE_KEYS_H_
#define TRIREME_STORAGE_KEYS_H_

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "storage/fixed_ints.h"
#include "storage/ids.h"

namespace trireme {

// The first byte of every key. Written to disk; never renumber.
enum class KeyKind : uint8_t {
  // --- in the family of tables ---
  kFormat = 1,        // -> u32, the version of everything here.
  kGroup = 2,         // group -> GroupRow: its applied position.
  kShardState = 3,    // group, stream, shard -> ShardStateRow.
  kPartition = 4,     // retention class, id -> PartitionRow.
  kStream = 5,        // stream -> StreamRow.
  kNextStreamId = 6,  // -> u32, the id that no stream has had yet.
  kAccount = 7,       // -> AccountRow.
  kClaims = 8,        // group -> ClaimsRow.
  kProducer = 9,      // group, stream, shard, index, ordinal -> ProducerRow.
  // stream, group, part, number -> ConsumerGroupRow, WorkerRow or LeaseRow.
  kConsumerGroup = 10,
  kItemTable = 11,  // table -> ItemTableRow.
  kItem = 12,       // table, the item's key -> u64, its version, and its bytes.
  // --- in the families of time partitions ---
  kBlock = 32,  // group, stream, shard, counter of the first record -> block.
  kTime = 33,   // group, Unix second -> u64, the first log index of it here.
};

// Whose blocks a time partition holds, by the retention of their streams when
// they were written (design.md D4). The last two take what outlived a partition
// of kDay or kWeek, since the retention was raised. Written to disk; never
// renumber.
enum class RetentionClass : uint8_t {
  kDay = 1,
  kWeek = 2,
  kYear = 3,
  kKeptOfDay = 4,
  kKeptOfWeek = 5,
};
inline constexpr std::array kRetentionClasses = {
    RetentionClass::kDay, RetentionClass::kWeek, RetentionClass::kYear,
    RetentionClass::kKeptOfDay, RetentionClass::kKeptOfWeek};
// 0..4, for tables by class.
constexpr size_t PlaceOf(RetentionClass retention) {
  return static_cast<size_t>(retention) - 1;
}
// Nothing for a number that names none.
std::optional<RetentionClass> ToRetentionClass(uint64_t number);

// A key while it is built: on the stack, no heap.
class Key {
 public:
  explicit Key(KeyKind kind) { Then(static_cast<uint8_t>(kind)); }

  template <typename Int>
  Key& Then(Int value) {
    StoreLittle(SwapBytes(value), bytes_.data() + size_);
    size_ += sizeof(value);
    return *this;
  }
  absl::string_view view() const { return {bytes_.data(), size_}; }
  // The key above all that begin with this one's bytes.
  std::string PrefixEnd() const;

 private:
  std::array<char, 32> bytes_;
  size_t size_ = 0;
};

struct ShardStateId {
  GroupId group;
  ShardKey shard;
};
// One of the rows that an entry brought.
struct ProducerRowId {
  LogIndex index = 0;
  uint32_t ordinal = 0;  // Among those of the entry and shard.

  friend auto operator<=>(const ProducerRowId&, const ProducerRowId&) = default;
};
struct ProducerRowPlace {
  GroupId group;
  ShardKey shard;
  ProducerRowId row;
};
struct PartitionId {
  RetentionClass retention = RetentionClass::kDay;
  uint64_t number = 0;
};
struct BlockId {
  GroupId group;
  ShardKey shard;
  Counter first = 0;
};
struct SecondId {
  GroupId group;
  uint64_t second = 0;
};

// What a row of a consumer group is of. Written to disk; never renumber.
enum class ConsumerGroupPart : uint8_t { kGroup = 0, kWorker = 1, kLease = 2 };
struct ConsumerGroupRowId {
  StreamId stream;
  uint64_t group = 0;
  ConsumerGroupPart part = ConsumerGroupPart::kGroup;
  uint64_t number = 0;  // Of the worker or the shard; else 0.
};

inline Key FormatKey() { return Key(KeyKind::kFormat); }

Key GroupKey(GroupId group);
std::optional<GroupId> DecodeGroupKey(absl::string_view key);

Key ClaimsKey(GroupId group);
std::optional<GroupId> DecodeClaimsKey(absl::string_view key);

Key ConsumerGroupRowKey(const ConsumerGroupRowId& id);
std::optional<ConsumerGroupRowId> DecodeConsumerGroupRowKey(
    absl::string_view key);

// Tables of items are named by numbers (storage/item_tables.h).
Key ItemTableKey(uint64_t table);
std::optional<uint64_t> DecodeItemTableKey(absl::string_view key);

struct ItemRowId {
  uint64_t table = 0;
  absl::string_view key;
};
std::string ItemKey(const ItemRowId& id);
// A view into `key`.
std::optional<ItemRowId> DecodeItemKey(absl::string_view key);

Key ShardStateKey(const ShardStateId& id);
std::optional<ShardStateId> DecodeShardStateKey(absl::string_view key);

Key ProducerKey(const ProducerRowPlace& place);
std::optional<ProducerRowPlace> DecodeProducerKey(absl::string_view key);
// Begins every such key of the shard, or of the group.
Key ShardProducersKey(GroupId group, ShardKey shard);
Key GroupProducersKey(GroupId group);

Key PartitionKey(const PartitionId& id);
std::optional<PartitionId> DecodePartitionKey(absl::string_view key);

Key StreamKey(StreamId stream);
std::optional<StreamId> DecodeStreamKey(absl::string_view key);

inline Key NextStreamIdKey() { return Key(KeyKind::kNextStreamId); }
inline Key AccountKey() { return Key(KeyKind::kAccount); }

Key BlockKey(const BlockId& id);
std::optional<BlockId> DecodeBlockKey(absl::string_view key);
// Begins every block key of the shard, or of the group.
Key ShardBlocksKey(GroupId group, ShardKey shard);
Key GroupBlocksKey(GroupId group);

Key TimeKey(const SecondId& id);
std::optional<SecondId> DecodeTimeKey(absl::string_view key);
Key GroupTimesKey(GroupId group);

// The column family of a time partition: "part-day-17".
std::string PartitionName(const PartitionId& id);
std::optional<PartitionId> ParsePartitionName(absl::string_view name);

}  // namespace trireme

#endif  // TRIREME_STORAGE_KEYS_H_
