// What is set of tables: tags; and backups and times to live, which there are
// none of.
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/dynamodb/calls.h"
#include "server/dynamodb/json_fields.h"
#include "server/dynamodb/table_change.h"
#include "server/dynamodb/table_json.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

Json BackupsDisabled() {
  return {{"ContinuousBackupsDescription",
           {{"ContinuousBackupsStatus", "DISABLED"},
            {"PointInTimeRecoveryDescription",
             {{"PointInTimeRecoveryStatus", "DISABLED"}}}}}};
}

absl::StatusOr<std::string> ResourceIn(const Json& request) {
  ASSIGN_OR_RETURN(const std::string arn, StringField(request, "ResourceArn"));
  return ParseTableName(arn);
}

void ChangeTags(Broker* broker, const Json& request, absl::Duration timeout,
                std::function<absl::Status(TableDefinition*)> change,
                AnswerDone done) {
  const absl::StatusOr<std::string> name = ResourceIn(request);
  if (!name.ok()) return done(ErrorAnswer(name.status()));
  ChangeTable(
      broker, {*name, std::move(change)}, timeout,
      [done = std::move(done)](const absl::StatusOr<TablePtr>& table) mutable {
        done(table.ok() ? OkAnswer(Json::object())
                        : ErrorAnswer(table.status()));
      });
}

}  // namespace

Replied DescribeContinuousBackups(const TableReader& reader,
                                  const Json& request) {
  RETURN_IF_ERROR(reader.FindNamedIn(request).status());
  return BackupsDisabled();
}

Replied UpdateContinuousBackups(const TableReader& reader,
                                const Json& request) {
  RETURN_IF_ERROR(reader.FindNamedIn(request).status());
  return BackupsDisabled();
}

Replied DescribeTimeToLive(const TableReader& reader, const Json& request) {
  RETURN_IF_ERROR(reader.FindNamedIn(request).status());
  Json reply = {{"TimeToLiveDescription", {{"TimeToLiveStatus", "DISABLED"}}}};
  return reply;
}

Replied ListTagsOfResource(const TableReader& reader, const Json& request) {
  ASSIGN_OR_RETURN(const std::string name, ResourceIn(request));
  ASSIGN_OR_RETURN(const TablePtr table, reader.Find(name));
  Json tags = Json::array();
  for (const auto& [key, value] : table->definition.tags) {
    tags.push_back({{"Key", key}, {"Value", value}});
  }
  Json reply = {{"Tags", std::move(tags)}};
  return reply;
}

void TagResource(Broker* broker, const Json& request, absl::Duration timeout,
                 AnswerDone done) {
  absl::StatusOr<std::map<std::string, std::string>> tags = ParseTags(request);
  if (!tags.ok()) return done(ErrorAnswer(tags.status()));
  ChangeTags(
      broker, request, timeout,
      [tags = *std::move(tags)](TableDefinition* definition) -> absl::Status {
        for (const auto& [key, value] : tags) definition->tags[key] = value;
        if (definition->tags.size() <= kTagsMax) return absl::OkStatus();
        return ValidationError(
            absl::StrCat("A table has at most ", kTagsMax, " tags"));
      },
      std::move(done));
}

void UntagResource(Broker* broker, const Json& request, absl::Duration timeout,
                   AnswerDone done) {
  absl::StatusOr<std::vector<std::string>> keys =
      StringsField(request, "TagKeys");
  if (!keys.ok()) return done(ErrorAnswer(keys.status()));
  ChangeTags(
      broker, request, timeout,
      [keys = *std::move(keys)](TableDefinition* definition) -> absl::Status {
        for (const std::string& key : keys) definition->tags.erase(key);
        return absl::OkStatus();
      },
      std::move(done));
}

}  // namespace trireme::dynamodb
