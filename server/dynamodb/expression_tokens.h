// An expression of DynamoDB cut into tokens.
#ifndef TRIREME_SERVER_DYNAMODB_EXPRESSION_TOKENS_H_
#define TRIREME_SERVER_DYNAMODB_EXPRESSION_TOKENS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace trireme::dynamodb {

struct Token {
  enum class Kind {
    kWord,         // A name or a keyword.
    kNameHolder,   // #name
    kValueHolder,  // :name
    kInteger,
    kSymbol,  // ( ) [ ] , . = <> < <= > >= + -
    kEnd,
  };
  Kind kind = Kind::kEnd;
  absl::string_view text;  // Of the expression; empty at the end.
  size_t at = 0;           // Where it stands there.
};

// The last is kEnd. `parameter`: where the expression was given, for errors.
// The tokens are views into `text`.
absl::StatusOr<std::vector<Token>> CutTokens(absl::string_view parameter,
                                             absl::string_view text);

// "Invalid ConditionExpression: Syntax error; token: "x", near: "a x b""
absl::Status SyntaxError(absl::string_view parameter, absl::string_view text,
                         const Token& token);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_EXPRESSION_TOKENS_H_
