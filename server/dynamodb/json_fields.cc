#include "server/dynamodb/json_fields.h"

#include "absl/strings/str_cat.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

absl::Status NotA(const char* wanted, const Json& value) {
  switch (value.type()) {
    case Json::value_t::object:
      return SerializationError(
          "Start of structure or map found where not expected");
    case Json::value_t::array:
      return SerializationError("Start of list found where not expected");
    case Json::value_t::string:
      return SerializationError(
          absl::StrCat("STRING_VALUE cannot be converted to ", wanted));
    case Json::value_t::boolean:
      return SerializationError(
          absl::StrCat(value.get<bool>() ? "TRUE" : "FALSE",
                       "_VALUE cannot be converted to ", wanted));
    default:
      return SerializationError(
          absl::StrCat("NUMBER_VALUE cannot be converted to ", wanted));
  }
}

const Json* FieldOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

}  // namespace

bool HasField(const Json& object, const char* name) {
  return FieldOf(object, name) != nullptr;
}

absl::StatusOr<const Json*> ObjectField(const Json& object, const char* name) {
  const Json* const field = FieldOf(object, name);
  if (field != nullptr && !field->is_object()) return NotA("Map", *field);
  return field;
}

absl::StatusOr<const Json*> ArrayField(const Json& object, const char* name) {
  const Json* const field = FieldOf(object, name);
  if (field != nullptr && !field->is_array()) return NotA("List", *field);
  return field;
}

absl::StatusOr<std::string> AsString(const Json& value) {
  if (!value.is_string()) return NotA("String", value);
  return value.get<std::string>();
}

absl::StatusOr<std::string> StringField(const Json& object, const char* name) {
  const Json* const field = FieldOf(object, name);
  if (field == nullptr) return std::string();
  return AsString(*field);
}

absl::StatusOr<std::vector<std::string>> StringsField(const Json& object,
                                                      const char* name) {
  ASSIGN_OR_RETURN(const Json* const field, ArrayField(object, name));
  std::vector<std::string> strings;
  if (field == nullptr) return strings;
  for (const Json& element : *field) {
    ASSIGN_OR_RETURN(std::string text, AsString(element));
    strings.push_back(std::move(text));
  }
  return strings;
}

absl::StatusOr<std::optional<int64_t>> IntegerField(const Json& object,
                                                    const char* name) {
  const Json* const field = FieldOf(object, name);
  if (field == nullptr) return std::nullopt;
  if (field->is_number_integer()) return field->get<int64_t>();
  if (field->is_number_float()) {
    const double value = field->get<double>();
    if (value > -9e15 && value < 9e15) return static_cast<int64_t>(value);
  }
  return NotA("Long", *field);
}

absl::StatusOr<std::optional<bool>> BoolField(const Json& object,
                                              const char* name) {
  const Json* const field = FieldOf(object, name);
  if (field == nullptr) return std::nullopt;
  if (!field->is_boolean()) return NotA("Boolean", *field);
  return field->get<bool>();
}

}  // namespace trireme::dynamodb
