#include "server/dynamodb/decimal.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/errors.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

constexpr size_t kDigitsMax = 38;
// Of 0.<digits>: 1E-130 and 9.99E+125.
constexpr int kExponentMin = -129;
constexpr int kExponentMax = 126;
// Beyond any text that could be in range.
constexpr size_t kTextBytesMax = 512;

absl::Status Invalid(absl::string_view message) {
  return MakeError(ErrorReason::kValidation, message);
}
absl::Status NotANumber(absl::string_view text) {
  return Invalid(
      absl::StrCat("The parameter cannot be converted to a numeric value: ",
                   text.substr(0, kTextBytesMax)));
}

std::string TakeDigits(absl::string_view* text) {
  size_t count = 0;
  while (count < text->size() &&
         absl::ascii_isdigit(static_cast<unsigned char>((*text)[count]))) {
    ++count;
  }
  std::string digits(text->substr(0, count));
  text->remove_prefix(count);
  return digits;
}

bool TakeSign(absl::string_view* text) {
  if (text->empty() || (text->front() != '-' && text->front() != '+')) {
    return false;
  }
  const bool negative = text->front() == '-';
  text->remove_prefix(1);
  return negative;
}

// Adds `b` to `a`, or takes it off the larger `a`: strings of digits that end
// at the same place.
std::string AddDigits(std::string a, std::string b, bool subtract) {
  const size_t size = std::max(a.size(), b.size()) + 1;
  a.insert(0, size - a.size(), '0');
  b.insert(0, size - b.size(), '0');
  int carry = 0;
  for (size_t i = size; i-- > 0;) {
    const int other = b[i] - '0' + carry;
    int sum = a[i] - '0' + (subtract ? -other : other);
    carry = 0;
    if (sum < 0 || sum > 9) {
      sum += subtract ? 10 : -10;
      carry = 1;
    }
    a[i] = static_cast<char>('0' + sum);
  }
  return a;
}

}  // namespace

Decimal::Decimal(bool negative, std::string digits, int exponent)
    : negative_(negative), digits_(std::move(digits)), exponent_(exponent) {}

absl::StatusOr<Decimal> Decimal::Make(bool negative, std::string digits,
                                      int exponent) {
  const size_t first = digits.find_first_not_of('0');
  if (first == std::string::npos) return Decimal();
  digits.erase(0, first);
  exponent -= static_cast<int>(first);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (exponent > kExponentMax) {
    return Invalid(
        "Number overflow. Attempting to store a number with magnitude larger "
        "than supported range");
  }
  if (exponent < kExponentMin) {
    return Invalid(
        "Number underflow. Attempting to store a number with magnitude smaller "
        "than supported range");
  }
  if (digits.size() > kDigitsMax) {
    return Invalid(
        "Attempting to store more than 38 significant digits in a Number");
  }
  return Decimal(negative, std::move(digits), exponent);
}

absl::StatusOr<Decimal> Decimal::Parse(absl::string_view text) {
  absl::string_view rest = text;
  if (rest.size() > kTextBytesMax) return NotANumber(text);
  const bool negative = TakeSign(&rest);
  std::string digits = TakeDigits(&rest);
  int exponent = static_cast<int>(digits.size());
  if (!rest.empty() && rest.front() == '.') {
    rest.remove_prefix(1);
    digits += TakeDigits(&rest);
  }
  if (digits.empty()) return NotANumber(text);
  if (!rest.empty() && (rest.front() == 'e' || rest.front() == 'E')) {
    rest.remove_prefix(1);
    const bool is_small = TakeSign(&rest);
    const std::string power = TakeDigits(&rest);
    int value = 0;
    if (power.empty()) return NotANumber(text);
    // One that does not fit is out of range in any case.
    if (!absl::SimpleAtoi(power, &value) || value > 10'000) value = 10'000;
    exponent += is_small ? -value : value;
  }
  if (!rest.empty()) return NotANumber(text);
  return Make(negative, std::move(digits), exponent);
}

absl::StatusOr<Decimal> Decimal::Add(const Decimal& a, const Decimal& b) {
  if (a.IsZero()) return b;
  if (b.IsZero()) return a;
  // The larger magnitude first, so that its sign is the sum's.
  const bool a_is_larger =
      std::pair(a.exponent_, absl::string_view(a.digits_)) >=
      std::pair(b.exponent_, absl::string_view(b.digits_));
  const Decimal& large = a_is_larger ? a : b;
  const Decimal& small = a_is_larger ? b : a;
  const auto end = [](const Decimal& number) {
    return number.exponent_ - static_cast<int>(number.digits_.size());
  };
  const int last = std::min(end(large), end(small));
  const auto aligned = [&](const Decimal& number) {
    return number.digits_ +
           std::string(static_cast<size_t>(end(number) - last), '0');
  };
  std::string sum = AddDigits(aligned(large), aligned(small),
                              large.negative_ != small.negative_);
  const int exponent = static_cast<int>(sum.size()) + last;
  return Make(large.negative_, std::move(sum), exponent);
}

Decimal Decimal::Negated() const {
  return Decimal(!IsZero() && !negative_, digits_, exponent_);
}

std::string Decimal::ToString() const {
  if (IsZero()) return "0";
  const char* const sign = negative_ ? "-" : "";
  const int size = static_cast<int>(digits_.size());
  if (exponent_ <= 0) {
    return absl::StrCat(
        sign, "0.", std::string(static_cast<size_t>(-exponent_), '0'), digits_);
  }
  if (exponent_ >= size) {
    return absl::StrCat(
        sign, digits_, std::string(static_cast<size_t>(exponent_ - size), '0'));
  }
  const auto point = static_cast<size_t>(exponent_);
  return absl::StrCat(sign, digits_.substr(0, point), ".",
                      digits_.substr(point));
}

std::string Decimal::ToOrderedBytes() const {
  if (IsZero()) return "\x80";
  std::string bytes;
  bytes += static_cast<char>(exponent_ - kExponentMin);
  bytes += digits_;
  bytes += '\0';
  if (negative_) {
    for (char& byte : bytes) byte = static_cast<char>(~byte);
  }
  return absl::StrCat(negative_ ? "\x7f" : "\x81", bytes);
}

size_t Decimal::StoredBytes() const {
  return (digits_.size() + 1) / 2 + 1 + (negative_ ? 1 : 0);
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
  return a.ToOrderedBytes().compare(b.ToOrderedBytes()) <=> 0;
}

}  // namespace trireme::dynamodb
