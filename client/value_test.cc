#include "client/value_test.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/error.h"
#include "client/status_macros.h"

namespace trireme::client {
namespace {

using Json = nlohmann::json;

bool IsTextTest(absl::string_view name) {
  return name == "prefix" || name == "suffix" || name == "equals-ignore-case";
}

std::string Element(const std::string& place, size_t i) {
  return absl::StrCat(place, "[", i, "]");
}

}  // namespace

absl::Status BadPattern(absl::string_view place, absl::string_view message) {
  return MakeError(absl::StatusCode::kInvalidArgument,
                   "InvalidArgumentException", "EventFilter",
                   absl::StrCat(place, ": ", message));
}

absl::StatusOr<ValueTest> ValueTest::Parse(const Json& element,
                                           const std::string& place) {
  if (element.is_array()) {
    return BadPattern(place, "a list in a list; it must be a value or a test");
  }
  if (!element.is_object()) return ValueTest(Equals{element});
  if (element.size() != 1) {
    return BadPattern(
        place, absl::StrCat("has ", element.size(), " names; a test has one"));
  }
  const std::string& name = element.begin().key();
  const Json& value = element.begin().value();
  const std::string inside = absl::StrCat(place, ".", name);
  if (IsTextTest(name)) return ParseText(name, value, inside);
  if (name == "numeric") return ParseNumeric(value, inside);
  if (name == "anything-but") return ParseAnythingBut(value, inside);
  if (name == "exists") {
    if (value.is_boolean()) return ValueTest(Exists{value.get<bool>()});
    return BadPattern(inside, "must be true or false");
  }
  return BadPattern(inside,
                    "is no test; those are prefix, suffix, anything-but, "
                    "numeric, exists, equals-ignore-case");
}

absl::StatusOr<ValueTest> ValueTest::ParseText(const std::string& name,
                                               const Json& value,
                                               const std::string& place) {
  Text test = {name == "prefix"   ? Text::Part::kStart
               : name == "suffix" ? Text::Part::kEnd
                                  : Text::Part::kWhole};
  const Json* text = &value;
  test.ignore_case = test.part == Text::Part::kWhole;
  if (!test.ignore_case && value.is_object() && value.size() == 1 &&
      value.contains("equals-ignore-case")) {
    test.ignore_case = true;
    text = &value.begin().value();
  }
  if (!text->is_string()) return BadPattern(place, "must be a text");
  test.text = text->get<std::string>();
  return ValueTest(std::move(test));
}

absl::StatusOr<ValueTest> ValueTest::ParseNumeric(const Json& value,
                                                  const std::string& place) {
  if (!value.is_array() || (value.size() != 2 && value.size() != 4)) {
    return BadPattern(place,
                      "must be a list of one or two comparisons, such as "
                      "[\">\", 0, \"<=\", 5]");
  }
  Numeric test;
  for (size_t i = 0; i < value.size(); i += 2) {
    static constexpr absl::string_view kSigns[] = {"=", "<", "<=", ">", ">="};
    if (!value[i].is_string() ||
        std::count(std::begin(kSigns), std::end(kSigns),
                   value[i].get<std::string>()) == 0) {
      return BadPattern(Element(place, i), "must be one of = < <= > >=");
    }
    if (!value[i + 1].is_number()) {
      return BadPattern(Element(place, i + 1), "must be a number");
    }
    test.comparisons.push_back(
        {value[i].get<std::string>(), value[i + 1].get<double>()});
  }
  return ValueTest(std::move(test));
}

absl::StatusOr<ValueTest> ValueTest::ParseAnythingBut(
    const Json& value, const std::string& place) {
  AnythingBut test;
  // {"prefix": ["a", "b"]} excludes both.
  std::string name;
  std::string inside = place;
  const Json* excluded = &value;
  if (value.is_object()) {
    if (value.size() != 1 || !IsTextTest(value.begin().key())) {
      return BadPattern(
          place,
          "must be a text, a number, a list of them, or one of prefix, suffix, "
          "equals-ignore-case");
    }
    name = value.begin().key();
    inside = absl::StrCat(place, ".", name);
    excluded = &value.begin().value();
  }
  const Json list = excluded->is_array() ? *excluded : Json::array({*excluded});
  if (list.empty()) return BadPattern(inside, "is empty");
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string at = excluded->is_array() ? Element(inside, i) : inside;
    if (!name.empty()) {
      CLIENT_ASSIGN_OR_RETURN(ValueTest text, ParseText(name, list[i], at));
      test.excluded.push_back(std::move(text));
    } else if (list[i].is_structured()) {
      return BadPattern(at, "must be a text or a number");
    } else {
      test.excluded.push_back(ValueTest(Equals{list[i]}));
    }
  }
  return ValueTest(std::move(test));
}

bool ValueTest::Passes(const Json* value) const {
  if (const auto* const exists = std::get_if<Exists>(test_.get())) {
    return (value != nullptr) == exists->exists;
  }
  if (value == nullptr || value->is_object()) return false;
  if (!value->is_array()) return PassesOne(*value);
  return std::any_of(value->begin(), value->end(),
                     [this](const Json& element) { return Passes(&element); });
}

bool ValueTest::PassesOne(const Json& value) const {
  if (const auto* const equals = std::get_if<Equals>(test_.get())) {
    return value == equals->value;
  }
  if (const auto* const text = std::get_if<Text>(test_.get())) {
    return value.is_string() &&
           PassesOne(*text, value.get_ref<const std::string&>());
  }
  if (const auto* const numeric = std::get_if<Numeric>(test_.get())) {
    return value.is_number() && PassesOne(*numeric, value.get<double>());
  }
  const auto& excluded = std::get<AnythingBut>(*test_).excluded;
  return std::none_of(
      excluded.begin(), excluded.end(),
      [&](const ValueTest& test) { return test.PassesOne(value); });
}

bool ValueTest::PassesOne(const Text& test, const std::string& value) {
  switch (test.part) {
    case Text::Part::kStart:
      return test.ignore_case ? absl::StartsWithIgnoreCase(value, test.text)
                              : absl::StartsWith(value, test.text);
    case Text::Part::kEnd:
      return test.ignore_case ? absl::EndsWithIgnoreCase(value, test.text)
                              : absl::EndsWith(value, test.text);
    case Text::Part::kWhole:
      return absl::EqualsIgnoreCase(value, test.text);
  }
  return false;
}

bool ValueTest::PassesOne(const Numeric& test, double value) {
  const auto holds = [value](const Numeric::Comparison& comparison) {
    const double limit = comparison.limit;
    if (comparison.sign == "=") return value == limit;
    if (comparison.sign == "<") return value < limit;
    if (comparison.sign == "<=") return value <= limit;
    if (comparison.sign == ">") return value > limit;
    return value >= limit;
  };
  return std::all_of(test.comparisons.begin(), test.comparisons.end(), holds);
}

}  // namespace trireme::client
