#include "server/dynamodb/attribute_json.h"

#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/dynamodb/json_fields.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

absl::StatusOr<AttributeValue> Parse(const Json& json, int depth);
absl::StatusOr<Item> ParseMap(const Json& json, int depth);

absl::StatusOr<AttributeValue> ParseScalar(AttributeType type,
                                           const Json& json) {
  AttributeValue value;
  value.type = type;
  ASSIGN_OR_RETURN(value.text, AsString(json));
  if (type == AttributeType::kNumber) {
    ASSIGN_OR_RETURN(const Decimal number, Decimal::Parse(value.text));
    value.text = number.ToString();
  }
  if (type == AttributeType::kBinary) {
    std::string bytes;
    if (!absl::Base64Unescape(value.text, &bytes)) {
      return SerializationError("Base64 encoded length is unexpected");
    }
    value.text = std::move(bytes);
  }
  return value;
}

absl::StatusOr<AttributeValue> ParseFlag(AttributeType type, const Json& json) {
  if (!json.is_boolean()) {
    return SerializationError("Unexpected value where a Boolean was expected");
  }
  AttributeValue value;
  value.type = type;
  if (type == AttributeType::kBool) {
    value.flag = json.get<bool>();
  } else if (!json.get<bool>()) {
    return ValidationError(
        "One or more parameter values were invalid: Null attribute value types "
        "must have the value of true");
  }
  return value;
}

absl::StatusOr<AttributeValue> ParseSet(AttributeType type, const Json& json) {
  if (!json.is_array()) {
    return SerializationError("Unexpected value where a list was expected");
  }
  if (json.empty()) {
    const char* const kind = type == AttributeType::kStringSet   ? "string"
                             : type == AttributeType::kNumberSet ? "number"
                                                                 : "binary";
    return ValidationError(
        absl::StrCat("One or more parameter values were invalid: An ", kind,
                     " set  may not be empty"));
  }
  std::vector<AttributeValue> elements;
  for (const Json& element : json) {
    ASSIGN_OR_RETURN(AttributeValue value,
                     ParseScalar(ElementType(type), element));
    elements.push_back(std::move(value));
  }
  std::optional<AttributeValue> set = MakeSet(type, std::move(elements));
  if (set.has_value()) return *std::move(set);
  return ValidationError(absl::StrCat(
      "One or more parameter values were invalid: Input collection [",
      absl::StrJoin(json, ", ",
                    [](std::string* out, const Json& element) {
                      *out += element.get_ref<const std::string&>();
                    }),
      "] contains duplicates."));
}

absl::StatusOr<AttributeValue> ParseTyped(AttributeType type, const Json& json,
                                          int depth) {
  AttributeValue value;
  value.type = type;
  switch (type) {
    case AttributeType::kString:
    case AttributeType::kNumber:
    case AttributeType::kBinary:
      return ParseScalar(type, json);
    case AttributeType::kBool:
    case AttributeType::kNull:
      return ParseFlag(type, json);
    case AttributeType::kMap: {
      ASSIGN_OR_RETURN(value.map, ParseMap(json, depth + 1));
      return value;
    }
    case AttributeType::kList:
      break;
    default:
      return ParseSet(type, json);
  }
  if (!json.is_array()) {
    return SerializationError("Unexpected value where a list was expected");
  }
  for (const Json& element : json) {
    ASSIGN_OR_RETURN(AttributeValue parsed, Parse(element, depth + 1));
    value.list.push_back(std::move(parsed));
  }
  return value;
}

absl::StatusOr<AttributeValue> Parse(const Json& json, int depth) {
  if (depth > kNestingMax) {
    return ValidationError("Nesting Levels have exceeded supported limits");
  }
  if (!json.is_object()) {
    return SerializationError(
        "An AttributeValue is expected to be a structure");
  }
  if (json.size() > 1) {
    return ValidationError(
        "Supplied AttributeValue has more than one datatypes set, must contain "
        "exactly one of the supported datatypes");
  }
  const std::optional<AttributeType> type =
      json.empty() ? std::nullopt : ParseType(json.begin().key());
  if (!type.has_value()) {
    return ValidationError(
        "Supplied AttributeValue is empty, must contain exactly one of the "
        "supported datatypes");
  }
  return ParseTyped(*type, *json.begin(), depth);
}

absl::StatusOr<Item> ParseMap(const Json& json, int depth) {
  if (!json.is_object()) {
    return SerializationError("A map of AttributeValues is expected");
  }
  Item item;
  for (const auto& [name, value] : json.items()) {
    ASSIGN_OR_RETURN(item[name], Parse(value, depth));
  }
  return item;
}

std::string TextOf(const AttributeValue& scalar) {
  return scalar.type == AttributeType::kBinary ? absl::Base64Escape(scalar.text)
                                               : scalar.text;
}

Json BareJson(const AttributeValue& value) {
  switch (value.type) {
    case AttributeType::kString:
    case AttributeType::kNumber:
    case AttributeType::kBinary:
      return TextOf(value);
    case AttributeType::kBool:
      return value.flag;
    case AttributeType::kNull:
      return true;
    case AttributeType::kMap:
      return ToJson(value.map);
    default:
      break;
  }
  Json list = Json::array();
  for (const AttributeValue& element : value.list) {
    if (value.type == AttributeType::kList) {
      list.push_back(ToJson(element));
    } else {
      list.push_back(TextOf(element));
    }
  }
  return list;
}

}  // namespace

absl::StatusOr<AttributeValue> ParseAttribute(const Json& json) {
  return Parse(json, 0);
}

absl::StatusOr<Item> ParseItem(const Json& json) { return ParseMap(json, 0); }

Json ToJson(const AttributeValue& value) {
  Json json = Json::object();
  json[std::string(TypeName(value.type))] = BareJson(value);
  return json;
}

Json ToJson(const Item& item) {
  Json json = Json::object();
  for (const auto& [name, value] : item) json[name] = ToJson(value);
  return json;
}

}  // namespace trireme::dynamodb
