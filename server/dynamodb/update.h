// What an update makes of an item.
#ifndef TRIREME_SERVER_DYNAMODB_UPDATE_H_
#define TRIREME_SERVER_DYNAMODB_UPDATE_H_

#include <vector>

#include "absl/status/status.h"
#include "server/dynamodb/expression.h"

namespace trireme::dynamodb {

// All actions see the item as it was. ValidationException when an operand is
// not there or of the wrong type; then the item is not to be used any more.
absl::Status ApplyUpdate(const Update& update, Item* item);

std::vector<Path> PathsOf(const Update& update);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_UPDATE_H_
