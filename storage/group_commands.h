// What commands about consumer groups (proto/trireme/v1/group_commands.proto)
// make of them: pure functions, alike on every replica.
#ifndef TRIREME_STORAGE_GROUP_COMMANDS_H_
#define TRIREME_STORAGE_GROUP_COMMANDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "storage/catalog.h"
#include "storage/consumer_group.h"
#include "storage/ids.h"

namespace trireme {

namespace v1 {
class GroupCommand;
}

inline constexpr size_t kWorkerNameBytesMax = 256;
inline constexpr size_t kPendingStateBytesMax = 64u << 10;
// Of all of a group's leases.
inline constexpr size_t kPendingStatesBytesMax = 16u << 20;
inline constexpr int64_t kLeaseMsMin = 1'000;
inline constexpr int64_t kLeaseMsMax = 3'600'000;
inline constexpr int64_t kHandOffMsMax = 3'600'000;

struct GroupsState {
  const ConsumerGroups& groups;
  const Catalog& catalog;
  LogIndex index = 0;  // Of the command's entry: what it makes is named by it.
};

struct GroupsDecision {
  absl::Status status;               // Not OK: nothing changes.
  std::string reply;                 // As the command's comment says.
  std::vector<GroupChange> changes;  // Each group at most once.
};

GroupsDecision DecideGroups(const GroupsState& state,
                            const v1::GroupCommand& command);

// The groups of a stream that is removed.
std::vector<GroupChange> RemoveGroupsOf(const ConsumerGroups& groups,
                                        StreamId stream);

// What shards that left the stream's row take with them: their leases, and what
// their children waited for. `index`: of the entry that did it.
std::vector<GroupChange> ForgetLeases(const ConsumerGroups& groups,
                                      const Stream& stream, LogIndex index);

}  // namespace trireme

#endif  // TRIREME_STORAGE_GROUP_COMMANDS_H_
