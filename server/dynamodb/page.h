// A page of items: what Query and Scan have in common.
#ifndef TRIREME_SERVER_DYNAMODB_PAGE_H_
#define TRIREME_SERVER_DYNAMODB_PAGE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "server/dynamodb/expression.h"
#include "server/dynamodb/key_condition.h"
#include "server/dynamodb/table_definition.h"
#include "server/dynamodb/table_reader.h"

namespace trireme::dynamodb {

// Of a parallel scan: each item is in one segment, by its hash key.
struct Segment {
  uint32_t number = 0;
  uint32_t total = 1;
};

struct PageRequest {
  TablePtr table;
  const TableIndex* index = nullptr;  // Null: the table itself.
  std::optional<KeyCondition> keys;   // Of Query.
  std::optional<Condition> filter;
  bool backwards = false;
  size_t items_max = 0;           // Looked at; 0: no limit.
  std::optional<Item> start_key;  // Behind this one.
  Segment segment;

  const KeySchema& schema() const {
    return index == nullptr ? table->definition.key : index->key;
  }
};

struct Page {
  std::vector<Item> items;  // Whole, or as the index has them.
  uint64_t looked_at = 0;
  std::optional<Item> last_key;  // There may be more behind it.
};

// At most 1 MiB of items is looked at, and one at least. ValidationException
// for a start key that is none.
absl::StatusOr<Page> ReadPage(const TableReader& reader,
                              const PageRequest& request);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_PAGE_H_
