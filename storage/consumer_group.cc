#include "storage/consumer_group.h"

#include <tuple>

namespace trireme {
namespace {

template <typename Rows, typename Changes>
void ApplyRows(const Changes& changes, Rows* rows) {
  for (const auto& [key, row] : changes) {
    if (row.has_value()) {
      rows->insert_or_assign(key, *row);
    } else {
      rows->erase(key);
    }
  }
}

auto Extent(const LeasePosition& position) {
  return std::make_tuple(position.kind, position.counter,
                         position.sub_sequence);
}

}  // namespace

bool LeasePosition::IsBehind(const LeasePosition& other) const {
  if (kind < LeasePositionKind::kSequenceNumber) return *this != other;
  return Extent(*this) < Extent(other);
}

ConsumerGroup ConsumerGroup::WithoutPending() const {
  ConsumerGroup copy;
  copy.name = name;
  copy.settings = settings;
  copy.workers = workers;
  for (const auto& [shard, lease] : leases) {
    Lease& kept = copy.leases[shard];
    kept.owner = lease.owner;
    kept.counter = lease.counter;
    kept.next_owner = lease.next_owner;
    kept.checkpoint = lease.checkpoint;
    kept.owner_switches = lease.owner_switches;
    kept.bytes_per_second = lease.bytes_per_second;
  }
  return copy;
}

void ApplyChange(const GroupChange& change, ConsumerGroups* groups) {
  if (change.removed) {
    groups->erase(change.id);
    return;
  }
  if (change.made.has_value()) {
    groups->insert_or_assign(change.id, *change.made);
  }
  const auto found = groups->find(change.id);
  if (found == groups->end()) return;
  ApplyRows(change.workers, &found->second.workers);
  ApplyRows(change.leases, &found->second.leases);
}

}  // namespace trireme
