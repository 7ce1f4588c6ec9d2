#include "server/dynamodb/item_bytes.h"

#include <utility>

#include "server/dynamodb/attribute_json.h"
#include "storage/fixed_ints.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

absl::Status Malformed() { return absl::DataLossError("a malformed item"); }

void AppendValue(const AttributeValue& value, std::string* out);

// What `append` adds, behind its size.
template <typename Append>
void AppendSized(std::string* out, const Append& append) {
  const size_t at = out->size();
  AppendLittle(uint32_t{0}, out);
  append();
  const size_t size = out->size() - at - sizeof(uint32_t);
  StoreLittle(static_cast<uint32_t>(size), out->data() + at);
}

void AppendItem(const Item& item, std::string* out) {
  for (const auto& [name, value] : item) {
    AppendSized(out, [&name = name, out] { *out += name; });
    AppendSized(out, [&value = value, out] { AppendValue(value, out); });
  }
}

void AppendValue(const AttributeValue& value, std::string* out) {
  AppendLittle(static_cast<uint8_t>(value.type), out);
  switch (value.type) {
    case AttributeType::kString:
    case AttributeType::kNumber:
    case AttributeType::kBinary:
      *out += value.text;
      return;
    case AttributeType::kBool:
      AppendLittle(static_cast<uint8_t>(value.flag), out);
      return;
    case AttributeType::kNull:
      return;
    case AttributeType::kMap:
      AppendItem(value.map, out);
      return;
    default:
      break;
  }
  for (const AttributeValue& element : value.list) {
    AppendSized(out, [&element, out] { AppendValue(element, out); });
  }
}

bool TakeSized(ByteCursor* cursor, absl::string_view* bytes) {
  uint32_t size = 0;
  return cursor->TakeLittle(&size) && cursor->TakeBytes(size, bytes);
}

absl::StatusOr<AttributeValue> Decode(absl::string_view bytes, int depth);

absl::StatusOr<Item> DecodeMap(absl::string_view bytes, int depth) {
  ByteCursor cursor(bytes);
  Item item;
  while (!cursor.empty()) {
    absl::string_view name;
    absl::string_view value;
    if (!TakeSized(&cursor, &name) || !TakeSized(&cursor, &value)) {
      return Malformed();
    }
    ASSIGN_OR_RETURN(AttributeValue decoded, Decode(value, depth));
    item.insert_or_assign(item.end(), std::string(name), std::move(decoded));
  }
  return item;
}

absl::StatusOr<AttributeValue> Decode(absl::string_view bytes, int depth) {
  ByteCursor cursor(bytes);
  uint8_t type = 0;
  if (depth > kNestingMax || !cursor.TakeLittle(&type) || type < 1 ||
      type > static_cast<uint8_t>(AttributeType::kBinarySet)) {
    return Malformed();
  }
  AttributeValue value;
  value.type = static_cast<AttributeType>(type);
  switch (value.type) {
    case AttributeType::kString:
    case AttributeType::kNumber:
    case AttributeType::kBinary:
      value.text = std::string(cursor.rest());
      return value;
    case AttributeType::kBool:
      value.flag = cursor.rest() != absl::string_view("\0", 1);
      return value;
    case AttributeType::kNull:
      return value;
    case AttributeType::kMap: {
      ASSIGN_OR_RETURN(value.map, DecodeMap(cursor.rest(), depth + 1));
      return value;
    }
    default:
      break;
  }
  while (!cursor.empty()) {
    absl::string_view element;
    if (!TakeSized(&cursor, &element)) return Malformed();
    ASSIGN_OR_RETURN(AttributeValue decoded, Decode(element, depth + 1));
    value.list.push_back(std::move(decoded));
  }
  return value;
}

}  // namespace

std::string EncodeItem(const Item& item) {
  std::string bytes;
  AppendItem(item, &bytes);
  return bytes;
}

absl::StatusOr<Item> DecodeItem(absl::string_view bytes) {
  return DecodeMap(bytes, 0);
}

std::optional<AttributeValue> FindAttribute(absl::string_view bytes,
                                            absl::string_view name) {
  ByteCursor cursor(bytes);
  absl::string_view found;
  absl::string_view value;
  while (TakeSized(&cursor, &found) && TakeSized(&cursor, &value)) {
    if (found != name) continue;
    absl::StatusOr<AttributeValue> decoded = Decode(value, 0);
    if (!decoded.ok()) return std::nullopt;
    return *std::move(decoded);
  }
  return std::nullopt;
}

}  // namespace trireme::dynamodb
