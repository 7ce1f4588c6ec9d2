#include "server/dynamodb/dynamodb_error.h"

#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/errors.h"

namespace trireme::dynamodb {
namespace {

constexpr char kExceptionUrl[] = "trireme.dynamodb.exception";
constexpr char kConditionFailed[] = "ConditionalCheckFailedException";
constexpr char kServicePrefix[] = "com.amazonaws.dynamodb.v20120810#";
constexpr char kCoralPrefix[] = "com.amazon.coral.service#";
constexpr char kValidatePrefix[] = "com.amazon.coral.validate#";

// The exception's name, as DynamoDB qualifies it.
std::string TypeOf(const absl::Status& status) {
  if (const auto named = status.GetPayload(kExceptionUrl)) {
    const std::string name(*named);
    const bool is_coral =
        name == "SerializationException" || name == "UnknownOperationException";
    return absl::StrCat(is_coral ? kCoralPrefix : kServicePrefix, name);
  }
  switch (ReasonOf(status)) {
    case ErrorReason::kValidation:
    case ErrorReason::kInvalidArgument:
      return absl::StrCat(kValidatePrefix, "ValidationException");
    case ErrorReason::kResourceNotFound:
      return absl::StrCat(kServicePrefix, "ResourceNotFoundException");
    case ErrorReason::kResourceInUse:
      return absl::StrCat(kServicePrefix, "ResourceInUseException");
    case ErrorReason::kLimitExceeded:
      return absl::StrCat(kServicePrefix, "LimitExceededException");
    case ErrorReason::kOverloaded:
    case ErrorReason::kProvisionedThroughputExceeded:
      return absl::StrCat(kServicePrefix,
                          "ProvisionedThroughputExceededException");
    default:
      // No leader, outcome unknown, full disk: clients try again.
      return absl::StrCat(kServicePrefix, "InternalServerError");
  }
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

absl::Status ValidationError(absl::string_view message) {
  return MakeError(ErrorReason::kValidation, message);
}

absl::Status SerializationError(absl::string_view message) {
  return Exception("SerializationException", message);
}

absl::Status ConditionFailed() {
  return Exception(kConditionFailed, "The conditional request failed");
}

absl::Status ResourceNotFound() {
  return MakeError(ErrorReason::kResourceNotFound,
                   "Requested resource not found");
}

absl::Status Exception(absl::string_view name, absl::string_view message) {
  absl::Status status(absl::StatusCode::kFailedPrecondition, message);
  status.SetPayload(kExceptionUrl, absl::Cord(name));
  return status;
}

bool IsConditionFailed(const absl::Status& status) {
  const auto named = status.GetPayload(kExceptionUrl);
  return named.has_value() && *named == kConditionFailed;
}

Answer ErrorAnswer(const absl::Status& status, Json members) {
  const std::string type = TypeOf(status);
  members["__type"] = type;
  members["message"] = std::string(status.message());
  const bool is_ours = absl::EndsWith(type, "#InternalServerError");
  return {is_ours ? 500 : 400, Dump(members)};
}

Answer OkAnswer(const Json& body) { return {200, Dump(body)}; }

}  // namespace trireme::dynamodb
