// Decimal is a number of DynamoDB: exact, up to 38 significant digits, from
// 1E-130 to 9.99E+125 and their opposites.
#ifndef TRIREME_SERVER_DYNAMODB_DECIMAL_H_
#define TRIREME_SERVER_DYNAMODB_DECIMAL_H_

#include <compare>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace trireme::dynamodb {

class Decimal {
 public:
  Decimal() = default;  // Zero.

  // ValidationException, in DynamoDB's words.
  static absl::StatusOr<Decimal> Parse(absl::string_view text);
  // The same errors when the result is out of range.
  static absl::StatusOr<Decimal> Add(const Decimal& a, const Decimal& b);
  Decimal Negated() const;

  // Plain: no exponent, no zero that says nothing. Equal numbers have equal
  // texts.
  std::string ToString() const;
  // In the order of the numbers; none begins another.
  std::string ToOrderedBytes() const;
  bool IsZero() const { return digits_.empty(); }
  // As DynamoDB counts it.
  size_t StoredBytes() const;

  friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);
  friend bool operator==(const Decimal& a, const Decimal& b) = default;

 private:
  Decimal(bool negative, std::string digits, int exponent);
  // Takes away zeros at both ends, then checks the range.
  static absl::StatusOr<Decimal> Make(bool negative, std::string digits,
                                      int exponent);

  // 0.<digits> times 10 to the exponent; no zero at either end.
  bool negative_ = false;
  std::string digits_;
  int exponent_ = 0;
};

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_DECIMAL_H_
