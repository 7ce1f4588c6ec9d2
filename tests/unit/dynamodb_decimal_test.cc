#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/dynamodb/decimal.h"
#include "storage/errors.h"
#include "tests/unit/state_fixture.h"

namespace trireme::dynamodb {
namespace {

using ::testing::HasSubstr;

std::string Canonical(const std::string& text) {
  const auto number = Decimal::Parse(text);
  if (!number.ok()) return std::string(number.status().message());
  return number->ToString();
}

TEST(DecimalTest, EqualNumbersHaveOneText) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"0", "0"},
      {"-0", "0"},
      {"0.00e7", "0"},
      {"1", "1"},
      {"+1", "1"},
      {"001.500", "1.5"},
      {"-1.0", "-1"},
      {"1e3", "1000"},
      {"1.25E+1", "12.5"},
      {"12e-3", "0.012"},
      {".5", "0.5"},
      {"5.", "5"},
      {"100", "100"},
      {"-0.001", "-0.001"},
      {"1e-130", "0." + std::string(129, '0') + "1"},
      {"99999999999999999999999999999999999999",
       "99999999999999999999999999999999999999"},
      {"1e125", "1" + std::string(125, '0')},
  };
  for (const auto& [text, canonical] : cases) {
    EXPECT_EQ(Canonical(text), canonical) << text;
    EXPECT_EQ(Canonical(canonical), canonical);
  }
}

TEST(DecimalTest, WhatIsNoNumberOrOutOfRangeIsRefused) {
  for (const char* text : {"", "-", ".", "e5", "1e", "1e+", "1x", "1 ", " 1",
                           "NaN", "Infinity", "0x10", "1,5", "--1"}) {
    EXPECT_THAT(Canonical(text), HasSubstr("cannot be converted to a numeric"));
  }
  EXPECT_THAT(Canonical("1e126"), HasSubstr("Number overflow"));
  EXPECT_THAT(Canonical("-1e99999999999"), HasSubstr("Number overflow"));
  EXPECT_THAT(Canonical("1e-131"), HasSubstr("Number underflow"));
  EXPECT_THAT(Canonical("1e-99999999999"), HasSubstr("Number underflow"));
  EXPECT_THAT(Canonical("123456789012345678901234567890123456789"),
              HasSubstr("more than 38 significant digits"));
  EXPECT_EQ(Canonical("0.0000000000000000000000000000000000000000001"),
            "0.0000000000000000000000000000000000000000001");
}

TEST(DecimalTest, SumsAreExact) {
  const auto add = [](const std::string& a, const std::string& b) {
    const auto sum = Decimal::Add(*Decimal::Parse(a), *Decimal::Parse(b));
    return sum.ok() ? sum->ToString() : std::string(sum.status().message());
  };
  EXPECT_EQ(add("0.1", "0.2"), "0.3");
  EXPECT_EQ(add("1", "-1"), "0");
  EXPECT_EQ(add("9007199254740993", "1"), "9007199254740994");
  EXPECT_EQ(add("-5", "3"), "-2");
  EXPECT_EQ(add("3", "-5"), "-2");
  EXPECT_EQ(add("999", "1"), "1000");
  EXPECT_EQ(add("1000", "-0.001"), "999.999");
  EXPECT_EQ(add("0", "-7"), "-7");
  EXPECT_EQ(add("1e30", "1e-7"), "1" + std::string(30, '0') + ".0000001");
  EXPECT_THAT(add("1e60", "1"), HasSubstr("38 significant digits"));
  EXPECT_THAT(add("9e125", "9e125"), HasSubstr("Number overflow"));
}

TEST(DecimalTest, SumsOfIntegersAreThoseOfTheMachine) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20'000; ++i) {
    const int64_t a = static_cast<int64_t>(random()) >> (2 + random() % 60);
    const int64_t b = static_cast<int64_t>(random()) >> (2 + random() % 60);
    const Decimal left = *Decimal::Parse(std::to_string(a));
    const Decimal right = *Decimal::Parse(std::to_string(b));
    ASSERT_EQ(Decimal::Add(left, right)->ToString(), std::to_string(a + b));
    ASSERT_EQ(Decimal::Add(left, right.Negated())->ToString(),
              std::to_string(a - b));
    ASSERT_EQ(left < right, a < b) << a << " " << b;
    ASSERT_EQ(left == right, a == b);
  }
}

TEST(DecimalTest, BytesAreInTheOrderOfTheNumbers) {
  const std::vector<std::string> ascending = {
      "-9e125", "-1000",  "-999.5", "-2",   "-1.5", "-1",   "-0.1", "-1e-130",
      "0",      "1e-130", "0.09",   "0.1",  "0.11", "1",    "1.5",  "2",
      "9",      "10",     "10.01",  "99.9", "100",  "1e30", "9e125"};
  for (size_t i = 0; i + 1 < ascending.size(); ++i) {
    const Decimal low = *Decimal::Parse(ascending[i]);
    const Decimal high = *Decimal::Parse(ascending[i + 1]);
    EXPECT_LT(low.ToOrderedBytes(), high.ToOrderedBytes()) << ascending[i];
    EXPECT_LT(low, high);
    EXPECT_FALSE(high.ToOrderedBytes().starts_with(low.ToOrderedBytes()));
  }
}

}  // namespace
}  // namespace trireme::dynamodb
