#include "server/dynamodb/projection.h"

#include "server/dynamodb/expression_parser.h"
#include "server/dynamodb/json_fields.h"
#include "server/dynamodb/legacy_parameters.h"
#include "server/dynamodb/table_reader.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {

absl::StatusOr<std::vector<Path>> ParseProjectionOf(const Json& request,
                                                    Placeholders* holders) {
  RETURN_IF_ERROR(CheckNotMixed(
      request, {"AttributesToGet"},
      {"ProjectionExpression", "FilterExpression", "KeyConditionExpression"}));
  if (!HasField(request, "ProjectionExpression")) {
    return ParseAttributesToGet(request);
  }
  ASSIGN_OR_RETURN(const std::string text,
                   StringField(request, "ProjectionExpression"));
  return ParseProjection(text, holders);
}

absl::StatusOr<std::vector<Path>> ParseProjectionOf(const Json& request) {
  ASSIGN_OR_RETURN(Placeholders holders, Placeholders::Parse(request));
  ASSIGN_OR_RETURN(std::vector<Path> paths,
                   ParseProjectionOf(request, &holders));
  RETURN_IF_ERROR(holders.CheckAllUsed());
  return paths;
}

}  // namespace trireme::dynamodb
