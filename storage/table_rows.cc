#include "storage/table_rows.h"

#include <memory>
#include <utility>

#include "storage/fixed_ints.h"
#include "storage/keys.h"
#include "trireme/v1/table_commands.pb.h"

namespace trireme {
namespace {

absl::Status Malformed() {
  return absl::DataLossError("malformed row of a table of items");
}

std::string Encode(const ItemTableHead& head) {
  v1::ItemTableRow row;
  row.set_name(head.name);
  row.set_definition(head.definition);
  row.set_created_ms(head.created_ms);
  row.set_version(head.version);
  return row.SerializeAsString();
}

std::string Encode(const StoredItem& item) {
  std::string row;
  row.reserve(sizeof(item.version) + item.bytes->size());
  AppendLittle(item.version, &row);
  row += *item.bytes;
  return row;
}

// What is to go of `before`, or is other than in it.
TableChange DifferenceOf(TableNumber number, const ItemTable& before,
                         const ItemTable& table) {
  TableChange change;
  change.table = number;
  if (before.head != table.head) change.head = table.head;
  for (const auto& [key, item] : before.items) {
    if (!table.items.contains(key)) change.items.push_back({key, std::nullopt});
  }
  for (const auto& [key, item] : table.items) {
    const StoredItem* const held = FindItem(before, key);
    if (held == nullptr || held->version != item.version) {
      change.items.push_back({key, item});
    }
  }
  return change;
}

}  // namespace

void ForRowsOf(const ItemTables& tables, const TableChange& change,
               TakeTableRow take) {
  const std::string head_key(ItemTableKey(change.table).view());
  if (change.removed) {
    const ItemTable* const table = tables.Find(change.table);
    if (table == nullptr) return;
    take(head_key, std::nullopt);
    for (const auto& [key, item] : table->items) {
      take(ItemKey({change.table, key}), std::nullopt);
    }
    return;
  }
  if (change.head.has_value()) take(head_key, Encode(*change.head));
  for (const ItemChange& item : change.items) {
    std::optional<std::string> row;
    if (item.item.has_value()) row = Encode(*item.item);
    take(ItemKey({change.table, item.key}), row);
  }
}

std::vector<TableChange> Difference(const ItemTables& before,
                                    const ItemTables& tables) {
  std::vector<TableChange> changes;
  for (const auto& [number, table] : before.by_number()) {
    if (tables.Find(number) != nullptr) continue;
    TableChange& change = changes.emplace_back();
    change.table = number;
    change.removed = true;
  }
  static const ItemTable kNone;
  for (const auto& [number, table] : tables.by_number()) {
    const ItemTable* const held = before.Find(number);
    TableChange change =
        DifferenceOf(number, held == nullptr ? kNone : *held, table);
    if (change.head.has_value() || !change.items.empty()) {
      changes.push_back(std::move(change));
    }
  }
  return changes;
}

absl::Status AddTableRow(absl::string_view key, absl::string_view row,
                         ItemTables* tables) {
  TableChange change;
  if (const std::optional<uint64_t> number = DecodeItemTableKey(key)) {
    v1::ItemTableRow message;
    if (!message.ParseFromArray(row.data(), static_cast<int>(row.size()))) {
      return Malformed();
    }
    change.table = *number;
    change.head = ItemTableHead{message.name(), message.definition(),
                                message.created_ms(), message.version()};
    tables->Apply(change);
    return absl::OkStatus();
  }
  const std::optional<ItemRowId> id = DecodeItemKey(key);
  ByteCursor cursor(row);
  StoredItem item;
  if (!id.has_value() || id->key.empty() ||
      tables->Find(id->table) == nullptr || !cursor.TakeLittle(&item.version) ||
      item.version == 0) {
    return Malformed();
  }
  item.bytes = std::make_shared<const std::string>(cursor.rest());
  change.table = id->table;
  change.items.push_back({std::string(id->key), std::move(item)});
  tables->Apply(change);
  return absl::OkStatus();
}

}  // namespace trireme
