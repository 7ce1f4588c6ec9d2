#include "server/dynamodb/key_condition.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "server/dynamodb/dynamodb_error.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

absl::Status InvalidOperator(absl::string_view name) {
  return ValidationError(
      absl::StrCat("Invalid operator used in KeyConditionExpression: ", name));
}

// The conditions that are joined by AND.
absl::Status Flatten(const Condition& condition,
                     std::vector<const Condition*>* parts) {
  switch (condition.kind) {
    case Condition::Kind::kAnd:
      for (const Condition& child : condition.children) {
        RETURN_IF_ERROR(Flatten(child, parts));
      }
      return absl::OkStatus();
    case Condition::Kind::kOr:
      return InvalidOperator("OR");
    case Condition::Kind::kNot:
      return InvalidOperator("NOT");
    case Condition::Kind::kIn:
      return InvalidOperator("IN");
    case Condition::Kind::kExists:
      return InvalidOperator("attribute_exists");
    case Condition::Kind::kNotExists:
      return InvalidOperator("attribute_not_exists");
    case Condition::Kind::kType:
      return InvalidOperator("attribute_type");
    case Condition::Kind::kContains:
      return InvalidOperator("contains");
    case Condition::Kind::kCompare:
      if (condition.comparator == Comparator::kNe) {
        return InvalidOperator("<>");
      }
      break;
    default:
      break;
  }
  parts->push_back(&condition);
  return absl::OkStatus();
}

// Whether the condition is about the key attribute, and compares it with values
// that it can have.
absl::StatusOr<bool> IsAbout(const Condition& condition, const KeyPart& part) {
  const Operand& first = condition.operands[0];
  if (first.kind != Operand::Kind::kPath || first.path.size() != 1 ||
      first.path[0].name != part.name) {
    return false;
  }
  for (size_t i = 1; i < condition.operands.size(); ++i) {
    const Operand& operand = condition.operands[i];
    if (operand.kind != Operand::Kind::kValue) {
      return ValidationError("Query key condition not supported");
    }
    if (operand.value.type != part.type) {
      return ValidationError(
          "One or more parameter values were invalid: Condition parameter type "
          "does not match schema type");
    }
  }
  return true;
}

}  // namespace

absl::StatusOr<KeyCondition> ToKeyCondition(const Condition& condition,
                                            const KeySchema& schema) {
  std::vector<const Condition*> parts;
  RETURN_IF_ERROR(Flatten(condition, &parts));
  KeyCondition keys;
  bool has_hash = false;
  for (const Condition* const part : parts) {
    ASSIGN_OR_RETURN(const bool is_hash, IsAbout(*part, schema[0]));
    bool is_range = false;
    if (!is_hash && schema.size() > 1) {
      ASSIGN_OR_RETURN(is_range, IsAbout(*part, schema[1]));
    }
    if (is_hash && !has_hash && part->kind == Condition::Kind::kCompare &&
        part->comparator == Comparator::kEq) {
      keys.hash = part->operands[1].value;
      has_hash = true;
    } else if (is_range && !keys.range.has_value()) {
      keys.range = *part;
    } else if (is_hash || is_range) {
      return ValidationError("Query key condition not supported");
    } else {
      return ValidationError(absl::StrCat(
          "Query condition missed key schema element: ",
          has_hash && schema.size() > 1 ? schema[1].name : schema[0].name));
    }
  }
  if (has_hash) return keys;
  return ValidationError(absl::StrCat(
      "Query condition missed key schema element: ", schema[0].name));
}

}  // namespace trireme::dynamodb
