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

// Those before the first record are as far as each other.
auto Extent(const LeasePosition& position) {
  const bool has_read = position.kind >= LeasePositionKind::kSequenceNumber;
  return std::make_tuple(has_read ? position.kind : LeasePositionKind(),
                         has_read ? position.counter : 0,
                         has_read ? position.sub_sequence : 0);
}

}  // namespace

bool LeasePosition::IsBehind(const LeasePosition& other) const {
  return Extent(*this) < Extent(other);
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
