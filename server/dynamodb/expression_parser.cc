#include "server/dynamodb/expression_parser.h"

#include <array>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/dynamodb/expression_reader.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

constexpr size_t kInOperandsMax = 100;

struct FunctionName {
  absl::string_view name;
  Condition::Kind kind;
  size_t operands;
};
constexpr std::array kFunctions = {
    FunctionName{"attribute_exists", Condition::Kind::kExists, 1},
    FunctionName{"attribute_not_exists", Condition::Kind::kNotExists, 1},
    FunctionName{"attribute_type", Condition::Kind::kType, 2},
    FunctionName{"begins_with", Condition::Kind::kBeginsWith, 2},
    FunctionName{"contains", Condition::Kind::kContains, 2},
};

struct ComparatorSymbol {
  absl::string_view symbol;
  Comparator comparator;
};
constexpr std::array kComparators = {
    ComparatorSymbol{"=", Comparator::kEq},
    ComparatorSymbol{"<>", Comparator::kNe},
    ComparatorSymbol{"<", Comparator::kLt},
    ComparatorSymbol{"<=", Comparator::kLe},
    ComparatorSymbol{">", Comparator::kGt},
    ComparatorSymbol{">=", Comparator::kGe},
};

bool HasOrder(AttributeType type) { return type <= AttributeType::kBinary; }

// The grammar of conditions: OR binds least, then AND, then NOT.
class ConditionGrammar {
 public:
  explicit ConditionGrammar(ExpressionReader* reader) : reader_(*reader) {}

  absl::StatusOr<Condition> TakeOr() { return TakeChain("OR", 0); }

 private:
  // Of those that a keyword joins; alone it is what it is.
  absl::StatusOr<Condition> TakeChain(const char* keyword, int level) {
    Condition chain;
    chain.kind = level == 0 ? Condition::Kind::kOr : Condition::Kind::kAnd;
    do {
      absl::StatusOr<Condition> child =
          level == 0 ? TakeChain("AND", 1) : TakeNot();
      RETURN_IF_ERROR(child.status());
      chain.children.push_back(*std::move(child));
    } while (reader_.TakeWord(keyword));
    if (chain.children.size() > 1) return chain;
    return std::move(chain.children[0]);
  }

  absl::StatusOr<Condition> TakeNot() {
    if (++depth_ > ExpressionReader::kDepthMax) {
      return reader_.Error("The expression has too many levels");
    }
    absl::StatusOr<Condition> taken = TakeNested();
    --depth_;
    return taken;
  }

  absl::StatusOr<Condition> TakeNested() {
    if (reader_.TakeWord("NOT")) {
      Condition negated;
      negated.kind = Condition::Kind::kNot;
      ASSIGN_OR_RETURN(Condition child, TakeNot());
      negated.children.push_back(std::move(child));
      return negated;
    }
    if (reader_.TakeSymbol("(")) {
      ASSIGN_OR_RETURN(Condition inner, TakeOr());
      RETURN_IF_ERROR(reader_.ExpectSymbol(")"));
      return inner;
    }
    for (const FunctionName& function : kFunctions) {
      if (reader_.AtFunction(function.name)) return TakeFunction(function);
    }
    return TakeComparison();
  }

  absl::StatusOr<Condition> TakeFunction(const FunctionName& function) {
    reader_.Skip();
    Condition condition;
    condition.kind = function.kind;
    ASSIGN_OR_RETURN(condition.operands,
                     reader_.TakeArguments(function.name, function.operands));
    const Operand& first = condition.operands[0];
    if (first.kind != Operand::Kind::kPath &&
        (function.kind <= Condition::Kind::kType)) {
      return reader_.Error(absl::StrCat(
          "Operator or function requires a document path; operator or "
          "function: ",
          function.name));
    }
    if (function.operands == 2) {
      RETURN_IF_ERROR(CheckSecond(function, condition.operands[1]));
    }
    return condition;
  }

