// Whether a condition holds of an item.
#ifndef TRIREME_SERVER_DYNAMODB_CONDITION_H_
#define TRIREME_SERVER_DYNAMODB_CONDITION_H_

#include "server/dynamodb/expression.h"

namespace trireme::dynamodb {

// An item that is not there has no attributes.
bool Holds(const Condition& condition, const Item& item);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_CONDITION_H_
