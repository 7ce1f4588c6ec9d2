// The ids of Trireme. Each is a type of its own: explicit in, .value() out, no
// arithmetic and no conversion between them, so that a term is never passed
// where an index is meant.
#ifndef TRIREME_STORAGE_IDS_H_
#define TRIREME_STORAGE_IDS_H_

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

namespace trireme {

template <typename Tag, typename Value>
class StrongId {
 public:
  using ValueType = Value;

  constexpr StrongId() = default;
  explicit constexpr StrongId(Value value) : value_(value) {}

  constexpr Value value() const { return value_; }
  std::string ToString() const { return std::to_string(value_); }

  friend constexpr auto operator<=>(StrongId, StrongId) = default;

  template <typename H>
  friend H AbslHashValue(H h, StrongId id) {
    return H::combine(std::move(h), id.value_);
  }

 private:
  Value value_ = 0;
};

// One daemon. Set in its configuration, 1..65535; 0 means "no node".
using NodeId = StrongId<struct NodeIdTag, uint32_t>;
// One replication group. Group 0 is the meta group.
using GroupId = StrongId<struct GroupIdTag, uint32_t>;
inline constexpr GroupId kMetaGroup{0};

// A stream's number, given by the meta group at creation; never reused, so a
// stream deleted and created again under the same name is another stream.
using StreamId = StrongId<struct StreamIdTag, uint32_t>;
// The number in a shard's name: shardId-000000000007 has index 7.
using ShardIndex = StrongId<struct ShardIndexTag, uint32_t>;

// One shard of one stream, everywhere inside the cluster.
struct ShardKey {
  StreamId stream;
  ShardIndex shard;

  friend constexpr auto operator<=>(const ShardKey&, const ShardKey&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const ShardKey& key) {
    return H::combine(std::move(h), key.stream, key.shard);
  }
};

// Raft terms and log indexes are plain integers with names: the core counts,
// compares and subtracts them all the time (Raft §5.1, §5.3).
using Term = uint64_t;      // 0 = before the first election.
using LogIndex = uint64_t;  // The first entry of a group has index 1.

// Where a record stands in its shard's log: log index << 16 | position in the
// entry (design.md D9). Increasing, unique per shard, not dense, 63 bits.
using Counter = uint64_t;
inline constexpr int kCounterPositionBits = 16;
inline constexpr uint32_t kEntryPositionsMax = 1u << kCounterPositionBits;

constexpr Counter MakeCounter(LogIndex index, uint32_t position) {
  return index << kCounterPositionBits | position;
}
constexpr LogIndex CounterIndex(Counter counter) {
  return counter >> kCounterPositionBits;
}
constexpr uint32_t CounterPosition(Counter counter) {
  return static_cast<uint32_t>(counter & (kEntryPositionsMax - 1));
}

}  // namespace trireme

#endif  // TRIREME_STORAGE_IDS_H_
