// Attribute values as JSON: {"S": "text"}, {"M": {...}}. Errors in DynamoDB's
// words.
#ifndef TRIREME_SERVER_DYNAMODB_ATTRIBUTE_JSON_H_
#define TRIREME_SERVER_DYNAMODB_ATTRIBUTE_JSON_H_

#include "absl/status/statusor.h"
#include "server/dynamodb/attribute_value.h"
#include "server/dynamodb/dynamodb_error.h"

namespace trireme::dynamodb {

inline constexpr int kNestingMax = 32;

absl::StatusOr<AttributeValue> ParseAttribute(const Json& json);
// An object of attribute values.
absl::StatusOr<Item> ParseItem(const Json& json);

Json ToJson(const AttributeValue& value);
Json ToJson(const Item& item);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_ATTRIBUTE_JSON_H_
