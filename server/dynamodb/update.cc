#include "server/dynamodb/update.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "server/dynamodb/document.h"
#include "server/dynamodb/dynamodb_error.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

absl::Status WrongType() {
  return ValidationError(
      "An operand in the update expression has an incorrect data type");
}

absl::StatusOr<AttributeValue> Evaluate(const Operand& operand,
                                        const Item& item);

absl::StatusOr<AttributeValue> EvaluateTwo(const Operand& operand,
                                           const Item& item) {
  ASSIGN_OR_RETURN(AttributeValue left, Evaluate(operand.arguments[0], item));
  ASSIGN_OR_RETURN(AttributeValue right, Evaluate(operand.arguments[1], item));
  if (operand.kind == Operand::Kind::kListAppend) {
    if (left.type != AttributeType::kList ||
        right.type != AttributeType::kList) {
      return WrongType();
    }
    for (AttributeValue& element : right.list) {
      left.list.push_back(std::move(element));
    }
    return left;
  }
  if (left.type != AttributeType::kNumber ||
      right.type != AttributeType::kNumber) {
    return WrongType();
  }
  const Decimal added = operand.kind == Operand::Kind::kMinus
                            ? right.number().Negated()
                            : right.number();
  ASSIGN_OR_RETURN(const Decimal sum, Decimal::Add(left.number(), added));
  return AttributeValue::Number(sum);
}

absl::StatusOr<AttributeValue> Evaluate(const Operand& operand,
                                        const Item& item) {
  switch (operand.kind) {
    case Operand::Kind::kValue:
      return operand.value;
    case Operand::Kind::kPath: {
      const AttributeValue* const found = FindAt(item, operand.path);
      if (found != nullptr) return *found;
      return ValidationError(
          "The provided expression refers to an attribute that does not exist "
          "in the item");
    }
    case Operand::Kind::kIfNotExists: {
      const AttributeValue* const found = FindAt(item, operand.path);
      if (found != nullptr) return *found;
      return Evaluate(operand.arguments[0], item);
    }
    case Operand::Kind::kSize:
      return WrongType();  // The parser lets none through.
    default:
      return EvaluateTwo(operand, item);
  }
}

// What is at the path with the operand added: a number, or elements of a set.
absl::StatusOr<AttributeValue> Added(const UpdateAction& action,
                                     const AttributeValue* found) {
  const AttributeValue& added = action.operand.value;
  if (found == nullptr) return added;
  if (found->type != added.type) return WrongType();
  if (added.type != AttributeType::kNumber) return Union(*found, added);
  ASSIGN_OR_RETURN(const Decimal sum,
                   Decimal::Add(found->number(), added.number()));
  return AttributeValue::Number(sum);
}

absl::Status AddOrDelete(const UpdateAction& action, Item* item) {
  const AttributeValue* const found = FindAt(*item, action.path);
  if (action.kind == UpdateAction::Kind::kAdd) {
    ASSIGN_OR_RETURN(AttributeValue sum, Added(action, found));
    return SetAt(action.path, std::move(sum), item);
  }
  if (found == nullptr) return absl::OkStatus();
  if (found->type != action.operand.value.type) return WrongType();
  AttributeValue rest = Without(*found, action.operand.value);
  if (rest.list.empty()) return RemoveAt(action.path, item);
  return SetAt(action.path, std::move(rest), item);
}

// The later elements of a list first, so that none moves before it goes.
bool RemovedBefore(const Path* a, const Path* b) {
  return std::lexicographical_compare(
      b->begin(), b->end(), a->begin(), a->end(),
      [](const PathStep& x, const PathStep& y) {
        return std::pair(x.index, absl::string_view(x.name)) <
               std::pair(y.index, absl::string_view(y.name));
      });
}

}  // namespace

absl::Status ApplyUpdate(const Update& update, Item* item) {
  std::vector<std::pair<const Path*, AttributeValue>> sets;
  std::vector<const Path*> removes;
  for (const UpdateAction& action : update) {
    if (action.kind == UpdateAction::Kind::kSet) {
      ASSIGN_OR_RETURN(AttributeValue value, Evaluate(action.operand, *item));
      sets.emplace_back(&action.path, std::move(value));
    } else if (action.kind == UpdateAction::Kind::kRemove) {
      removes.push_back(&action.path);
    }
  }
  // No two actions are about the same, so their order does not matter but for
  // elements of lists.
  for (const UpdateAction& action : update) {
    if (action.kind == UpdateAction::Kind::kAdd ||
        action.kind == UpdateAction::Kind::kDelete) {
      RETURN_IF_ERROR(AddOrDelete(action, item));
    }
  }
  for (auto& [path, value] : sets) {
    RETURN_IF_ERROR(SetAt(*path, std::move(value), item));
  }
  std::sort(removes.begin(), removes.end(), RemovedBefore);
  for (const Path* const path : removes) {
    RETURN_IF_ERROR(RemoveAt(*path, item));
  }
  return absl::OkStatus();
}

std::vector<Path> PathsOf(const Update& update) {
  std::vector<Path> paths;
  for (const UpdateAction& action : update) paths.push_back(action.path);
  return paths;
}

}  // namespace trireme::dynamodb
