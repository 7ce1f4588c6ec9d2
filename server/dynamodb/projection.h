// Which parts of items a request asks for.
#ifndef TRIREME_SERVER_DYNAMODB_PROJECTION_H_
#define TRIREME_SERVER_DYNAMODB_PROJECTION_H_

#include <vector>

#include "absl/status/statusor.h"
#include "server/dynamodb/dynamodb_error.h"
#include "server/dynamodb/expression.h"
#include "server/dynamodb/placeholders.h"

namespace trireme::dynamodb {

// ProjectionExpression or AttributesToGet; empty: all. Of a request that has no
// other expressions.
absl::StatusOr<std::vector<Path>> ParseProjectionOf(const Json& request);
// The same of one that has.
absl::StatusOr<std::vector<Path>> ParseProjectionOf(const Json& request,
                                                    Placeholders* holders);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_PROJECTION_H_
