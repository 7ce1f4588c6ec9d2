// ExpressionReader reads what all kinds of expressions have in common: tokens,
// paths, values. The grammars on top are expression_parser.cc (conditions,
// projections) and update_parser.cc.
//
// Lives as long as one parse.
#ifndef TRIREME_SERVER_DYNAMODB_EXPRESSION_READER_H_
#define TRIREME_SERVER_DYNAMODB_EXPRESSION_READER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/dynamodb/expression.h"
#include "server/dynamodb/expression_tokens.h"
#include "server/dynamodb/placeholders.h"

namespace trireme::dynamodb {

class ExpressionReader {
 public:
  // Beyond it expressions are refused; DynamoDB stops at about as many.
  static constexpr int kDepthMax = 100;

  // The views and `holders` must outlive it.
  static absl::StatusOr<ExpressionReader> Make(absl::string_view parameter,
                                               absl::string_view text,
                                               Placeholders* holders);

  const Token& token() const { return tokens_[next_]; }
  const Token& after() const;  // The one behind it.
  bool AtSymbol(absl::string_view symbol) const;
  bool AtWord(absl::string_view keyword) const;   // In any case.
  bool AtFunction(absl::string_view name) const;  // "name ("
  bool AtEnd() const { return token().kind == Token::Kind::kEnd; }
  void Skip() { ++next_; }
  bool TakeSymbol(absl::string_view symbol);
  bool TakeWord(absl::string_view keyword);
  absl::Status ExpectSymbol(absl::string_view symbol);
  absl::Status ExpectEnd() const;

  absl::StatusOr<Path> TakePath();
  // A path, a value, or size(path).
  absl::StatusOr<Operand> TakeOperand();
  // (operand, operand, ...), behind a function's name.
  absl::StatusOr<std::vector<Operand>> TakeArguments(absl::string_view function,
                                                     size_t count);

  absl::Status Error(absl::string_view what) const;
  absl::Status UnexpectedToken() const;
  // An operand that is a value of a type which the function does not take.
  absl::Status WrongType(absl::string_view function,
                         const AttributeValue& value) const;

 private:
  ExpressionReader(absl::string_view parameter, absl::string_view text,
                   std::vector<Token> tokens, Placeholders* holders)
      : parameter_(parameter),
        text_(text),
        tokens_(std::move(tokens)),
        holders_(holders) {}

  absl::StatusOr<std::string> TakeName();
  absl::StatusOr<size_t> TakeIndex();

  absl::string_view parameter_;
  absl::string_view text_;
  std::vector<Token> tokens_;
  size_t next_ = 0;
  Placeholders* holders_;
};

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_EXPRESSION_READER_H_
