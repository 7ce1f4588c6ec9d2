// StateMachine's side of tables of items: their rows, in the store and in
// memory (docs/decisions/0012).
#include <utility>

#include "storage/state_machine.h"
#include "storage/table_commands.h"
#include "storage/table_rows.h"
#include "trireme/v1/table_commands.pb.h"

namespace trireme {

ApplyResult StateMachine::ApplyToTables(LogIndex index,
                                        const v1::TableCommand& command,
                                        int64_t stamp_ms) {
  TablesDecision decision =
      DecideTables({tables_.tables(), index, stamp_ms}, command);
  PutTables(std::move(decision.changes));
  ApplyResult result;
  result.status = std::move(decision.status);
  result.reply = std::move(decision.reply);
  return result;
}

void StateMachine::PutTables(std::vector<TableChange> changes) {
  for (TableChange& change : changes) {
    ForRowsOf(
        tables_.tables(), change,
        [this](absl::string_view key, const std::optional<std::string>& row)
            ABSL_NO_THREAD_SAFETY_ANALYSIS {
              if (row.has_value()) {
                batch_.Put(*store_->tables(), key, *row);
              } else {
                batch_.Delete(*store_->tables(), key);
              }
            });
    table_changes_.push_back(std::move(change));
  }
}

}  // namespace trireme