  absl::Status CheckSecond(const FunctionName& function,
                           const Operand& operand) const {
    if (operand.kind != Operand::Kind::kValue) return absl::OkStatus();
    const AttributeValue& value = operand.value;
    if (function.kind == Condition::Kind::kType) {
      if (value.type != AttributeType::kString) {
        return reader_.WrongType(function.name, value);
      }
      if (ParseType(value.text).has_value()) return absl::OkStatus();
      return reader_.Error(
          absl::StrCat("Invalid attribute type name found; type: ", value.text,
                       ", valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"));
    }
    const bool is_text = value.type == AttributeType::kString ||
                         value.type == AttributeType::kBinary;
    if (function.kind == Condition::Kind::kBeginsWith && !is_text) {
      return reader_.WrongType(function.name, value);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Condition> TakeComparison() {
    Condition condition;
    ASSIGN_OR_RETURN(Operand left, reader_.TakeOperand());
    condition.operands.push_back(std::move(left));
    for (const auto& [symbol, comparator] : kComparators) {
      if (!reader_.TakeSymbol(symbol)) continue;
      condition.kind = Condition::Kind::kCompare;
      condition.comparator = comparator;
      RETURN_IF_ERROR(AddOperand(&condition));
      if (comparator >= Comparator::kLt) {
        RETURN_IF_ERROR(CheckOrdered(symbol, condition));
      }
      return condition;
    }
    if (reader_.TakeWord("BETWEEN")) {
      condition.kind = Condition::Kind::kBetween;
      RETURN_IF_ERROR(AddOperand(&condition));
      if (!reader_.TakeWord("AND")) return reader_.UnexpectedToken();
      RETURN_IF_ERROR(AddOperand(&condition));
      RETURN_IF_ERROR(CheckOrdered("BETWEEN", condition));
      RETURN_IF_ERROR(CheckBounds(condition));
      return condition;
    }
    if (!reader_.TakeWord("IN")) return reader_.UnexpectedToken();
    condition.kind = Condition::Kind::kIn;
    RETURN_IF_ERROR(reader_.ExpectSymbol("("));
    do {
      RETURN_IF_ERROR(AddOperand(&condition));
    } while (reader_.TakeSymbol(",") &&
             condition.operands.size() <= kInOperandsMax);
    RETURN_IF_ERROR(reader_.ExpectSymbol(")"));
    return condition;
  }

  absl::Status AddOperand(Condition* condition) {
    ASSIGN_OR_RETURN(Operand operand, reader_.TakeOperand());
    condition->operands.push_back(std::move(operand));
    return absl::OkStatus();
  }

  absl::Status CheckOrdered(absl::string_view function,
                            const Condition& condition) const {
    for (const Operand& operand : condition.operands) {
      if (operand.kind == Operand::Kind::kValue &&
          !HasOrder(operand.value.type)) {
        return reader_.WrongType(function, operand.value);
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckBounds(const Condition& condition) const {
    const Operand& low = condition.operands[1];
    const Operand& high = condition.operands[2];
    if (low.kind != Operand::Kind::kValue ||
        high.kind != Operand::Kind::kValue) {
      return absl::OkStatus();
    }
    const std::optional<int> order = Compare(low.value, high.value);
    if (!order.has_value()) {
      return reader_.Error(
          "The BETWEEN operator requires same data type for lower and upper "
          "bounds");
    }
    if (*order <= 0) return absl::OkStatus();
    return reader_.Error(
        "The BETWEEN operator requires upper bound to be greater than or equal "
        "to lower bound");
  }

  ExpressionReader& reader_;
  int depth_ = 0;
};

}  // namespace

absl::StatusOr<Condition> ParseCondition(absl::string_view parameter,
                                         absl::string_view text,
                                         Placeholders* holders) {
  ASSIGN_OR_RETURN(ExpressionReader reader,
                   ExpressionReader::Make(parameter, text, holders));
  ASSIGN_OR_RETURN(Condition condition, ConditionGrammar(&reader).TakeOr());
  RETURN_IF_ERROR(reader.ExpectEnd());
  return condition;
}

absl::StatusOr<std::vector<Path>> ParseProjection(absl::string_view text,
                                                  Placeholders* holders) {
  ASSIGN_OR_RETURN(
      ExpressionReader reader,
      ExpressionReader::Make("ProjectionExpression", text, holders));
  std::vector<Path> paths;
  do {
    ASSIGN_OR_RETURN(Path path, reader.TakePath());
    paths.push_back(std::move(path));
  } while (reader.TakeSymbol(","));
  RETURN_IF_ERROR(reader.ExpectEnd());
  return paths;
}

}  // namespace trireme::dynamodb
