#include "server/dynamodb/placeholders.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/dynamodb/attribute_json.h"
#include "server/dynamodb/json_fields.h"
#include "storage/errors.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

constexpr char kNames[] = "ExpressionAttributeNames";
constexpr char kValues[] = "ExpressionAttributeValues";

absl::Status CheckHolder(const char* member, char sign,
                         const std::string& holder) {
  if (holder.size() > 1 && holder[0] == sign) return absl::OkStatus();
  return ValidationError(absl::StrCat(member,
                                      " contains invalid key: Syntax "
                                      "error; key: \"",
                                      holder, "\""));
}

template <typename Map>
absl::Status CheckUsed(const char* member, const Map& holders,
                       const std::set<std::string, std::less<>>& used) {
  std::vector<std::string> unused;
  for (const auto& [holder, meaning] : holders) {
    if (!used.contains(holder)) unused.push_back(holder);
  }
  if (unused.empty()) return absl::OkStatus();
  return ValidationError(absl::StrCat("Value provided in ", member,
                                      " unused in expressions: keys: {",
                                      absl::StrJoin(unused, ", "), "}"));
}

}  // namespace

absl::StatusOr<Placeholders> Placeholders::Parse(const Json& request) {
  Placeholders holders;
  ASSIGN_OR_RETURN(const Json* const names, ObjectField(request, kNames));
  ASSIGN_OR_RETURN(const Json* const values, ObjectField(request, kValues));
  for (const auto& [member, given] :
       {std::pair(kNames, names), std::pair(kValues, values)}) {
    if (given == nullptr || !given->empty()) continue;
    return ValidationError(absl::StrCat(member, " must not be empty"));
  }
  if (names != nullptr) {
    for (const auto& [holder, name] : names->items()) {
      RETURN_IF_ERROR(CheckHolder(kNames, '#', holder));
      ASSIGN_OR_RETURN(holders.names_[holder], AsString(name));
    }
  }
  if (values != nullptr) {
    for (const auto& [holder, json] : values->items()) {
      RETURN_IF_ERROR(CheckHolder(kValues, ':', holder));
      absl::StatusOr<AttributeValue> value = ParseAttribute(json);
      if (ReasonOf(value.status()) == ErrorReason::kValidation) {
        return ValidationError(absl::StrCat(
            kValues, " contains invalid value: ", value.status().message(),
            " for key ", holder));
      }
      RETURN_IF_ERROR(value.status());
      holders.values_[holder] = *std::move(value);
    }
  }
  return holders;
}

const std::string* Placeholders::UseName(absl::string_view holder) {
  const auto found = names_.find(holder);
  if (found == names_.end()) return nullptr;
  used_.insert(found->first);
  return &found->second;
}

const AttributeValue* Placeholders::UseValue(absl::string_view holder) {
  const auto found = values_.find(holder);
  if (found == values_.end()) return nullptr;
  used_.insert(found->first);
  return &found->second;
}

absl::Status Placeholders::CheckAllUsed() const {
  RETURN_IF_ERROR(CheckUsed(kNames, names_, used_));
  return CheckUsed(kValues, values_, used_);
}

}  // namespace trireme::dynamodb
