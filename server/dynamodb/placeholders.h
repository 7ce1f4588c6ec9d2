// Placeholders are what a request gives beside its expressions: names of
// attributes and values (ExpressionAttributeNames, ExpressionAttributeValues).
// Each must be used by one of them.
#ifndef TRIREME_SERVER_DYNAMODB_PLACEHOLDERS_H_
#define TRIREME_SERVER_DYNAMODB_PLACEHOLDERS_H_

#include <map>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/dynamodb/attribute_value.h"
#include "server/dynamodb/dynamodb_error.h"

namespace trireme::dynamodb {

class Placeholders {
 public:
  static absl::StatusOr<Placeholders> Parse(const Json& request);

  // Null when there is none of that name ("#n", ":v"). Notes the use.
  const std::string* UseName(absl::string_view holder);
  const AttributeValue* UseValue(absl::string_view holder);
  // ValidationException when one was not used.
  absl::Status CheckAllUsed() const;

 private:
  std::map<std::string, std::string, std::less<>> names_;
  Item values_;
  std::set<std::string, std::less<>> used_;
};

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_PLACEHOLDERS_H_
