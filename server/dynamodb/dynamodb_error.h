// Errors as DynamoDB words them: a typed Status (storage/errors.h), or one that
// carries the name of an exception which only DynamoDB has.
#ifndef TRIREME_SERVER_DYNAMODB_DYNAMODB_ERROR_H_
#define TRIREME_SERVER_DYNAMODB_DYNAMODB_ERROR_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace trireme::dynamodb {

using Json = nlohmann::json;

absl::Status ValidationError(absl::string_view message);
absl::Status SerializationError(absl::string_view message);
absl::Status ConditionFailed();
// "Requested resource not found", of a table that a call of items names.
absl::Status ResourceNotFound();
absl::Status Exception(absl::string_view name, absl::string_view message);

bool IsConditionFailed(const absl::Status& status);

// What goes to the client.
struct Answer {
  int status = 200;
  std::string body;
};
// `members` come beside __type and message.
Answer ErrorAnswer(const absl::Status& status, Json members = Json::object());
Answer OkAnswer(const Json& body);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_DYNAMODB_ERROR_H_
