// What commands about tables of items (proto/trireme/v1/table_commands.proto)
// make of them: pure functions, alike on every replica.
#ifndef TRIREME_STORAGE_TABLE_COMMANDS_H_
#define TRIREME_STORAGE_TABLE_COMMANDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "storage/ids.h"
#include "storage/item_tables.h"

namespace trireme {

namespace v1 {
class TableCommand;
}

inline constexpr size_t kTableNameBytesMin = 3;
inline constexpr size_t kTableNameBytesMax = 255;
inline constexpr size_t kTableDefinitionBytesMax = 256u << 10;
inline constexpr size_t kItemKeyBytesMax = 8u << 10;
inline constexpr size_t kItemBytesMax = 2u << 20;

struct TablesState {
  const ItemTables& tables;
  LogIndex index = 0;    // Of the command's entry: what it writes has it as
                         // its version.
  int64_t stamp_ms = 0;  // Of the entry.
};

struct TablesDecision {
  absl::Status status;               // Not OK: nothing changes.
  std::string reply;                 // As the command's comment says.
  std::vector<TableChange> changes;  // Each table at most once.
};

TablesDecision DecideTables(const TablesState& state,
                            const v1::TableCommand& command);

// Letters, digits, '_', '.', '-'; 3 to 255 of them.
bool IsTableName(absl::string_view name);

}  // namespace trireme

#endif  // TRIREME_STORAGE_TABLE_COMMANDS_H_
