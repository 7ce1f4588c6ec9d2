// The grammar of UpdateExpression.
#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/dynamodb/expression_parser.h"
#include "server/dynamodb/expression_reader.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

struct Section {
  absl::string_view keyword;
  UpdateAction::Kind kind;
};
constexpr std::array kSections = {
    Section{"SET", UpdateAction::Kind::kSet},
    Section{"REMOVE", UpdateAction::Kind::kRemove},
    Section{"ADD", UpdateAction::Kind::kAdd},
    Section{"DELETE", UpdateAction::Kind::kDelete},
};

std::string TextOf(const Path& path) {
  return absl::StrCat("[",
                      absl::StrJoin(path, ", ",
                                    [](std::string* out, const PathStep& step) {
                                      if (step.index.has_value()) {
                                        absl::StrAppend(out, "[", *step.index,
                                                        "]");
                                      } else {
                                        absl::StrAppend(out, step.name);
                                      }
                                    }),
                      "]");
}

class UpdateGrammar {
 public:
  explicit UpdateGrammar(ExpressionReader* reader) : reader_(*reader) {}

  absl::StatusOr<Update> Take() {
    std::set<absl::string_view> seen;
    while (!reader_.AtEnd()) {
      const auto section = std::find_if(
          kSections.begin(), kSections.end(), [this](const Section& section) {
            return reader_.AtWord(section.keyword);
          });
      if (section == kSections.end()) return reader_.UnexpectedToken();
      if (!seen.insert(section->keyword).second) {
        return reader_.Error(
            absl::StrCat("The \"", section->keyword,
                         "\" section can only be used once in an update "
                         "expression;"));
      }
      reader_.Skip();
      do {
        ASSIGN_OR_RETURN(UpdateAction action, TakeAction(*section));
        RETURN_IF_ERROR(CheckOverlaps(action.path));
        update_.push_back(std::move(action));
      } while (reader_.TakeSymbol(","));
    }
    return std::move(update_);
  }

 private:
  absl::StatusOr<UpdateAction> TakeAction(const Section& section) {
    UpdateAction action;
    action.kind = section.kind;
    ASSIGN_OR_RETURN(action.path, reader_.TakePath());
    if (section.kind == UpdateAction::Kind::kRemove) return action;
    if (section.kind == UpdateAction::Kind::kSet) {
      RETURN_IF_ERROR(reader_.ExpectSymbol("="));
      ASSIGN_OR_RETURN(action.operand, TakeSum());
      return action;
    }
    ASSIGN_OR_RETURN(action.operand, reader_.TakeOperand());
    if (action.operand.kind != Operand::Kind::kValue) {
      return reader_.UnexpectedToken();
    }
    const AttributeType type = action.operand.value.type;
    const bool adds_number = section.kind == UpdateAction::Kind::kAdd &&
                             type == AttributeType::kNumber;
    if (IsSet(type) || adds_number) return action;
    return reader_.Error(absl::StrCat(
        "Incorrect operand type for operator or function; operator: ",
        section.keyword, ", operand type: ", TypeName(type)));
  }

  // One operand, or two with a sign between them.
  absl::StatusOr<Operand> TakeSum() {
    if (++depth_ > ExpressionReader::kDepthMax) {
      return reader_.Error("The expression has too many levels");
    }
    ASSIGN_OR_RETURN(Operand left, TakeTerm());
    for (const auto& [symbol, kind] : {std::pair("+", Operand::Kind::kPlus),
                                       std::pair("-", Operand::Kind::kMinus)}) {
      if (!reader_.TakeSymbol(symbol)) continue;
      Operand sum;
      sum.kind = kind;
      sum.arguments.push_back(std::move(left));
      ASSIGN_OR_RETURN(Operand right, TakeTerm());
      sum.arguments.push_back(std::move(right));
      for (const Operand& term : sum.arguments) {
        if (term.kind == Operand::Kind::kValue &&
            term.value.type != AttributeType::kNumber) {
          return reader_.WrongType(symbol, term.value);
        }
      }
      left = std::move(sum);
      break;
    }
    --depth_;
    return left;
  }

  absl::StatusOr<Operand> TakeTerm() {
    if (reader_.TakeSymbol("(")) {
      ASSIGN_OR_RETURN(Operand inner, TakeSum());
      RETURN_IF_ERROR(reader_.ExpectSymbol(")"));
      return inner;
    }
    if (reader_.AtFunction("if_not_exists")) return TakeIfNotExists();
    if (reader_.AtFunction("list_append")) return TakeListAppend();
    if (reader_.AtFunction("size")) {
      return reader_.Error(
          "The function is not allowed in an update expression; function: "
          "size");
    }
    return reader_.TakeOperand();
  }

  absl::StatusOr<Operand> TakeIfNotExists() {
    reader_.Skip();
    reader_.Skip();
    Operand operand;
    operand.kind = Operand::Kind::kIfNotExists;
    ASSIGN_OR_RETURN(operand.path, reader_.TakePath());
    RETURN_IF_ERROR(reader_.ExpectSymbol(","));
    ASSIGN_OR_RETURN(Operand otherwise, TakeSum());
    operand.arguments.push_back(std::move(otherwise));
    RETURN_IF_ERROR(reader_.ExpectSymbol(")"));
    return operand;
  }

  absl::StatusOr<Operand> TakeListAppend() {
    reader_.Skip();
    reader_.Skip();
    Operand operand;
    operand.kind = Operand::Kind::kListAppend;
    ASSIGN_OR_RETURN(Operand first, TakeSum());
    RETURN_IF_ERROR(reader_.ExpectSymbol(","));
    ASSIGN_OR_RETURN(Operand second, TakeSum());
    RETURN_IF_ERROR(reader_.ExpectSymbol(")"));
    operand.arguments.push_back(std::move(first));
    operand.arguments.push_back(std::move(second));
    for (const Operand& list : operand.arguments) {
      if (list.kind == Operand::Kind::kValue &&
          list.value.type != AttributeType::kList) {
        return reader_.WrongType("list_append", list.value);
      }
    }
    return operand;
  }

  // No two actions may be about the same, or one about what is within what
  // another is about.
  absl::Status CheckOverlaps(const Path& path) const {
    for (const UpdateAction& other : update_) {
      const size_t common = std::min(path.size(), other.path.size());
      const auto steps = static_cast<std::ptrdiff_t>(common);
      if (!std::equal(path.begin(), path.begin() + steps, other.path.begin())) {
        continue;
      }
      return reader_.Error(absl::StrCat(
          "Two document paths overlap with each other; must remove or rewrite "
          "one of these paths; path one: ",
          TextOf(other.path), ", path two: ", TextOf(path)));
    }
    return absl::OkStatus();
  }

  ExpressionReader& reader_;
  Update update_;
  int depth_ = 0;
};

}  // namespace

absl::StatusOr<Update> ParseUpdate(absl::string_view text,
                                   Placeholders* holders) {
  ASSIGN_OR_RETURN(ExpressionReader reader,
                   ExpressionReader::Make("UpdateExpression", text, holders));
  return UpdateGrammar(&reader).Take();
}

}  // namespace trireme::dynamodb
