#include "server/dynamodb/item_keys.h"

#include "absl/strings/str_cat.h"
#include "server/dynamodb/dynamodb_error.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

constexpr size_t kHashKeyBytesMax = 2048;
constexpr size_t kRangeKeyBytesMax = 1024;
constexpr size_t kItemStoredBytesMax = 400u << 10;

absl::Status Invalid(absl::string_view what) {
  return ValidationError(
      absl::StrCat("One or more parameter values were invalid: ", what));
}

absl::Status KeyMismatch() {
  return ValidationError("The provided key element does not match the schema");
}

absl::Status CheckKeyValue(const KeyPart& part, const AttributeValue& value,
                           size_t bytes_max, bool is_hash) {
  if (value.type == AttributeType::kNumber) return absl::OkStatus();
  if (value.text.empty()) {
    const char* const kind =
        value.type == AttributeType::kString ? "string" : "binary";
    return ValidationError(absl::StrCat(
        "One or more parameter values are not valid. The AttributeValue for a "
        "key attribute cannot contain an empty ",
        kind, " value. Key: ", part.name));
  }
  if (value.text.size() <= bytes_max) return absl::OkStatus();
  return Invalid(absl::StrCat("Size of ", is_hash ? "hashkey" : "rangekey",
                              " has exceeded the maximum size limit of",
                              bytes_max, " bytes"));
}

absl::StatusOr<std::string> BytesOf(const KeySchema& schema, const Item& item) {
  std::string bytes;
  for (size_t i = 0; i < schema.size(); ++i) {
    const AttributeValue& value = item.find(schema[i].name)->second;
    RETURN_IF_ERROR(CheckKeyValue(schema[i], value,
                                  i == 0 ? kHashKeyBytesMax : kRangeKeyBytesMax,
                                  i == 0));
    bytes += OrderedBytes(value);
  }
  return bytes;
}

absl::Status CheckIndexKey(const TableIndex& index, const KeyPart& part,
                           const Item& item) {
  const auto found = item.find(part.name);
  if (found == item.end()) return absl::OkStatus();
  if (found->second.type != part.type) {
    return Invalid(absl::StrCat("Type mismatch for Index Key ", part.name,
                                " Expected: ", TypeName(part.type),
                                " Actual: ", TypeName(found->second.type),
                                " IndexName: ", index.name));
  }
  if (part.type == AttributeType::kNumber || !found->second.text.empty()) {
    return absl::OkStatus();
  }
  return ValidationError(absl::StrCat(
      "One or more parameter values are not valid. A value specified for a "
      "secondary index key is not supported. The AttributeValue for a key "
      "attribute cannot contain an empty ",
      part.type == AttributeType::kString ? "string" : "binary",
      " value. IndexName: ", index.name, ", IndexKey: ", part.name));
}

}  // namespace

std::string OrderedBytes(const AttributeValue& value) {
  if (value.type == AttributeType::kNumber) {
    return value.number().ToOrderedBytes();
  }
  // A zero within is followed by ff, the end is two zeros.
  std::string bytes;
  for (const char c : value.text) {
    bytes += c;
    if (c == '\0') bytes += '\xff';
  }
  bytes.append(2, '\0');
  return bytes;
}

absl::StatusOr<std::string> KeyBytes(const Table& table, const Item& key) {
  const KeySchema& schema = table.definition.key;
  if (key.size() != schema.size()) return KeyMismatch();
  for (const KeyPart& part : schema) {
    const auto found = key.find(part.name);
    if (found == key.end() || found->second.type != part.type) {
      return KeyMismatch();
    }
  }
  return BytesOf(schema, key);
}

absl::StatusOr<std::string> KeyBytesOfItem(const Table& table,
                                           const Item& item) {
  const KeySchema& schema = table.definition.key;
  for (const KeyPart& part : schema) {
    const auto found = item.find(part.name);
    if (found == item.end()) {
      return Invalid(
          absl::StrCat("Missing the key ", part.name, " in the item"));
    }
    if (found->second.type != part.type) {
      return Invalid(absl::StrCat("Type mismatch for key ", part.name,
                                  " expected: ", TypeName(part.type),
                                  " actual: ", TypeName(found->second.type)));
    }
  }
  RETURN_IF_ERROR(CheckItem(table, item));
  return BytesOf(schema, item);
}

absl::Status CheckItem(const Table& table, const Item& item) {
  if (StoredBytes(item) > kItemStoredBytesMax) {
    return ValidationError("Item size has exceeded the maximum allowed size");
  }
  for (const TableIndex& index : table.definition.indexes) {
    for (const KeyPart& part : index.key) {
      RETURN_IF_ERROR(CheckIndexKey(index, part, item));
    }
  }
  return absl::OkStatus();
}

Item KeyOf(const KeySchema& schema, const Item& item) {
  Item key;
  for (const KeyPart& part : schema) {
    const auto found = item.find(part.name);
    if (found != item.end()) key.insert(*found);
  }
  return key;
}

}  // namespace trireme::dynamodb
