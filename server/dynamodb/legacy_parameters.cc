#include "server/dynamodb/legacy_parameters.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/dynamodb/attribute_json.h"
#include "server/dynamodb/json_fields.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

absl::Status Invalid(absl::string_view what) {
  return ValidationError(
      absl::StrCat("One or more parameter values were invalid: ", what));
}

struct LegacyOperator {
  absl::string_view name;
  Condition::Kind kind;
  Comparator comparator = Comparator::kEq;
  size_t values = 1;  // Of IN at least.
  bool negated = false;
};
constexpr std::array kOperators = {
    LegacyOperator{"EQ", Condition::Kind::kCompare, Comparator::kEq},
    LegacyOperator{"NE", Condition::Kind::kCompare, Comparator::kNe},
    LegacyOperator{"LT", Condition::Kind::kCompare, Comparator::kLt},
    LegacyOperator{"LE", Condition::Kind::kCompare, Comparator::kLe},
    LegacyOperator{"GT", Condition::Kind::kCompare, Comparator::kGt},
    LegacyOperator{"GE", Condition::Kind::kCompare, Comparator::kGe},
    LegacyOperator{"BETWEEN", Condition::Kind::kBetween, Comparator::kEq, 2},
    LegacyOperator{"IN", Condition::Kind::kIn},
    LegacyOperator{"NOT_NULL", Condition::Kind::kExists, Comparator::kEq, 0},
    LegacyOperator{"NULL", Condition::Kind::kNotExists, Comparator::kEq, 0},
    LegacyOperator{"CONTAINS", Condition::Kind::kContains},
    LegacyOperator{"NOT_CONTAINS", Condition::Kind::kContains, Comparator::kEq,
                   1, true},
    LegacyOperator{"BEGINS_WITH", Condition::Kind::kBeginsWith},
};

absl::StatusOr<Condition> ConditionOf(const LegacyOperator& meant,
                                      const std::string& attribute,
                                      std::vector<AttributeValue> values) {
  const bool fits = meant.kind == Condition::Kind::kIn
                        ? !values.empty()
                        : values.size() == meant.values;
  if (!fits) {
    return Invalid(absl::StrCat("Invalid number of argument(s) for the ",
                                meant.name, " ComparisonOperator"));
  }
  Condition condition;
  condition.kind = meant.kind;
  condition.comparator = meant.comparator;
  condition.operands.push_back(Operand::At(PathTo(attribute)));
  for (AttributeValue& value : values) {
    const bool is_ordered = (meant.kind == Condition::Kind::kCompare &&
                             meant.comparator >= Comparator::kLt) ||
                            meant.kind == Condition::Kind::kBetween;
    if (is_ordered && !Compare(value, value).has_value()) {
      return Invalid(absl::StrCat("ComparisonOperator ", meant.name,
                                  " is not valid for ", TypeName(value.type),
                                  " AttributeValue type"));
    }
    condition.operands.push_back(Operand::Value(std::move(value)));
  }
  if (!meant.negated) return condition;
  Condition negation;
  negation.kind = Condition::Kind::kNot;
  negation.children.push_back(std::move(condition));
  return negation;
}

absl::StatusOr<std::vector<AttributeValue>> ParseValues(const Json& json) {
  std::vector<AttributeValue> values;
  ASSIGN_OR_RETURN(const Json* const list,
                   ArrayField(json, "AttributeValueList"));
  if (list != nullptr) {
    for (const Json& element : *list) {
      ASSIGN_OR_RETURN(AttributeValue value, ParseAttribute(element));
      values.push_back(std::move(value));
    }
  }
  ASSIGN_OR_RETURN(const Json* const single, ObjectField(json, "Value"));
  if (single == nullptr) return values;
  if (list != nullptr) {
    return Invalid("Value and AttributeValueList cannot be used together");
  }
  ASSIGN_OR_RETURN(AttributeValue value, ParseAttribute(*single));
  values.push_back(std::move(value));
  return values;
}

