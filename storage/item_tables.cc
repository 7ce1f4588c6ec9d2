#include "storage/item_tables.h"

namespace trireme {

const StoredItem* FindItem(const ItemTable& table, absl::string_view key) {
  const auto found = table.items.find(key);
  return found == table.items.end() ? nullptr : &found->second;
}

uint64_t BytesOf(absl::string_view key, const StoredItem& item) {
  return key.size() + item.bytes->size() + kItemOverheadBytes;
}

const ItemTable* ItemTables::Find(TableNumber table) const {
  const auto found = by_number_.find(table);
  return found == by_number_.end() ? nullptr : &found->second;
}

const ItemTables::ByNumber::value_type* ItemTables::Find(
    absl::string_view name) const {
  for (const auto& table : by_number_) {
    if (table.second.head.name == name) return &table;
  }
  return nullptr;
}

void ItemTables::Apply(const TableChange& change) {
  if (change.removed) {
    const auto found = by_number_.find(change.table);
    if (found == by_number_.end()) return;
    bytes_ -= found->second.bytes;
    by_number_.erase(found);
    return;
  }
  if (change.head.has_value()) by_number_[change.table].head = *change.head;
  const auto found = by_number_.find(change.table);
  if (found == by_number_.end()) return;
  for (const ItemChange& item : change.items) ApplyItem(item, &found->second);
}

void ItemTables::ApplyItem(const ItemChange& change, ItemTable* table) {
  const auto found = table->items.find(change.key);
  if (found != table->items.end()) {
    const uint64_t bytes = BytesOf(change.key, found->second);
    table->bytes -= bytes;
    bytes_ -= bytes;
    if (!change.item.has_value()) table->items.erase(found);
  }
  if (!change.item.has_value()) return;
  table->items.insert_or_assign(change.key, *change.item);
  const uint64_t bytes = BytesOf(change.key, *change.item);
  table->bytes += bytes;
  bytes_ += bytes;
}

}  // namespace trireme
