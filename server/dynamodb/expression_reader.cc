#include "server/dynamodb/expression_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/dynamodb/dynamodb_error.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {

absl::StatusOr<ExpressionReader> ExpressionReader::Make(
    absl::string_view parameter, absl::string_view text,
    Placeholders* holders) {
  ASSIGN_OR_RETURN(std::vector<Token> tokens, CutTokens(parameter, text));
  return ExpressionReader(parameter, text, std::move(tokens), holders);
}

const Token& ExpressionReader::after() const {
  return tokens_[std::min(next_ + 1, tokens_.size() - 1)];
}

bool ExpressionReader::AtSymbol(absl::string_view symbol) const {
  return token().kind == Token::Kind::kSymbol && token().text == symbol;
}

bool ExpressionReader::AtWord(absl::string_view keyword) const {
  return token().kind == Token::Kind::kWord &&
         absl::EqualsIgnoreCase(token().text, keyword);
}

bool ExpressionReader::AtFunction(absl::string_view name) const {
  return token().kind == Token::Kind::kWord && token().text == name &&
         after().kind == Token::Kind::kSymbol && after().text == "(";
}

bool ExpressionReader::TakeSymbol(absl::string_view symbol) {
  const bool is_there = AtSymbol(symbol);
  if (is_there) Skip();
  return is_there;
}

bool ExpressionReader::TakeWord(absl::string_view keyword) {
  const bool is_there = AtWord(keyword);
  if (is_there) Skip();
  return is_there;
}

absl::Status ExpressionReader::ExpectSymbol(absl::string_view symbol) {
  return TakeSymbol(symbol) ? absl::OkStatus() : UnexpectedToken();
}

absl::Status ExpressionReader::ExpectEnd() const {
  return AtEnd() ? absl::OkStatus() : UnexpectedToken();
}

absl::StatusOr<std::string> ExpressionReader::TakeName() {
  const Token name = token();
  if (name.kind == Token::Kind::kWord) {
    Skip();
    return std::string(name.text);
  }
  if (name.kind != Token::Kind::kNameHolder) return UnexpectedToken();
  Skip();
  const std::string* const meant = holders_->UseName(name.text);
  if (meant != nullptr) return *meant;
  return Error(absl::StrCat(
      "An expression attribute name used in the document path is not defined; "
      "attribute name: ",
      name.text));
}

absl::StatusOr<size_t> ExpressionReader::TakeIndex() {
  uint32_t index = 0;
  if (token().kind != Token::Kind::kInteger ||
      !absl::SimpleAtoi(token().text, &index)) {
    return UnexpectedToken();
  }
  Skip();
  RETURN_IF_ERROR(ExpectSymbol("]"));
  return index;
}

absl::StatusOr<Path> ExpressionReader::TakePath() {
  Path path;
  ASSIGN_OR_RETURN(std::string first, TakeName());
  path.push_back({std::move(first)});
  while (path.size() <= static_cast<size_t>(kDepthMax)) {
    if (TakeSymbol(".")) {
      ASSIGN_OR_RETURN(std::string name, TakeName());
      path.push_back({std::move(name)});
    } else if (TakeSymbol("[")) {
      ASSIGN_OR_RETURN(const size_t index, TakeIndex());
      path.push_back({"", index});
    } else {
      return path;
    }
  }
  return Error("The document path has too many nesting elements");
}

absl::StatusOr<Operand> ExpressionReader::TakeOperand() {
  const Token first = token();
  if (first.kind == Token::Kind::kValueHolder) {
    Skip();
    const AttributeValue* const value = holders_->UseValue(first.text);
    if (value != nullptr) return Operand::Value(*value);
    return Error(absl::StrCat(
        "An expression attribute value used in expression is not defined; "
        "attribute value: ",
        first.text));
  }
  const bool is_size = AtFunction("size");
  if (is_size) {
    Skip();
    RETURN_IF_ERROR(ExpectSymbol("("));
  } else if (first.kind == Token::Kind::kWord && after().text == "(") {
    return Error(absl::StrCat("Invalid function name; function: ", first.text));
  }
  ASSIGN_OR_RETURN(Path path, TakePath());
  Operand operand = Operand::At(std::move(path));
  if (!is_size) return operand;
  operand.kind = Operand::Kind::kSize;
  RETURN_IF_ERROR(ExpectSymbol(")"));
  return operand;
}

absl::StatusOr<std::vector<Operand>> ExpressionReader::TakeArguments(
    absl::string_view function, size_t count) {
  RETURN_IF_ERROR(ExpectSymbol("("));
  std::vector<Operand> arguments;
  do {
    ASSIGN_OR_RETURN(Operand argument, TakeOperand());
    arguments.push_back(std::move(argument));
  } while (TakeSymbol(","));
  RETURN_IF_ERROR(ExpectSymbol(")"));
  if (arguments.size() == count) return arguments;
  return Error(absl::StrCat(
      "Incorrect number of operands for operator or function; operator or "
      "function: ",
      function, ", number of operands: ", arguments.size()));
}

absl::Status ExpressionReader::Error(absl::string_view what) const {
  return ValidationError(absl::StrCat("Invalid ", parameter_, ": ", what));
}

absl::Status ExpressionReader::UnexpectedToken() const {
  return SyntaxError(parameter_, text_, token());
}

absl::Status ExpressionReader::WrongType(absl::string_view function,
                                         const AttributeValue& value) const {
  return Error(absl::StrCat(
      "Incorrect operand type for operator or function; operator or function: ",
      function, ", operand type: ", TypeName(value.type)));
}

}  // namespace trireme::dynamodb
