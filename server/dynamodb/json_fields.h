// The members of a request's JSON, each as the type that it must have:
// SerializationException for any other. A member that is null is not there.
#ifndef TRIREME_SERVER_DYNAMODB_JSON_FIELDS_H_
#define TRIREME_SERVER_DYNAMODB_JSON_FIELDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/dynamodb/dynamodb_error.h"

namespace trireme::dynamodb {

// Null when it is not there.
absl::StatusOr<const Json*> ObjectField(const Json& object, const char* name);
absl::StatusOr<const Json*> ArrayField(const Json& object, const char* name);

absl::StatusOr<std::string> AsString(const Json& value);
// Empty when it is not there.
absl::StatusOr<std::string> StringField(const Json& object, const char* name);
absl::StatusOr<std::vector<std::string>> StringsField(const Json& object,
                                                      const char* name);
absl::StatusOr<std::optional<int64_t>> IntegerField(const Json& object,
                                                    const char* name);
absl::StatusOr<std::optional<bool>> BoolField(const Json& object,
                                              const char* name);
bool HasField(const Json& object, const char* name);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_JSON_FIELDS_H_
