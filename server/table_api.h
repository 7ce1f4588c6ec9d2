// Tables of items in C++ terms (docs/decisions/0012): what front ends that
// offer tables translate to and from. An item is bytes under a key of bytes,
// and has a version; what the bytes mean is the front end's.
#ifndef TRIREME_SERVER_TABLE_API_H_
#define TRIREME_SERVER_TABLE_API_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/item_tables.h"

namespace trireme {

struct FoundTable {
  TableNumber number = 0;
  ItemTableHead head;
  uint64_t item_count = 0;
  uint64_t bytes = 0;
};

struct FoundItem {
  std::string key;
  StoredItem item;
};

// Items of a table in the order of their keys, or in the opposite one.
struct ItemRange {
  TableNumber table = 0;
  std::string from;  // The lowest key; empty: the first there is.
  std::string to;    // Above the highest; empty: no bound.
  bool backwards = false;
  // At least one item is found if there is any, whatever its size.
  size_t items_max = 10'000;
  uint64_t bytes_max = 1u << 20;
};
struct FoundItems {
  std::vector<FoundItem> items;
  bool has_more = false;  // In the range.
};

enum class WriteAction { kCheck, kPut, kRemove };
struct TableWrite {
  TableNumber table = 0;
  std::string key;
  // That the item must have. 0: there must be none. Nothing: any.
  std::optional<ItemVersion> version;
  WriteAction action = WriteAction::kCheck;
  std::string item;  // Of kPut.
};
// An item that had another version.
struct WriteConflict {
  size_t write = 0;         // Its place among the writes.
  ItemVersion version = 0;  // 0: there is no such item.
  std::string item;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_TABLE_API_H_
