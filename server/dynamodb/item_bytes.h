// Items as bytes, as they are kept in a table (docs/decisions/0012):
//
//   item  = (size u32 | name | size u32 | value)*   attributes by name
//   value = type u8 | body                          AttributeType
//   body:   S, B, N (as text): the bytes; BOOL: u8; NULL: nothing; M: an item;
//           L and sets: (size u32 | value)*
// Integers are little-endian.
#ifndef TRIREME_SERVER_DYNAMODB_ITEM_BYTES_H_
#define TRIREME_SERVER_DYNAMODB_ITEM_BYTES_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/dynamodb/attribute_value.h"

namespace trireme::dynamodb {

std::string EncodeItem(const Item& item);
// DataLoss when it is malformed.
absl::StatusOr<Item> DecodeItem(absl::string_view bytes);
// One attribute alone, without looking into the others; nothing when the item
// has none of that name.
std::optional<AttributeValue> FindAttribute(absl::string_view bytes,
                                            absl::string_view name);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_ITEM_BYTES_H_
