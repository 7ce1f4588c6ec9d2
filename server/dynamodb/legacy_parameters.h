// The parameters that DynamoDB had before expressions, which KCL uses still:
// they become what expressions become. Errors in DynamoDB's words.
#ifndef TRIREME_SERVER_DYNAMODB_LEGACY_PARAMETERS_H_
#define TRIREME_SERVER_DYNAMODB_LEGACY_PARAMETERS_H_

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "server/dynamodb/dynamodb_error.h"
#include "server/dynamodb/expression.h"

namespace trireme::dynamodb {

// Of Expected, ScanFilter, QueryFilter or KeyConditions, as `member` says,
// with ConditionalOperator. Nothing when it is not there.
absl::StatusOr<std::optional<Condition>> ParseLegacyCondition(
    const Json& request, const char* member);

// Of AttributeUpdates. Nothing when it is not there.
absl::StatusOr<std::optional<Update>> ParseAttributeUpdates(
    const Json& request);

// Of AttributesToGet. Empty when it is not there.
absl::StatusOr<std::vector<Path>> ParseAttributesToGet(const Json& request);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_LEGACY_PARAMETERS_H_
