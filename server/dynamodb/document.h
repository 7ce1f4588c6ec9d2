// Paths into items: what stands there, and changes of it.
#ifndef TRIREME_SERVER_DYNAMODB_DOCUMENT_H_
#define TRIREME_SERVER_DYNAMODB_DOCUMENT_H_

#include <vector>

#include "absl/status/status.h"
#include "server/dynamodb/expression.h"

namespace trireme::dynamodb {

// Null when there is nothing.
const AttributeValue* FindAt(const Item& item, const Path& path);

// What the path's last step stands in must be there: ValidationException. An
// element behind the end of a list becomes its last.
absl::Status SetAt(const Path& path, AttributeValue value, Item* item);
// What is not there is no error, as long as it could be.
absl::Status RemoveAt(const Path& path, Item* item);

// The parts of the item at the paths, in the documents they stand in; elements
// of lists close up.
Item Project(const Item& item, const std::vector<Path>& paths);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_DOCUMENT_H_
