#include "server/dynamodb/expression_tokens.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/dynamodb/dynamodb_error.h"

namespace trireme::dynamodb {
namespace {

constexpr size_t kExpressionBytesMax = 4096;
constexpr size_t kNearBytes = 8;

bool IsDigit(char c) {
  return absl::ascii_isdigit(static_cast<unsigned char>(c));
}
bool IsLetter(char c) {
  return absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_';
}
bool IsWordPart(char c) { return IsLetter(c) || IsDigit(c); }

size_t CountWhile(absl::string_view text, bool (*is_part)(char)) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_part);
  return static_cast<size_t>(end - text.begin());
}

// The token that begins `rest`, which does not begin with a blank. Empty when
// there is none.
Token FirstToken(absl::string_view rest) {
  const char c = rest.front();
  if (IsLetter(c)) {
    return {Token::Kind::kWord, rest.substr(0, CountWhile(rest, IsWordPart))};
  }
  if (IsDigit(c)) {
    return {Token::Kind::kInteger, rest.substr(0, CountWhile(rest, IsDigit))};
  }
  if (c == '#' || c == ':') {
    const size_t size = 1 + CountWhile(rest.substr(1), IsWordPart);
    if (size == 1) return {};
    return {c == '#' ? Token::Kind::kNameHolder : Token::Kind::kValueHolder,
            rest.substr(0, size)};
  }
  for (const absl::string_view symbol : {"<>", "<=", ">="}) {
    if (rest.substr(0, 2) == symbol) {
      return {Token::Kind::kSymbol, rest.substr(0, 2)};
    }
  }
  if (absl::string_view("()[],.=<>+-").find(c) != absl::string_view::npos) {
    return {Token::Kind::kSymbol, rest.substr(0, 1)};
  }
  return {};
}

}  // namespace

absl::StatusOr<std::vector<Token>> CutTokens(absl::string_view parameter,
                                             absl::string_view text) {
  if (text.size() > kExpressionBytesMax) {
    return ValidationError(absl::StrCat(
        "Invalid ", parameter,
        ": Expression size has exceeded the maximum allowed size; expression "
        "size: ",
        text.size()));
  }
  std::vector<Token> tokens;
  size_t at = 0;
  while (true) {
    while (at < text.size() &&
           absl::ascii_isspace(static_cast<unsigned char>(text[at]))) {
      ++at;
    }
    if (at == text.size()) break;
    Token token = FirstToken(text.substr(at));
    token.at = at;
    if (token.text.empty()) {
      token.kind = Token::Kind::kSymbol;
      token.text = text.substr(at, 1);
      return SyntaxError(parameter, text, token);
    }
    at += token.text.size();
    tokens.push_back(token);
  }
  if (tokens.empty()) {
    return ValidationError(absl::StrCat("Invalid ", parameter,
                                        ": The expression can not be empty;"));
  }
  tokens.push_back({Token::Kind::kEnd, {}, text.size()});
  return tokens;
}

absl::Status SyntaxError(absl::string_view parameter, absl::string_view text,
                         const Token& token) {
  const size_t from = token.at - std::min(token.at, kNearBytes);
  const absl::string_view near =
      text.substr(from, token.at - from + token.text.size() + kNearBytes);
  return ValidationError(
      absl::StrCat("Invalid ", parameter, ": Syntax error; token: \"",
                   token.kind == Token::Kind::kEnd ? "<EOF>" : token.text,
                   "\", near: \"", absl::StripAsciiWhitespace(near), "\""));
}

}  // namespace trireme::dynamodb
