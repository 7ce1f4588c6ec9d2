#include "server/dynamodb/condition.h"

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "server/dynamodb/document.h"

namespace trireme::dynamodb {
namespace {

// Characters, not bytes.
size_t LengthOf(absl::string_view utf8) {
  return static_cast<size_t>(std::count_if(
      utf8.begin(), utf8.end(),
      [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::optional<size_t> SizeOf(const AttributeValue& value) {
  switch (value.type) {
    case AttributeType::kString:
      return LengthOf(value.text);
    case AttributeType::kBinary:
      return value.text.size();
    case AttributeType::kMap:
      return value.map.size();
    case AttributeType::kNumber:
    case AttributeType::kBool:
    case AttributeType::kNull:
      return std::nullopt;
    default:
      return value.list.size();
  }
}

// Nothing when the item has no such thing.
std::optional<AttributeValue> ValueOf(const Operand& operand,
                                      const Item& item) {
  if (operand.kind == Operand::Kind::kValue) return operand.value;
  const AttributeValue* const found = FindAt(item, operand.path);
  if (found == nullptr) return std::nullopt;
  if (operand.kind != Operand::Kind::kSize) return *found;
  const std::optional<size_t> size = SizeOf(*found);
  if (!size.has_value()) return std::nullopt;
  AttributeValue value;
  value.type = AttributeType::kNumber;
  value.text = std::to_string(*size);
  return value;
}

bool Matches(Comparator comparator, const std::optional<AttributeValue>& left,
             const std::optional<AttributeValue>& right) {
  const bool both = left.has_value() && right.has_value();
  if (comparator == Comparator::kEq) return both && *left == *right;
  if (comparator == Comparator::kNe) return !both || *left != *right;
  const std::optional<int> order = both ? Compare(*left, *right) : std::nullopt;
  if (!order.has_value()) return false;
  switch (comparator) {
    case Comparator::kLt:
      return *order < 0;
    case Comparator::kLe:
      return *order <= 0;
    case Comparator::kGt:
      return *order > 0;
    default:
      return *order >= 0;
  }
}

bool IsPart(const AttributeValue& whole, const AttributeValue& part) {
  const bool is_text = whole.type == AttributeType::kString ||
                       whole.type == AttributeType::kBinary;
  if (is_text) {
    return part.type == whole.type && absl::StrContains(whole.text, part.text);
  }
  return Contains(whole, part);
}

// Of those that ask whether something is there, or of what type.
bool HoldsOfPath(const Condition& condition, const Item& item) {
  const std::optional<AttributeValue> found =
      ValueOf(condition.operands[0], item);
  if (condition.kind == Condition::Kind::kExists) return found.has_value();
  if (condition.kind == Condition::Kind::kNotExists) return !found.has_value();
  const std::optional<AttributeValue> type =
      ValueOf(condition.operands[1], item);
  return found.has_value() && type.has_value() &&
         type->type == AttributeType::kString &&
         TypeName(found->type) == type->text;
}

bool HoldsOfValues(const Condition& condition, const Item& item) {
  const auto value = [&](size_t i) {
    return ValueOf(condition.operands[i], item);
  };
  const std::optional<AttributeValue> first = value(0);
  switch (condition.kind) {
    case Condition::Kind::kCompare:
      return Matches(condition.comparator, first, value(1));
    case Condition::Kind::kBetween:
      return Matches(Comparator::kGe, first, value(1)) &&
             Matches(Comparator::kLe, first, value(2));
    case Condition::Kind::kIn:
      for (size_t i = 1; i < condition.operands.size(); ++i) {
        if (Matches(Comparator::kEq, first, value(i))) return true;
      }
      return false;
    default:
      break;
  }
  const std::optional<AttributeValue> second = value(1);
  if (!first.has_value() || !second.has_value()) return false;
  if (condition.kind == Condition::Kind::kContains) {
    return IsPart(*first, *second);
  }
  const bool is_text = first->type == AttributeType::kString ||
                       first->type == AttributeType::kBinary;
  return is_text && second->type == first->type &&
         absl::StartsWith(first->text, second->text);
}

}  // namespace

bool Holds(const Condition& condition, const Item& item) {
  const auto holds = [&item](const Condition& child) {
    return Holds(child, item);
  };
  const auto& children = condition.children;
  switch (condition.kind) {
    case Condition::Kind::kAnd:
      return std::all_of(children.begin(), children.end(), holds);
    case Condition::Kind::kOr:
      return std::any_of(children.begin(), children.end(), holds);
    case Condition::Kind::kNot:
      return !holds(children[0]);
    case Condition::Kind::kExists:
    case Condition::Kind::kNotExists:
    case Condition::Kind::kType:
      return HoldsOfPath(condition, item);
    default:
      return HoldsOfValues(condition, item);
  }
}

}  // namespace trireme::dynamodb
