// Consumer groups as rows of the store: one of each group, worker and lease.
#ifndef TRIREME_STORAGE_GROUP_ROWS_H_
#define TRIREME_STORAGE_GROUP_ROWS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/consumer_group.h"

namespace trireme {

namespace v1 {
class GroupRef;
class GroupSettings;
class LeasePosition;
}  // namespace v1

v1::GroupRef RefTo(const ConsumerGroupId& id);

// As commands and rows hold it. Nothing for a kind that names no position.
std::optional<LeasePosition> ParsePosition(const v1::LeasePosition& message);
void EncodePosition(const LeasePosition& position, v1::LeasePosition* message);
std::optional<ConsumerGroupSettings> ParseSettings(
    const v1::GroupSettings& message);
void EncodeSettings(const ConsumerGroupSettings& settings,
                    v1::GroupSettings* message);

// By its key in the store (keys.h, ConsumerGroupRowKey).
struct GroupRowChange {
  std::string key;
  std::optional<std::string> row;  // Nothing: it goes.
};
// What a change means for the rows there are before it.
std::vector<GroupRowChange> RowChangesOf(const ConsumerGroups& before,
                                         const GroupChange& change);

// All rows, in the order of their keys.
std::vector<GroupRowChange> RowsOf(const ConsumerGroups& groups);
// Adds a row; those of a group come in the order of their keys. Errors:
// DataLoss.
absl::Status AddGroupRow(absl::string_view key, absl::string_view row,
                         ConsumerGroups* groups);

}  // namespace trireme

#endif  // TRIREME_STORAGE_GROUP_ROWS_H_
