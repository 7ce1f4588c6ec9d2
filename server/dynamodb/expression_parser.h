// Parses expressions of DynamoDB. `parameter` says where one was given
// ("ConditionExpression"). Errors are ValidationException, in DynamoDB's words.
// Attributes may be named by words that DynamoDB reserves.
#ifndef TRIREME_SERVER_DYNAMODB_EXPRESSION_PARSER_H_
#define TRIREME_SERVER_DYNAMODB_EXPRESSION_PARSER_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/dynamodb/expression.h"
#include "server/dynamodb/placeholders.h"

namespace trireme::dynamodb {

absl::StatusOr<Condition> ParseCondition(absl::string_view parameter,
                                         absl::string_view text,
                                         Placeholders* holders);
absl::StatusOr<Update> ParseUpdate(absl::string_view text,
                                   Placeholders* holders);
absl::StatusOr<std::vector<Path>> ParseProjection(absl::string_view text,
                                                  Placeholders* holders);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_EXPRESSION_PARSER_H_
