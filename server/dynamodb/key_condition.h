// What a Query says of keys: the hash key's value, and maybe a condition on the
// range key.
#ifndef TRIREME_SERVER_DYNAMODB_KEY_CONDITION_H_
#define TRIREME_SERVER_DYNAMODB_KEY_CONDITION_H_

#include <optional>

#include "absl/status/statusor.h"
#include "server/dynamodb/expression.h"
#include "server/dynamodb/table_definition.h"

namespace trireme::dynamodb {

struct KeyCondition {
  AttributeValue hash;
  std::optional<Condition> range;
};

// Of KeyConditionExpression, or KeyConditions. ValidationException when it is
// not one that a Query of keys of that schema can have.
absl::StatusOr<KeyCondition> ToKeyCondition(const Condition& condition,
                                            const KeySchema& schema);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_KEY_CONDITION_H_
