// CreateTable, DescribeTable, ListTables, UpdateTable, DeleteTable.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/dynamodb/calls.h"
#include "server/dynamodb/json_fields.h"
#include "server/dynamodb/table_change.h"
#include "server/dynamodb/table_json.h"
#include "storage/errors.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

constexpr int64_t kListMax = 100;

absl::Status IndexNotFound(const std::string& name) {
  return MakeError(ErrorReason::kResourceNotFound,
                   absl::StrCat("Requested resource not found: No index "
                                "found with the name: ",
                                name));
}

// What UpdateTable asks for.
struct AskedUpdate {
  std::vector<KeyPart> attributes;
  std::vector<Json> creates;
  std::vector<std::string> deletes;
  std::vector<std::pair<std::string, Throughput>> updates;
  std::optional<bool> pay_per_request;
  std::optional<Throughput> throughput;
  std::optional<bool> deletion_protection;
  std::string table_class;
};

absl::Status ParseIndexUpdate(const Json& json, AskedUpdate* asked) {
  ASSIGN_OR_RETURN(const Json* const create, ObjectField(json, "Create"));
  ASSIGN_OR_RETURN(const Json* const remove, ObjectField(json, "Delete"));
  ASSIGN_OR_RETURN(const Json* const update, ObjectField(json, "Update"));
  if (create != nullptr) asked->creates.push_back(*create);
  if (remove != nullptr) {
    ASSIGN_OR_RETURN(std::string name, StringField(*remove, "IndexName"));
    asked->deletes.push_back(std::move(name));
  }
  if (update != nullptr) {
    ASSIGN_OR_RETURN(std::string name, StringField(*update, "IndexName"));
    ASSIGN_OR_RETURN(const Throughput throughput, ParseThroughput(*update));
    asked->updates.emplace_back(std::move(name), throughput);
  }
  if ((create != nullptr) + (remove != nullptr) + (update != nullptr) == 1) {
    return absl::OkStatus();
  }
  return ValidationError(
      "One or more parameter values were invalid: One of "
      "GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
      "GlobalSecondaryIndexUpdate.Delete must be set");
}

absl::StatusOr<AskedUpdate> ParseAskedUpdate(const Json& request) {
  AskedUpdate asked;
  ASSIGN_OR_RETURN(asked.attributes, ParseAttributes(request));
  ASSIGN_OR_RETURN(const Json* const indexes,
                   ArrayField(request, "GlobalSecondaryIndexUpdates"));
  if (indexes != nullptr) {
    for (const Json& json : *indexes) {
      RETURN_IF_ERROR(ParseIndexUpdate(json, &asked));
    }
  }
  if (HasField(request, "BillingMode")) {
    ASSIGN_OR_RETURN(asked.pay_per_request, ParseIsPayPerRequest(request));
  }
  if (HasField(request, "ProvisionedThroughput")) {
    ASSIGN_OR_RETURN(asked.throughput, ParseThroughput(request));
  }
  ASSIGN_OR_RETURN(asked.deletion_protection,
                   BoolField(request, "DeletionProtectionEnabled"));
  ASSIGN_OR_RETURN(asked.table_class, StringField(request, "TableClass"));
  return asked;
}

absl::Status ChangeIndexes(const AskedUpdate& asked,
                           TableDefinition* definition) {
  for (const KeyPart& part : asked.attributes) {
    const auto known = std::find_if(
        definition->attributes.begin(), definition->attributes.end(),
        [&part](const KeyPart& other) { return other.name == part.name; });
    if (known == definition->attributes.end()) {
      definition->attributes.push_back(part);
    }
  }
  for (const std::string& name : asked.deletes) {
    if (definition->FindIndex(name) == nullptr) return IndexNotFound(name);
    std::erase_if(definition->indexes, [&name](const TableIndex& index) {
      return index.name == name;
    });
  }
  for (const auto& [name, throughput] : asked.updates) {
    if (definition->FindIndex(name) == nullptr) return IndexNotFound(name);
    for (TableIndex& index : definition->indexes) {
      if (index.name == name) index.throughput = throughput;
    }
  }
  for (const Json& json : asked.creates) {
    ASSIGN_OR_RETURN(TableIndex index,
                     ParseIndex(json, definition->attributes));
    if (definition->FindIndex(index.name) != nullptr) {
      return ValidationError(absl::StrCat(
          "Attempting to create an index which already exists: ", index.name));
    }
    if (definition->indexes.size() >= kIndexesMax) {
      return MakeError(
          ErrorReason::kLimitExceeded,
          absl::StrCat("A table has at most ", kIndexesMax, " indexes"));
    }
    definition->indexes.push_back(std::move(index));
  }
  return absl::OkStatus();
}

// What is left is what some key uses.
void ForgetUnusedAttributes(TableDefinition* definition) {
  std::vector<KeyPart> used = definition->key;
  for (const TableIndex& index : definition->indexes) {
    used.insert(used.end(), index.key.begin(), index.key.end());
  }
  std::erase_if(definition->attributes, [&used](const KeyPart& part) {
    return std::find(used.begin(), used.end(), part) == used.end();
  });
}

