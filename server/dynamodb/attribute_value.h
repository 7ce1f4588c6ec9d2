// AttributeValue is a value of DynamoDB's data model; Item is a map of them,
// what a table holds under a key.
#ifndef TRIREME_SERVER_DYNAMODB_ATTRIBUTE_VALUE_H_
#define TRIREME_SERVER_DYNAMODB_ATTRIBUTE_VALUE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/dynamodb/decimal.h"

namespace trireme::dynamodb {

// Written to disk; never renumber.
enum class AttributeType : uint8_t {
  kString = 1,
  kNumber = 2,
  kBinary = 3,
  kBool = 4,
  kNull = 5,
  kMap = 6,
  kList = 7,
  kStringSet = 8,
  kNumberSet = 9,
  kBinarySet = 10,
};
// "S", "N", ... and back.
absl::string_view TypeName(AttributeType type);
std::optional<AttributeType> ParseType(absl::string_view name);
bool IsSet(AttributeType type);
// Of what a set of the type holds.
AttributeType ElementType(AttributeType set);

struct AttributeValue;
using Item = std::map<std::string, AttributeValue, std::less<>>;

struct AttributeValue {
  AttributeType type = AttributeType::kNull;
  std::string text;                  // S and B; N as Decimal::ToString has it.
  bool flag = false;                 // BOOL.
  std::vector<AttributeValue> list;  // L; of a set ascending, each once.
  Item map;                          // M.

  static AttributeValue String(absl::string_view text);
  static AttributeValue Number(const Decimal& number);

  // Of an N only.
  Decimal number() const;
  // As DynamoDB counts it against the limit of an item.
  size_t StoredBytes() const;
};
bool operator==(const AttributeValue& a, const AttributeValue& b);

// Below 0, 0 or above 0; nothing when they are not of one type that has an
// order (S, N, B).
std::optional<int> Compare(const AttributeValue& a, const AttributeValue& b);

size_t StoredBytes(const Item& item);

// A set of the type, from elements in any order; nothing when one comes twice.
std::optional<AttributeValue> MakeSet(AttributeType type,
                                      std::vector<AttributeValue> elements);
// Of sets of one type.
AttributeValue Union(const AttributeValue& a, const AttributeValue& b);
AttributeValue Without(const AttributeValue& a, const AttributeValue& b);
bool Contains(const AttributeValue& list_or_set, const AttributeValue& element);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_ATTRIBUTE_VALUE_H_
