#include "server/dynamodb/planned_write.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/dynamodb/attribute_json.h"
#include "server/dynamodb/condition.h"
#include "server/dynamodb/expression_parser.h"
#include "server/dynamodb/item_keys.h"
#include "server/dynamodb/json_fields.h"
#include "server/dynamodb/legacy_parameters.h"
#include "server/dynamodb/table_reader.h"
#include "server/dynamodb/update.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

absl::StatusOr<Item> ItemIn(const Json& request, const char* member) {
  ASSIGN_OR_RETURN(const Json* const json, ObjectField(request, member));
  if (json != nullptr) return ParseItem(*json);
  return ValidationError(
      absl::StrCat("1 validation error detected: Value null at '",
                   member[0] == 'K' ? "key" : "item",
                   "' failed to satisfy constraint: Member must not be null"));
}

absl::Status ParseExpressions(const Json& request, PlannedWrite* write) {
  ASSIGN_OR_RETURN(Placeholders holders, Placeholders::Parse(request));
  if (HasField(request, "ConditionExpression")) {
    ASSIGN_OR_RETURN(const std::string text,
                     StringField(request, "ConditionExpression"));
    ASSIGN_OR_RETURN(write->condition,
                     ParseCondition("ConditionExpression", text, &holders));
  }
  if (write->kind == PlannedWrite::Kind::kUpdate &&
      HasField(request, "UpdateExpression")) {
    ASSIGN_OR_RETURN(const std::string text,
                     StringField(request, "UpdateExpression"));
    ASSIGN_OR_RETURN(write->update, ParseUpdate(text, &holders));
  }
  return holders.CheckAllUsed();
}

absl::Status ParseLegacy(const Json& request, PlannedWrite* write) {
  ASSIGN_OR_RETURN(std::optional<Condition> expected,
                   ParseLegacyCondition(request, "Expected"));
  if (expected.has_value()) write->condition = std::move(expected);
  if (write->kind != PlannedWrite::Kind::kUpdate) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::optional<Update> update,
                   ParseAttributeUpdates(request));
  if (update.has_value()) write->update = *std::move(update);
  return absl::OkStatus();
}

absl::Status CheckUpdatesNoKey(const PlannedWrite& write, const Table& table) {
  for (const UpdateAction& action : write.update) {
    for (const KeyPart& part : table.definition.key) {
      if (action.path[0].name != part.name) continue;
      return ValidationError(absl::StrCat(
          "One or more parameter values were invalid: Cannot update attribute ",
          part.name, ". This attribute is part of the key"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PlannedWrite> ParseWrite(PlannedWrite::Kind kind,
                                        const Json& request) {
  PlannedWrite write;
  write.kind = kind;
  ASSIGN_OR_RETURN(write.table_name, TableNameIn(request));
  ASSIGN_OR_RETURN(
      write.item,
      ItemIn(request, kind == PlannedWrite::Kind::kPut ? "Item" : "Key"));
  RETURN_IF_ERROR(CheckNotMixed(
      request, {"Expected", "AttributeUpdates", "ConditionalOperator"},
      {"ConditionExpression", "UpdateExpression", "ExpressionAttributeNames",
       "ExpressionAttributeValues"}));
  RETURN_IF_ERROR(ParseExpressions(request, &write));
  RETURN_IF_ERROR(ParseLegacy(request, &write));
  ASSIGN_OR_RETURN(const std::string on_failure,
                   StringField(request, "ReturnValuesOnConditionCheckFailure"));
  write.tells_item_of_failure = on_failure == "ALL_OLD";
  return write;
}

absl::StatusOr<std::string> KeyBytesOf(const PlannedWrite& write,
                                       const Table& table) {
  return write.kind == PlannedWrite::Kind::kPut
             ? KeyBytesOfItem(table, write.item)
             : KeyBytes(table, write.item);
}

absl::StatusOr<std::optional<Item>> Evaluate(
    const PlannedWrite& write, const Table& table,
    const std::optional<Item>& before) {
  static const Item kNone;
  const Item& seen = before.has_value() ? *before : kNone;
  RETURN_IF_ERROR(CheckUpdatesNoKey(write, table));
  if (write.condition.has_value() && !Holds(*write.condition, seen)) {
    return ConditionFailed();
  }
  switch (write.kind) {
    case PlannedWrite::Kind::kPut:
      return write.item;
    case PlannedWrite::Kind::kDelete:
      return std::nullopt;
    case PlannedWrite::Kind::kCheck:
      return before;
    case PlannedWrite::Kind::kUpdate:
      break;
  }
  Item updated = before.has_value() ? *before : write.item;
  RETURN_IF_ERROR(ApplyUpdate(write.update, &updated));
  RETURN_IF_ERROR(CheckItem(table, updated));
  return updated;
}

}  // namespace trireme::dynamodb