absl::Status Change(const AskedUpdate& asked, TableDefinition* definition) {
  RETURN_IF_ERROR(ChangeIndexes(asked, definition));
  ForgetUnusedAttributes(definition);
  if (asked.pay_per_request.has_value()) {
    definition->pay_per_request = *asked.pay_per_request;
    if (*asked.pay_per_request) definition->throughput = {};
  }
  if (asked.throughput.has_value()) definition->throughput = *asked.throughput;
  if (asked.deletion_protection.has_value()) {
    definition->deletion_protection = *asked.deletion_protection;
  }
  if (!asked.table_class.empty()) definition->table_class = asked.table_class;
  return absl::OkStatus();
}

Answer DescriptionOf(Broker* broker, const absl::StatusOr<TablePtr>& table,
                     absl::string_view status) {
  if (!table.ok()) return ErrorAnswer(table.status());
  return OkAnswer({{"TableDescription",
                    DescribeTable(**table, broker->account(), status)}});
}

}  // namespace

Replied DescribeTable(const TableReader& reader, const Json& request) {
  ASSIGN_OR_RETURN(const std::string name, TableNameIn(request));
  const absl::StatusOr<TablePtr> table = reader.Find(name);
  if (ReasonOf(table.status()) == ErrorReason::kResourceNotFound) {
    return MakeError(ErrorReason::kResourceNotFound,
                     absl::StrCat("Requested resource not found: Table: ", name,
                                  " not found"));
  }
  RETURN_IF_ERROR(table.status());
  Json reply = {{"Table", DescribeTable(**table, reader.account(), "ACTIVE")}};
  return reply;
}

Replied ListTables(const TableReader& reader, const Json& request) {
  ASSIGN_OR_RETURN(const auto limit, IntegerField(request, "Limit"));
  ASSIGN_OR_RETURN(const std::string after,
                   StringField(request, "ExclusiveStartTableName"));
  if (limit.has_value() && (*limit < 1 || *limit > kListMax)) {
    return ValidationError(absl::StrCat(
        "1 validation error detected: Value '", *limit,
        "' at 'limit' failed to satisfy constraint: Member must have value "
        "between 1 and ",
        kListMax));
  }
  Json names = Json::array();
  Json reply = Json::object();
  for (const std::string& name : reader.tables().Names()) {
    if (name <= after) continue;
    if (names.size() == static_cast<size_t>(limit.value_or(kListMax))) {
      reply["LastEvaluatedTableName"] = names.back();
      break;
    }
    names.push_back(name);
  }
  reply["TableNames"] = std::move(names);
  return reply;
}

void CreateTable(Broker* broker, const Json& request, absl::Duration timeout,
                 AnswerDone done) {
  const absl::StatusOr<std::string> name = TableNameIn(request);
  if (!name.ok()) return done(ErrorAnswer(name.status()));
  absl::StatusOr<TableDefinition> definition = ParseDefinition(request);
  if (!definition.ok()) return done(ErrorAnswer(definition.status()));
  std::string bytes = EncodeDefinition(*definition);
  broker->tables().Create(
      *name, std::move(bytes), timeout,
      [broker, definition = *std::move(definition),
       done = std::move(done)](absl::StatusOr<FoundTable> found) mutable {
        if (!found.ok()) return done(ErrorAnswer(found.status()));
        auto table = std::make_shared<Table>();
        table->found = *std::move(found);
        table->definition = std::move(definition);
        done(DescriptionOf(broker, TablePtr(std::move(table)), "ACTIVE"));
      });
}

void UpdateTable(Broker* broker, const Json& request, absl::Duration timeout,
                 AnswerDone done) {
  const absl::StatusOr<std::string> name = TableNameIn(request);
  if (!name.ok()) return done(ErrorAnswer(name.status()));
  absl::StatusOr<AskedUpdate> asked = ParseAskedUpdate(request);
  if (!asked.ok()) return done(ErrorAnswer(asked.status()));
  DefinitionChange change;
  change.table_name = *name;
  change.change = [asked = *std::move(asked)](TableDefinition* definition) {
    return Change(asked, definition);
  };
  ChangeTable(broker, std::move(change), timeout,
              [broker, done = std::move(done)](
                  const absl::StatusOr<TablePtr>& table) mutable {
                done(DescriptionOf(broker, table, "ACTIVE"));
              });
}

void DeleteTable(Broker* broker, const Json& request, absl::Duration timeout,
                 AnswerDone done) {
  const absl::StatusOr<std::string> name = TableNameIn(request);
  if (!name.ok()) return done(ErrorAnswer(name.status()));
  ChangeTable(broker, {*name, nullptr}, timeout,
              [broker, done = std::move(done)](
                  const absl::StatusOr<TablePtr>& table) mutable {
                done(DescriptionOf(broker, table, "DELETING"));
              });
}

}  // namespace trireme::dynamodb