// {Value, Exists} or {ComparisonOperator, AttributeValueList}.
absl::StatusOr<Condition> ParseOne(const std::string& attribute,
                                   const Json& json) {
  ASSIGN_OR_RETURN(std::string name, StringField(json, "ComparisonOperator"));
  ASSIGN_OR_RETURN(const std::optional<bool> exists, BoolField(json, "Exists"));
  ASSIGN_OR_RETURN(std::vector<AttributeValue> values, ParseValues(json));
  if (!name.empty() && exists.has_value()) {
    return Invalid(absl::StrCat(
        "Exists and ComparisonOperator cannot be used together for Attribute: ",
        attribute));
  }
  if (name.empty()) {
    const bool wanted = exists.value_or(true);
    if (wanted == values.empty()) {
      return Invalid(
          wanted ? absl::StrCat("Value must be provided when Exists is ",
                                exists.has_value() ? "true" : "null",
                                " for Attribute: ", attribute)
                 : absl::StrCat("Value cannot be used when Exists is false for "
                                "Attribute: ",
                                attribute));
    }
    name = wanted ? "EQ" : "NULL";
  }
  for (const LegacyOperator& meant : kOperators) {
    if (meant.name == name) {
      return ConditionOf(meant, attribute, std::move(values));
    }
  }
  return ValidationError(absl::StrCat(
      "1 validation error detected: Value '", name,
      "' at 'comparisonOperator' failed to satisfy constraint: Member must "
      "satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, "
      "NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]"));
}

absl::StatusOr<UpdateAction> ParseUpdateOf(const std::string& attribute,
                                           const Json& json) {
  ASSIGN_OR_RETURN(const std::string name, StringField(json, "Action"));
  ASSIGN_OR_RETURN(const Json* const value, ObjectField(json, "Value"));
  UpdateAction action;
  action.path = PathTo(attribute);
  if (value != nullptr) {
    ASSIGN_OR_RETURN(action.operand.value, ParseAttribute(*value));
  }
  const AttributeType type = action.operand.value.type;
  if (name == "DELETE") {
    action.kind = value == nullptr ? UpdateAction::Kind::kRemove
                                   : UpdateAction::Kind::kDelete;
    if (value == nullptr || IsSet(type)) return action;
    return Invalid(
        absl::StrCat("DELETE action with value is not supported for "
                     "the type ",
                     TypeName(type)));
  }
  if (value == nullptr) {
    return Invalid(
        "Only DELETE action is allowed when no attribute value is specified");
  }
  if (name.empty() || name == "PUT") return action;
  if (name != "ADD") {
    return ValidationError(absl::StrCat(
        "1 validation error detected: Value '", name,
        "' at 'action' failed to satisfy constraint: Member must satisfy enum "
        "value set: [ADD, DELETE, PUT]"));
  }
  action.kind = UpdateAction::Kind::kAdd;
  if (type == AttributeType::kNumber || IsSet(type)) return action;
  return Invalid(absl::StrCat("ADD action is not supported for the type ",
                              TypeName(type)));
}

}  // namespace

absl::StatusOr<std::optional<Condition>> ParseLegacyCondition(
    const Json& request, const char* member) {
  ASSIGN_OR_RETURN(const Json* const given, ObjectField(request, member));
  if (given == nullptr || given->empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const std::string joined,
                   StringField(request, "ConditionalOperator"));
  if (joined != "" && joined != "AND" && joined != "OR") {
    return ValidationError(absl::StrCat(
        "1 validation error detected: Value '", joined,
        "' at 'conditionalOperator' failed to satisfy constraint: Member must "
        "satisfy enum value set: [OR, AND]"));
  }
  Condition all;
  all.kind = joined == "OR" ? Condition::Kind::kOr : Condition::Kind::kAnd;
  for (const auto& [attribute, json] : given->items()) {
    ASSIGN_OR_RETURN(Condition one, ParseOne(attribute, json));
    all.children.push_back(std::move(one));
  }
  return all;
}

absl::StatusOr<std::optional<Update>> ParseAttributeUpdates(
    const Json& request) {
  ASSIGN_OR_RETURN(const Json* const given,
                   ObjectField(request, "AttributeUpdates"));
  if (given == nullptr) return std::nullopt;
  Update update;
  for (const auto& [attribute, json] : given->items()) {
    ASSIGN_OR_RETURN(UpdateAction action, ParseUpdateOf(attribute, json));
    update.push_back(std::move(action));
  }
  return update;
}

absl::StatusOr<std::vector<Path>> ParseAttributesToGet(const Json& request) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   StringsField(request, "AttributesToGet"));
  std::vector<Path> paths;
  for (const std::string& name : names) paths.push_back(PathTo(name));
  return paths;
}

}  // namespace trireme::dynamodb
