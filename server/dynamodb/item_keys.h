// The keys of items: checked against a table's key schema, and as bytes whose
// order is that of the keys: by hash key, then by range key.
#ifndef TRIREME_SERVER_DYNAMODB_ITEM_KEYS_H_
#define TRIREME_SERVER_DYNAMODB_ITEM_KEYS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/dynamodb/attribute_value.h"
#include "server/dynamodb/table_definition.h"

namespace trireme::dynamodb {

// In the order of values of one type; none begins another.
std::string OrderedBytes(const AttributeValue& value);

// The key's bytes. `key` must be the key's attributes and nothing else;
// ValidationException.
absl::StatusOr<std::string> KeyBytes(const Table& table, const Item& key);
// The same of a whole item. Checks too that the item's attributes can be keys
// of the table's indexes.
absl::StatusOr<std::string> KeyBytesOfItem(const Table& table,
                                           const Item& item);

// ValidationException when the item has more than 400 KB, or attributes that
// cannot be keys of the table's indexes.
absl::Status CheckItem(const Table& table, const Item& item);

// The attributes of the keys alone. Those that the item lacks are left out.
Item KeyOf(const KeySchema& schema, const Item& item);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_ITEM_KEYS_H_
