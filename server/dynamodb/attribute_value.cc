#include "server/dynamodb/attribute_value.h"

#include <algorithm>
#include <array>
#include <utility>

#include "storage/check.h"

namespace trireme::dynamodb {
namespace {

constexpr std::array<absl::string_view, 11> kTypeNames = {
    "", "S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"};
// Of a map or list, beside its elements; and of each of those.
constexpr size_t kDocumentBytes = 3;
constexpr size_t kElementBytes = 1;

bool IsBefore(const AttributeValue& a, const AttributeValue& b) {
  return *Compare(a, b) < 0;
}

}  // namespace

absl::string_view TypeName(AttributeType type) {
  return kTypeNames[static_cast<size_t>(type)];
}

std::optional<AttributeType> ParseType(absl::string_view name) {
  for (size_t i = 1; i < kTypeNames.size(); ++i) {
    if (kTypeNames[i] == name) return static_cast<AttributeType>(i);
  }
  return std::nullopt;
}

bool IsSet(AttributeType type) { return type >= AttributeType::kStringSet; }

AttributeType ElementType(AttributeType set) {
  return static_cast<AttributeType>(
      static_cast<int>(set) - static_cast<int>(AttributeType::kStringSet) +
      static_cast<int>(AttributeType::kString));
}

AttributeValue AttributeValue::String(absl::string_view text) {
  AttributeValue value;
  value.type = AttributeType::kString;
  value.text = std::string(text);
  return value;
}

AttributeValue AttributeValue::Number(const Decimal& number) {
  AttributeValue value;
  value.type = AttributeType::kNumber;
  value.text = number.ToString();
  return value;
}

Decimal AttributeValue::number() const {
  CHECK(type == AttributeType::kNumber, "not a number");
  return Decimal::Parse(text).value_or(Decimal());
}

size_t AttributeValue::StoredBytes() const {
  size_t bytes = 0;
  switch (type) {
    case AttributeType::kString:
    case AttributeType::kBinary:
      return text.size();
    case AttributeType::kNumber:
      return number().StoredBytes();
    case AttributeType::kBool:
    case AttributeType::kNull:
      return 1;
    case AttributeType::kMap:
      return kDocumentBytes + kElementBytes * map.size() +
             dynamodb::StoredBytes(map);
    case AttributeType::kList:
      bytes = kDocumentBytes + kElementBytes * list.size();
      break;
    default:
      break;
  }
  for (const AttributeValue& element : list) bytes += element.StoredBytes();
  return bytes;
}

bool operator==(const AttributeValue& a, const AttributeValue& b) {
  return a.type == b.type && a.text == b.text && a.flag == b.flag &&
         a.list == b.list && a.map == b.map;
}

std::optional<int> Compare(const AttributeValue& a, const AttributeValue& b) {
  if (a.type != b.type) return std::nullopt;
  switch (a.type) {
    case AttributeType::kString:
    case AttributeType::kBinary:
      return a.text.compare(b.text);
    case AttributeType::kNumber: {
      const auto order = a.number() <=> b.number();
      return order < 0 ? -1 : order > 0 ? 1 : 0;
    }
    default:
      return std::nullopt;
  }
}

size_t StoredBytes(const Item& item) {
  size_t bytes = 0;
  for (const auto& [name, value] : item) {
    bytes += name.size() + value.StoredBytes();
  }
  return bytes;
}

std::optional<AttributeValue> MakeSet(AttributeType type,
                                      std::vector<AttributeValue> elements) {
  std::sort(elements.begin(), elements.end(), IsBefore);
  if (std::adjacent_find(elements.begin(), elements.end()) != elements.end()) {
    return std::nullopt;
  }
  AttributeValue set;
  set.type = type;
  set.list = std::move(elements);
  return set;
}

AttributeValue Union(const AttributeValue& a, const AttributeValue& b) {
  AttributeValue all;
  all.type = a.type;
  std::set_union(a.list.begin(), a.list.end(), b.list.begin(), b.list.end(),
                 std::back_inserter(all.list), IsBefore);
  return all;
}

AttributeValue Without(const AttributeValue& a, const AttributeValue& b) {
  AttributeValue rest;
  rest.type = a.type;
  std::set_difference(a.list.begin(), a.list.end(), b.list.begin(),
                      b.list.end(), std::back_inserter(rest.list), IsBefore);
  return rest;
}

bool Contains(const AttributeValue& list_or_set,
              const AttributeValue& element) {
  return std::find(list_or_set.list.begin(), list_or_set.list.end(), element) !=
         list_or_set.list.end();
}

}  // namespace trireme::dynamodb
