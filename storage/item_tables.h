// Tables of items: what the meta group keeps for front ends that offer tables
// (docs/decisions/0012). An item is bytes under a key of bytes; keys are in
// the order of their bytes. What they mean is the front end's.
#ifndef TRIREME_STORAGE_ITEM_TABLES_H_
#define TRIREME_STORAGE_ITEM_TABLES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"

namespace trireme {

// The log index of the entry that made the table.
using TableNumber = uint64_t;
// The log index of the entry that wrote it last; 0: there is none.
using ItemVersion = uint64_t;

// Of an item, beside its key and its bytes.
inline constexpr uint64_t kItemOverheadBytes = 100;

struct StoredItem {
  ItemVersion version = 0;
  std::shared_ptr<const std::string> bytes;  // Never null.

  friend bool operator==(const StoredItem& a, const StoredItem& b) {
    return a.version == b.version && *a.bytes == *b.bytes;
  }
};

struct ItemTableHead {
  std::string name;
  std::string definition;
  int64_t created_ms = 0;   // Unix.
  ItemVersion version = 0;  // Of this, not of the items.

  friend bool operator==(const ItemTableHead&, const ItemTableHead&) = default;
};

struct ItemTable {
  ItemTableHead head;
  absl::btree_map<std::string, StoredItem> items;
  uint64_t bytes = 0;  // Of the items, their keys and overhead included.

  friend bool operator==(const ItemTable&, const ItemTable&) = default;
};

struct ItemChange {
  std::string key;
  std::optional<StoredItem> item;  // Nothing: gone.
};
// What a command makes of one table: only what becomes different.
struct TableChange {
  TableNumber table = 0;
  bool removed = false;  // With all its items.
  std::optional<ItemTableHead> head;
  std::vector<ItemChange> items;  // Each key once.
};

// All tables there are. Copies share the items' bytes.
class ItemTables {
 public:
  using ByNumber = absl::btree_map<TableNumber, ItemTable>;

  const ByNumber& by_number() const { return by_number_; }
  // Null when there is none.
  const ItemTable* Find(TableNumber table) const;
  const ByNumber::value_type* Find(absl::string_view name) const;
  uint64_t bytes() const { return bytes_; }

  // Changes of items of a table that is not there do nothing.
  void Apply(const TableChange& change);

  friend bool operator==(const ItemTables&, const ItemTables&) = default;

 private:
  void ApplyItem(const ItemChange& change, ItemTable* table);

  ByNumber by_number_;
  uint64_t bytes_ = 0;
};

// Null when there is none.
const StoredItem* FindItem(const ItemTable& table, absl::string_view key);
uint64_t BytesOf(absl::string_view key, const StoredItem& item);

}  // namespace trireme

#endif  // TRIREME_STORAGE_ITEM_TABLES_H_
