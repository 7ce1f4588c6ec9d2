// StateMachine's side of consumer groups: their rows, in the store and in
// memory (docs/decisions/0010).
#include <utility>

#include "storage/group_commands.h"
#include "storage/group_rows.h"
#include "storage/state_machine.h"
#include "storage/status_macros.h"
#include "trireme/v1/group_commands.pb.h"

namespace trireme {

ApplyResult StateMachine::ApplyToGroups(LogIndex index,
                                        const v1::GroupCommand& command) {
  GroupsDecision decision =
      DecideGroups({leases_.groups(), catalog_, index}, command);
  PutGroups(std::move(decision.changes));
  ApplyResult result;
  result.status = std::move(decision.status);
  result.reply = std::move(decision.reply);
  return result;
}

void StateMachine::PutGroups(std::vector<GroupChange> changes) {
  for (GroupChange& change : changes) {
    PutGroupRows(RowChangesOf(leases_.groups(), change));
    group_changes_.push_back(std::move(change));
  }
}

void StateMachine::PutGroupRows(std::span<const GroupRowChange> rows) {
  for (const GroupRowChange& change : rows) {
    if (change.row.has_value()) {
      batch_.Put(*store_->tables(), change.key, *change.row);
    } else {
      batch_.Delete(*store_->tables(), change.key);
    }
  }
}

void StateMachine::InstallGroups(const ConsumerGroups& installed) {
  for (const auto& [id, group] : leases_.groups()) {
    PutGroupRows(RowChangesOf(leases_.groups(), {id, /*removed=*/true}));
  }
  PutGroupRows(RowsOf(installed));
  installed_groups_ = installed;
}

void StateMachine::PublishGroups() {
  if (installed_groups_.has_value()) {
    leases_.Replace(*std::exchange(installed_groups_, {}));
  }
  leases_.Publish(group_changes_);
}

}  // namespace trireme
