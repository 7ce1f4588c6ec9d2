#include "server/dynamodb/table_json.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "server/dynamodb/json_fields.h"
#include "server/dynamodb/table_reader.h"
#include "storage/status_macros.h"
#include "storage/table_commands.h"

namespace trireme::dynamodb {
namespace {

constexpr size_t kTagKeyMax = 128;
constexpr size_t kTagValueMax = 256;
constexpr std::pair<absl::string_view, Projection> kProjections[] = {
    {"ALL", Projection::kAll},
    {"KEYS_ONLY", Projection::kKeysOnly},
    {"INCLUDE", Projection::kInclude},
};

absl::Status Invalid(absl::string_view what) {
  return ValidationError(
      absl::StrCat("One or more parameter values were invalid: ", what));
}

std::string NamesOf(const std::vector<KeyPart>& parts) {
  return absl::StrCat("[",
                      absl::StrJoin(parts, ", ",
                                    [](std::string* out, const KeyPart& part) {
                                      *out += part.name;
                                    }),
                      "]");
}

// KeySchema: the hash key first.
absl::StatusOr<KeySchema> ParseKey(const Json& json,
                                   const std::vector<KeyPart>& attributes) {
  ASSIGN_OR_RETURN(const Json* const list, ArrayField(json, "KeySchema"));
  if (list == nullptr || list->empty() || list->size() > 2) {
    return ValidationError(
        "1 validation error detected: Value at 'keySchema' failed to satisfy "
        "constraint: Member must have 1 or 2 elements");
  }
  KeySchema key;
  for (const Json& element : *list) {
    ASSIGN_OR_RETURN(const std::string name,
                     StringField(element, "AttributeName"));
    ASSIGN_OR_RETURN(const std::string type, StringField(element, "KeyType"));
    if (type != (key.empty() ? "HASH" : "RANGE")) {
      return ValidationError(
          key.empty() ? "Invalid KeySchema: The first KeySchemaElement is not "
                        "a HASH key type"
                      : "Invalid KeySchema: The second KeySchemaElement is not "
                        "a RANGE key type");
    }
    const auto defined = std::find_if(
        attributes.begin(), attributes.end(),
        [&name](const KeyPart& part) { return part.name == name; });
    if (defined == attributes.end()) {
      return Invalid(absl::StrCat(
          "Some index key attributes are not defined in AttributeDefinitions. "
          "Keys: [",
          name, "], AttributeDefinitions: ", NamesOf(attributes)));
    }
    if (!key.empty() && key[0].name == name) {
      return ValidationError(
          "Both the Hash Key and the Range Key element in the KeySchema have "
          "the same name");
    }
    key.push_back(*defined);
  }
  return key;
}

absl::Status ParseProjectionInto(const Json& json, TableIndex* index) {
  ASSIGN_OR_RETURN(const Json* const given, ObjectField(json, "Projection"));
  if (given == nullptr) {
    return Invalid("Unknown ProjectionType: null");
  }
  ASSIGN_OR_RETURN(const std::string type,
                   StringField(*given, "ProjectionType"));
  ASSIGN_OR_RETURN(index->projected, StringsField(*given, "NonKeyAttributes"));
  for (const auto& [name, projection] : kProjections) {
    if (name != type) continue;
    index->projection = projection;
    const bool has_names = !index->projected.empty();
    if (has_names == (projection == Projection::kInclude)) {
      return absl::OkStatus();
    }
    return Invalid(absl::StrCat("ProjectionType is ", type,
                                has_names
                                    ? ", but NonKeyAttributes is specified"
                                    : ", but NonKeyAttributes is not "
                                      "specified"));
  }
  return Invalid(absl::StrCat("Unknown ProjectionType: ", type));
}

absl::Status ParseIndexes(const Json& request, TableDefinition* definition) {
  if (HasField(request, "LocalSecondaryIndexes")) {
    return Invalid("Trireme offers no local secondary indexes");
  }
  ASSIGN_OR_RETURN(const Json* const list,
                   ArrayField(request, "GlobalSecondaryIndexes"));
  if (list == nullptr) return absl::OkStatus();
  if (list->empty() || list->size() > kIndexesMax) {
    return Invalid(
        absl::StrCat("List of GlobalSecondaryIndexes must have 1 to ",
                     kIndexesMax, " elements; it has ", list->size()));
  }
  for (const Json& json : *list) {
    ASSIGN_OR_RETURN(TableIndex index,
                     ParseIndex(json, definition->attributes));
    if (definition->FindIndex(index.name) != nullptr) {
      return Invalid(absl::StrCat("Duplicate index name: ", index.name));
    }
    definition->indexes.push_back(std::move(index));
  }
  return absl::OkStatus();
}

// --- descriptions ---

Json KeyJson(const KeySchema& key) {
  Json list = Json::array();
  for (const KeyPart& part : key) {
    list.push_back({{"AttributeName", part.name},
                    {"KeyType", list.empty() ? "HASH" : "RANGE"}});
  }
  return list;
}

Json ThroughputJson(const Throughput& throughput) {
  return {{"NumberOfDecreasesToday", 0},
          {"ReadCapacityUnits", throughput.read_units},
          {"WriteCapacityUnits", throughput.write_units}};
}

Json IndexJson(const TableIndex& index, const Table& table,
               const std::string& table_arn) {
  Json projection = Json::object();
  for (const auto& [name, meant] : kProjections) {
    if (meant == index.projection) {
      projection["ProjectionType"] = std::string(name);
    }
  }
  if (!index.projected.empty()) {
    projection["NonKeyAttributes"] = index.projected;
  }
  return {{"IndexName", index.name},
          {"IndexStatus", "ACTIVE"},
          {"Backfilling", false},
          {"IndexArn", absl::StrCat(table_arn, "/index/", index.name)},
          {"KeySchema", KeyJson(index.key)},
          {"Projection", std::move(projection)},
          {"ProvisionedThroughput", ThroughputJson(index.throughput)},
          // Of the table: how many of its items are in the index nobody counts.
          {"ItemCount", table.found.item_count},
          {"IndexSizeBytes", table.found.bytes}};
}

}  // namespace

absl::StatusOr<std::vector<KeyPart>> ParseAttributes(const Json& request) {
  ASSIGN_OR_RETURN(const Json* const list,
                   ArrayField(request, "AttributeDefinitions"));
  std::vector<KeyPart> attributes;
  if (list == nullptr) return attributes;
  for (const Json& json : *list) {
    KeyPart part;
    ASSIGN_OR_RETURN(part.name, StringField(json, "AttributeName"));
    ASSIGN_OR_RETURN(const std::string type_name,
                     StringField(json, "AttributeType"));
    const std::optional<AttributeType> type = ParseType(type_name);
    if (!type.has_value() || *type > AttributeType::kBinary) {
      return ValidationError(absl::StrCat(
          "1 validation error detected: Value '", type_name,
          "' at 'attributeDefinitions.1.member.attributeType' failed to "
          "satisfy constraint: Member must satisfy enum value set: [B, N, S]"));
    }
    if (part.name.empty() || part.name.size() > kTableNameBytesMax) {
      return ValidationError(
          "1 validation error detected: Value at "
          "'attributeDefinitions.1.member.attributeName' failed to satisfy "
          "constraint: Member must have length between 1 and 255");
    }
    part.type = *type;
    attributes.push_back(std::move(part));
  }
  std::sort(attributes.begin(), attributes.end(),
            [](const KeyPart& a, const KeyPart& b) { return a.name < b.name; });
  const auto twice = std::adjacent_find(
      attributes.begin(), attributes.end(),
      [](const KeyPart& a, const KeyPart& b) { return a.name == b.name; });
  if (twice == attributes.end()) return attributes;
  return Invalid(absl::StrCat("Duplicate AttributeName: ", twice->name));
}

absl::StatusOr<TableIndex> ParseIndex(const Json& json,
                                      const std::vector<KeyPart>& attributes) {
  TableIndex index;
  ASSIGN_OR_RETURN(index.name, StringField(json, "IndexName"));
  if (!IsTableName(index.name)) {
    return ValidationError(absl::StrCat(
        "1 validation error detected: Value '", index.name,
        "' at 'indexName' failed to satisfy constraint: Member must satisfy "
        "regular expression pattern: [a-zA-Z0-9_.-]{3,255}"));
  }
  ASSIGN_OR_RETURN(index.key, ParseKey(json, attributes));
  RETURN_IF_ERROR(ParseProjectionInto(json, &index));
  ASSIGN_OR_RETURN(index.throughput, ParseThroughput(json));
  return index;
}

absl::StatusOr<Throughput> ParseThroughput(const Json& json) {
  ASSIGN_OR_RETURN(const Json* const given,
                   ObjectField(json, "ProvisionedThroughput"));
  Throughput throughput;
  if (given == nullptr) return throughput;
  ASSIGN_OR_RETURN(const auto reads, IntegerField(*given, "ReadCapacityUnits"));
  ASSIGN_OR_RETURN(const auto writes,
                   IntegerField(*given, "WriteCapacityUnits"));
  if (reads.value_or(0) < 1 || writes.value_or(0) < 1) {
    return ValidationError(
        "1 validation error detected: Value at 'provisionedThroughput' failed "
        "to satisfy constraint: Member must have value greater than or equal "
        "to 1");
  }
  throughput.read_units = static_cast<uint64_t>(*reads);
  throughput.write_units = static_cast<uint64_t>(*writes);
  return throughput;
}

absl::StatusOr<std::map<std::string, std::string>> ParseTags(
    const Json& request) {
  ASSIGN_OR_RETURN(const Json* const list, ArrayField(request, "Tags"));
  std::map<std::string, std::string> tags;
  if (list == nullptr) return tags;
  for (const Json& json : *list) {
    ASSIGN_OR_RETURN(const std::string key, StringField(json, "Key"));
    ASSIGN_OR_RETURN(std::string value, StringField(json, "Value"));
    if (key.empty() || key.size() > 4 * kTagKeyMax ||
        value.size() > 4 * kTagValueMax) {
      return ValidationError(absl::StrCat("Invalid tag: ", key));
    }
    tags[key] = std::move(value);
  }
  return tags;
}

absl::StatusOr<bool> ParseIsPayPerRequest(const Json& request) {
  ASSIGN_OR_RETURN(const std::string mode, StringField(request, "BillingMode"));
  if (mode == "PAY_PER_REQUEST") return true;
  if (mode.empty() || mode == "PROVISIONED") return false;
  return ValidationError(absl::StrCat(
      "1 validation error detected: Value '", mode,
      "' at 'billingMode' failed to satisfy constraint: Member must satisfy "
      "enum value set: [PROVISIONED, PAY_PER_REQUEST]"));
}

absl::Status CheckAttributesAreUsed(const TableDefinition& definition) {
  std::set<std::string> used;
  for (const KeyPart& part : definition.key) used.insert(part.name);
  for (const TableIndex& index : definition.indexes) {
    for (const KeyPart& part : index.key) used.insert(part.name);
  }
  if (used.size() == definition.attributes.size()) return absl::OkStatus();
  return Invalid(absl::StrCat(
      "Some AttributeDefinitions are not used. AttributeDefinitions: ",
      NamesOf(definition.attributes), ", keys used: [",
      absl::StrJoin(used, ", "), "]"));
}

absl::StatusOr<TableDefinition> ParseDefinition(const Json& request) {
  TableDefinition definition;
  ASSIGN_OR_RETURN(definition.attributes, ParseAttributes(request));
  ASSIGN_OR_RETURN(definition.key, ParseKey(request, definition.attributes));
  RETURN_IF_ERROR(ParseIndexes(request, &definition));
  RETURN_IF_ERROR(CheckAttributesAreUsed(definition));
  ASSIGN_OR_RETURN(definition.pay_per_request, ParseIsPayPerRequest(request));
  ASSIGN_OR_RETURN(definition.throughput, ParseThroughput(request));
  if (definition.pay_per_request ==
      HasField(request, "ProvisionedThroughput")) {
    return Invalid(
        definition.pay_per_request
            ? "Neither ReadCapacityUnits nor WriteCapacityUnits can be "
              "specified when BillingMode is PAY_PER_REQUEST"
            : "ReadCapacityUnits and WriteCapacityUnits must both be specified "
              "when BillingMode is PROVISIONED");
  }
  ASSIGN_OR_RETURN(definition.tags, ParseTags(request));
  if (definition.tags.size() > kTagsMax) {
    return ValidationError(
        absl::StrCat("A table has at most ", kTagsMax, " tags"));
  }
  ASSIGN_OR_RETURN(const auto is_protected,
                   BoolField(request, "DeletionProtectionEnabled"));
  definition.deletion_protection = is_protected.value_or(false);
  ASSIGN_OR_RETURN(definition.table_class, StringField(request, "TableClass"));
  return definition;
}

Json DescribeTable(const Table& table, const Account& account,
                   absl::string_view status) {
  const TableDefinition& definition = table.definition;
  const std::string arn = TableArn(account, table.name());
  Json attributes = Json::array();
  for (const KeyPart& part : definition.attributes) {
    attributes.push_back({{"AttributeName", part.name},
                          {"AttributeType", std::string(TypeName(part.type))}});
  }
  const double created_s =
      static_cast<double>(table.found.head.created_ms) / 1000;
  Json json = {{"TableName", table.name()},
               {"TableStatus", std::string(status)},
               {"TableArn", arn},
               // In the form of a UUID; the number names the table for good.
               {"TableId", absl::StrFormat("00000000-0000-4000-8000-%012x",
                                           table.found.number)},
               {"CreationDateTime", created_s},
               {"KeySchema", KeyJson(definition.key)},
               {"AttributeDefinitions", std::move(attributes)},
               {"ProvisionedThroughput", ThroughputJson(definition.throughput)},
               {"TableSizeBytes", table.found.bytes},
               {"ItemCount", table.found.item_count},
               {"DeletionProtectionEnabled", definition.deletion_protection}};
  if (definition.pay_per_request) {
    json["BillingModeSummary"] = {
        {"BillingMode", "PAY_PER_REQUEST"},
        {"LastUpdateToPayPerRequestDateTime", created_s}};
  }
  if (!definition.table_class.empty()) {
    json["TableClassSummary"] = {{"TableClass", definition.table_class}};
  }
  if (definition.indexes.empty()) return json;
  Json& indexes = json["GlobalSecondaryIndexes"] = Json::array();
  for (const TableIndex& index : definition.indexes) {
    indexes.push_back(IndexJson(index, table, arn));
  }
  return json;
}

}  // namespace trireme::dynamodb
