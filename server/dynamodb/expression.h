// Expressions of DynamoDB, parsed: conditions, updates, paths into documents.
// Names and values stand in place of their placeholders. The older parameters
// (Expected, AttributeUpdates, ...) mean the same and become the same.
#ifndef TRIREME_SERVER_DYNAMODB_EXPRESSION_H_
#define TRIREME_SERVER_DYNAMODB_EXPRESSION_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "server/dynamodb/attribute_value.h"

namespace trireme::dynamodb {

// An attribute of a map, or an element of a list.
struct PathStep {
  std::string name;
  std::optional<size_t> index = std::nullopt;  // Then it has no name.

  friend bool operator==(const PathStep&, const PathStep&) = default;
};
// a.b[0]; the first step is a name.
using Path = std::vector<PathStep>;
inline Path PathTo(std::string name) { return {PathStep{std::move(name)}}; }

struct Operand {
  enum class Kind {
    kValue,
    kPath,
    kSize,         // Of what is at the path.
    kIfNotExists,  // What is at the path, else the first argument.
    // Of two arguments.
    kListAppend,
    kPlus,
    kMinus,
  };
  Kind kind = Kind::kValue;
  AttributeValue value = {};
  Path path = {};
  std::vector<Operand> arguments = {};

  static Operand Value(AttributeValue value) {
    return {Kind::kValue, std::move(value)};
  }
  static Operand At(Path path) { return {Kind::kPath, {}, std::move(path)}; }
};

enum class Comparator { kEq, kNe, kLt, kLe, kGt, kGe };

struct Condition {
  enum class Kind {
    // Of children.
    kAnd,
    kOr,
    kNot,
    // Of operands.
    kCompare,
    kBetween,
    kIn,  // The first is one of the others.
    kExists,
    kNotExists,
    kType,
    kBeginsWith,
    kContains,
  };
  Kind kind = Kind::kAnd;
  Comparator comparator = Comparator::kEq;  // Of kCompare.
  std::vector<Condition> children = {};
  std::vector<Operand> operands = {};
};

struct UpdateAction {
  enum class Kind { kSet, kRemove, kAdd, kDelete };
  Kind kind = Kind::kSet;
  Path path;
  Operand operand;  // Of kRemove none.
};
using Update = std::vector<UpdateAction>;

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_EXPRESSION_H_
