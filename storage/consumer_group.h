// A consumer group shares a stream's shards among its workers by leases
// (docs/decisions/0010): what the meta group knows of one.
#ifndef TRIREME_STORAGE_CONSUMER_GROUP_H_
#define TRIREME_STORAGE_CONSUMER_GROUP_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "storage/ids.h"

namespace trireme {

// The log index of the meta group's entry that made it.
using GroupNumber = uint64_t;
// That of the entry by which the worker joined. 0 names none.
using WorkerNumber = uint64_t;

struct ConsumerGroupId {
  StreamId stream;
  GroupNumber number = 0;

  friend auto operator<=>(const ConsumerGroupId&,
                          const ConsumerGroupId&) = default;
};

// How far a shard is read. Written to disk; never renumber. In this order:
// those from which nothing is read yet are all before the first record.
enum class LeasePositionKind : uint8_t {
  kTrimHorizon = 0,
  kLatest = 1,
  kAtTimestamp = 2,
  kSequenceNumber = 3,
  kShardEnd = 4,
};
struct LeasePosition {
  LeasePositionKind kind = LeasePositionKind::kTrimHorizon;
  int64_t timestamp_ms = 0;   // Of kAtTimestamp; Unix.
  Counter counter = 0;        // Of kSequenceNumber: the last record read,
  uint64_t sub_sequence = 0;  // the last one read within it,
  uint64_t record_s = 0;      // and when it arrived, Unix.

  bool at_end() const { return kind == LeasePositionKind::kShardEnd; }
  // Whether less is read than at `other`. A start, from which nothing is read
  // yet, is behind all but itself.
  bool IsBehind(const LeasePosition& other) const;
  friend bool operator==(const LeasePosition&, const LeasePosition&) = default;
};

struct PendingCheckpoint {
  LeasePosition position;
  std::string state;  // The worker's own.

  friend bool operator==(const PendingCheckpoint&,
                         const PendingCheckpoint&) = default;
};

struct Lease {
  WorkerNumber owner = 0;
  // The index of the entry by which it got its owner, or lost it. A checkpoint
  // that names an older one is refused.
  uint64_t counter = 0;
  WorkerNumber next_owner = 0;  // While it is to be handed off.
  LeasePosition checkpoint;
  std::optional<PendingCheckpoint> pending;
  uint32_t owner_switches = 0;  // Since the last checkpoint.
  uint64_t bytes_per_second = 0;

  friend bool operator==(const Lease&, const Lease&) = default;
};

struct Worker {
  std::string name;
  uint64_t heartbeats = 0;  // Heard.
  bool draining = false;    // It is given nothing more.

  friend bool operator==(const Worker&, const Worker&) = default;
};

struct ConsumerGroupSettings {
  int64_t lease_ms = 10'000;
  int64_t hand_off_ms = 30'000;
  LeasePosition from;

  friend bool operator==(const ConsumerGroupSettings&,
                         const ConsumerGroupSettings&) = default;
};

struct ConsumerGroup {
  std::string name;
  ConsumerGroupSettings settings;
  absl::btree_map<WorkerNumber, Worker> workers;
  // Of shards that are read to their end too, or lie before where the group
  // began. One of the stream's without a lease waits for its parents.
  absl::btree_map<ShardIndex, Lease> leases;

  // A copy without what workers keep with their leases, which may be much.
  ConsumerGroup WithoutPending() const;

  friend bool operator==(const ConsumerGroup&, const ConsumerGroup&) = default;
};

using ConsumerGroups = absl::btree_map<ConsumerGroupId, ConsumerGroup>;

// Visits a stream's groups, in the order of their numbers.
template <typename Visit>
void ForGroupsOf(StreamId stream, const ConsumerGroups& groups,
                 const Visit& visit) {
  for (auto at = groups.lower_bound({stream, 0});
       at != groups.end() && at->first.stream == stream; ++at) {
    visit(at->first, at->second);
  }
}

// What a command makes of one group: only what becomes different.
struct GroupChange {
  ConsumerGroupId id;
  bool removed = false;  // With all its workers and leases.
  // Of one that is new, or begins anew: its name and settings, nothing else.
  // What there was of it is gone.
  std::optional<ConsumerGroup> made;
  // Nothing: gone.
  absl::btree_map<WorkerNumber, std::optional<Worker>> workers;
  absl::btree_map<ShardIndex, std::optional<Lease>> leases;
};
void ApplyChange(const GroupChange& change, ConsumerGroups* groups);

}  // namespace trireme

#endif  // TRIREME_STORAGE_CONSUMER_GROUP_H_
