#include "server/dynamodb/table_reader.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/dynamodb/json_fields.h"
#include "storage/status_macros.h"
#include "storage/table_commands.h"

namespace trireme::dynamodb {
namespace {

constexpr char kArnPrefix[] = "arn:aws:dynamodb:";
constexpr char kArnTable[] = ":table/";

std::vector<std::string> Given(const Json& request,
                               std::initializer_list<const char*> members) {
  std::vector<std::string> given;
  for (const char* const member : members) {
    if (HasField(request, member)) given.push_back(member);
  }
  return given;
}

}  // namespace

absl::StatusOr<TablePtr> TableReader::Find(absl::string_view name) const {
  std::optional<FoundTable> found = broker_->tables().Find(name);
  if (!found.has_value()) return ResourceNotFound();
  auto table = std::make_shared<Table>();
  ASSIGN_OR_RETURN(table->definition, DecodeDefinition(found->head.definition));
  table->found = *std::move(found);
  return table;
}

absl::StatusOr<TablePtr> TableReader::FindNamedIn(const Json& request) const {
  ASSIGN_OR_RETURN(const std::string name, TableNameIn(request));
  return Find(name);
}

absl::StatusOr<std::string> ParseTableName(absl::string_view name) {
  if (absl::StartsWith(name, kArnPrefix)) {
    const size_t at = name.find(kArnTable);
    if (at != absl::string_view::npos) {
      name.remove_prefix(at + sizeof(kArnTable) - 1);
      name = name.substr(0, name.find('/'));
    }
  }
  if (IsTableName(name)) return std::string(name);
  const char* const constraint =
      name.size() < kTableNameBytesMin
          ? "Member must have length greater than or equal to 3"
      : name.size() > kTableNameBytesMax
          ? "Member must have length less than or equal to 255"
          : "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+";
  return ValidationError(absl::StrCat(
      "1 validation error detected: Value '", name,
      "' at 'tableName' failed to satisfy constraint: ", constraint));
}

absl::StatusOr<std::string> TableNameIn(const Json& request) {
  if (!HasField(request, "TableName")) {
    return ValidationError(
        "1 validation error detected: Value null at 'tableName' failed to "
        "satisfy constraint: Member must not be null");
  }
  ASSIGN_OR_RETURN(const std::string name, StringField(request, "TableName"));
  return ParseTableName(name);
}

std::string TableArn(const Account& account, absl::string_view name) {
  return absl::StrCat(kArnPrefix, account.region, ":", account.id, kArnTable,
                      name);
}

absl::Status CheckNotMixed(const Json& request,
                           std::initializer_list<const char*> legacy,
                           std::initializer_list<const char*> expressions) {
  const std::vector<std::string> old = Given(request, legacy);
  const std::vector<std::string> current = Given(request, expressions);
  if (old.empty() || current.empty()) return absl::OkStatus();
  return ValidationError(absl::StrCat(
      "Can not use both expression and non-expression parameters in the same "
      "request: Non-expression parameters: {",
      absl::StrJoin(old, ", "), "} Expression parameters: {",
      absl::StrJoin(current, ", "), "}"));
}

Json ConsumedCapacity(absl::string_view name) {
  return {{"TableName", std::string(name)}, {"CapacityUnits", 0.0}};
}

bool WantsCapacity(const Json& request) {
  const auto wanted = StringField(request, "ReturnConsumedCapacity");
  return wanted.ok() && (*wanted == "TOTAL" || *wanted == "INDEXES");
}

}  // namespace trireme::dynamodb
