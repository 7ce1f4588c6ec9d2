// Tables of items as rows of the store (keys.h, kItemTable and kItem).
#ifndef TRIREME_STORAGE_TABLE_ROWS_H_
#define TRIREME_STORAGE_TABLE_ROWS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/item_tables.h"

namespace trireme {

// Takes a row to be written; one that is to go has no bytes.
using TakeTableRow = absl::FunctionRef<void(
    absl::string_view key, const std::optional<std::string>& row)>;

// What the change makes of the rows. `tables`: as they are before it.
void ForRowsOf(const ItemTables& tables, const TableChange& change,
               TakeTableRow take);

// What makes `tables` of `before`: rows and, applied in order, themselves.
std::vector<TableChange> Difference(const ItemTables& before,
                                    const ItemTables& tables);

// Takes in one row. A table's own comes before those of its items. DataLoss
// when it is malformed.
absl::Status AddTableRow(absl::string_view key, absl::string_view row,
                         ItemTables* tables);

}  // namespace trireme

#endif  // TRIREME_STORAGE_TABLE_ROWS_H_
