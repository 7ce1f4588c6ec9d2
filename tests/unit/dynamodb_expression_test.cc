// The expression engine, by tables of cases.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/dynamodb/attribute_json.h"
#include "server/dynamodb/condition.h"
#include "server/dynamodb/document.h"
#include "server/dynamodb/expression_parser.h"
#include "server/dynamodb/legacy_parameters.h"
#include "server/dynamodb/update.h"
#include "tests/unit/state_fixture.h"

namespace trireme::dynamodb {
namespace {

using ::testing::HasSubstr;

constexpr char kItem[] = R"({
  "s": {"S": "text"}, "n": {"N": "5"}, "b": {"B": "AQI="},
  "t": {"BOOL": true}, "z": {"NULL": true}, "u": {"S": "h\u00e9"},
  "l": {"L": [{"S": "x"}, {"N": "2"}, {"M": {"k": {"S": "deep"}}}]},
  "m": {"M": {"a": {"S": "inner"}, "c": {"M": {"d": {"N": "1"}}}}},
  "ss": {"SS": ["a", "b"]}, "ns": {"NS": ["1", "2"]}, "key": {"S": "k"}})";

constexpr char kHolders[] = R"({
  "ExpressionAttributeNames": {"#s": "s", "#m": "m", "#dot": "a.b"},
  "ExpressionAttributeValues": {
    ":text": {"S": "text"}, ":te": {"S": "te"}, ":x": {"S": "x"},
    ":a": {"S": "a"}, ":5": {"N": "5"}, ":05": {"N": "5.0"},
    ":1": {"N": "1"}, ":2": {"N": "2"}, ":9": {"N": "9"},
    ":true": {"BOOL": true}, ":S": {"S": "S"}, ":N": {"S": "N"},
    ":bytes": {"B": "AQI="}, ":Q": {"S": "Q"},
    ":list": {"L": [{"S": "new"}]}, ":empty": {"L": []},
    ":ab": {"SS": ["b", "a"]}, ":bc": {"SS": ["b", "c"]},
    ":ns": {"NS": ["3"]}, ":null": {"NULL": true}}})";

Item ItemOf(const std::string& json) {
  const auto item = ParseItem(Json::parse(json));
  EXPECT_OK(item);
  return *item;
}

// "true", "false", or the error.
std::string Check(const std::string& expression, const Item& item) {
  Placeholders holders = *Placeholders::Parse(Json::parse(kHolders));
  const auto condition =
      ParseCondition("ConditionExpression", expression, &holders);
  if (!condition.ok()) return std::string(condition.status().message());
  return Holds(*condition, item) ? "true" : "false";
}

TEST(ExpressionTest, ConditionsThatHold) {
  const Item item = ItemOf(kItem);
  for (const char* expression : {"s = :text",
                                 "#s = :text",
                                 "n = :05",
                                 "n=:5",
                                 "n <> :9",
                                 "n < :9",
                                 "n <= :5",
                                 "n > :1",
                                 "n >= :5",
                                 "s<>:5",
                                 "gone <> :5",
                                 "n BETWEEN :1 AND :9",
                                 "n between :5 and :5",
                                 "n IN (:1, :2, :5)",
                                 "s in (:text)",
                                 "attribute_exists(s)",
                                 "attribute_exists(m.a)",
                                 "attribute_exists(l[2].k)",
                                 "attribute_not_exists(gone)",
                                 "attribute_not_exists(m.gone)",
                                 "attribute_not_exists(l[3])",
                                 "attribute_not_exists(s.x)",
                                 "attribute_not_exists(key.x)",
                                 "attribute_type(s, :S)",
                                 "attribute_type(n, :N)",
                                 "begins_with(s, :te)",
                                 "begins_with(s, s)",
                                 "contains(s, :te)",
                                 "contains(ss, :a)",
                                 "contains(l, :x)",
                                 "contains(ns, :2)",
                                 "size(s) > :2",
                                 "size(l) < :9",
                                 "size(ss) = :2",
                                 "size(u) = :2",
                                 "size(b) = :2",
                                 "size(m) = :2",
                                 "NOT s = :x",
                                 "not (s = :x)",
                                 "s = :text AND n = :5",
                                 "s = :x OR n = :5",
                                 "s = :x AND n = :9 OR t = :true",
                                 "s = :text OR s = :x AND n = :9",
                                 "NOT s = :x AND n = :5",
                                 "(s = :x OR n = :5) AND t = :true",
                                 "((n = :5))",
                                 "n BETWEEN :1 AND :9 AND s = :text",
                                 "m.c.d = :1",
                                 "#m.a = m.a",
                                 "l[0] = :x",
                                 "ss = :ab",
                                 "b = :bytes",
                                 "z = :null",
                                 "key = key",
                                 "NOT NOT n = :5"}) {
    EXPECT_EQ(Check(expression, item), "true") << expression;
  }
}

TEST(ExpressionTest, ConditionsThatDoNot) {
  const Item item = ItemOf(kItem);
  for (const char* expression : {"s = :x",
                                 "s = :5",
                                 "gone = :5",
                                 "gone = gone",
                                 "gone < :5",
                                 "n < :5",
                                 "n > :5",
                                 "s < :5",
                                 "n BETWEEN :9 AND n",
                                 "gone IN (:5)",
                                 "attribute_exists(gone)",
                                 "attribute_exists(s.x)",
                                 "attribute_exists(l[3])",
                                 "attribute_exists(m[0])",
                                 "attribute_not_exists(s)",
                                 "attribute_type(s, :N)",
                                 "attribute_type(gone, :S)",
                                 "begins_with(s, :x)",
                                 "begins_with(n, :x)",
                                 "contains(s, :Q)",
                                 "contains(ss, :x)",
                                 "contains(n, :5)",
                                 "size(n) > :1",
                                 "size(gone) < :9",
                                 "s = :text AND n = :9",
                                 "s = :x OR n = :9",
                                 "(s = :text OR n = :9) AND t = :null",
                                 "NOT (n = :5)",
                                 "ss = :bc",
                                 "#dot = :5"}) {
    EXPECT_EQ(Check(expression, item), "false") << expression;
  }
  // Of an item that is not there.
  EXPECT_EQ(Check("attribute_not_exists(s)", {}), "true");
  EXPECT_EQ(Check("s = :text", {}), "false");
}

TEST(ExpressionTest, MalformedConditionsAreRefusedInDynamoDbsWords) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "The expression can not be empty;"},
      {"  ", "The expression can not be empty;"},
      {"s = ", "Syntax error; token: \"<EOF>\", near: \"s =\""},
      {"s", "Syntax error; token: \"<EOF>\""},
      {"s = :text s", "Syntax error; token: \"s\", near: \"= :text s\""},
      {"s == :text", "Syntax error; token: \"=\""},
      {"s = 'x'", "Syntax error; token: \"'\""},
      {"(s = :x", "Syntax error; token: \"<EOF>\""},
      {"s = :x)", "Syntax error; token: \")\""},
      {"n BETWEEN :1", "Syntax error"},
      {"n IN :1", "Syntax error; token: \":1\""},
      {"l[x] = :1", "Syntax error; token: \"x\""},
      {"l[99999999999] = :1", "Syntax error"},
      {"# = :1", "Syntax error; token: \"#\""},
      {"s = :gone",
       "An expression attribute value used in expression is not defined; "
       "attribute value: :gone"},
      {"#gone = :x",
       "An expression attribute name used in the document path is not defined; "
       "attribute name: #gone"},
      {"foo(s)", "Invalid function name; function: foo"},
      {"attribute_exists(s, n)", "number of operands: 2"},
      {"attribute_exists(:x)", "requires a document path"},
      {"attribute_type(s, :Q)", "Invalid attribute type name found; type: Q"},
      {"attribute_type(s, :5)", "operand type: N"},
      {"begins_with(s, :5)", "begins_with, operand type: N"},
      {"n < :true", "operator or function: <, operand type: BOOL"},
      {"n BETWEEN :9 AND :1", "upper bound to be greater than or equal"},
      {"n BETWEEN :1 AND :x", "same data type"},
  };
  for (const auto& [expression, error] : cases) {
    EXPECT_THAT(Check(expression, {}), HasSubstr(error)) << expression;
  }
  EXPECT_THAT(Check("s = :x =", {}),
              testing::StartsWith("Invalid ConditionExpression: "));
  EXPECT_THAT(Check(std::string(4097, ' '), {}),
              HasSubstr("maximum allowed size; expression size: 4097"));
  EXPECT_THAT(Check(std::string(4000, '('), {}), HasSubstr("levels"));
  std::string nots;
  for (int i = 0; i < 900; ++i) nots += "NOT ";
  EXPECT_THAT(Check(nots + "n = :5", {}), HasSubstr("levels"));
}

TEST(ExpressionTest, PlaceholdersMustBeUsedAndWellFormed) {
  const auto parse = [](const std::string& request) {
    const auto holders = Placeholders::Parse(Json::parse(request));
    return holders.ok() ? std::string(holders->CheckAllUsed().message())
                        : std::string(holders.status().message());
  };
  EXPECT_EQ(parse("{}"), "");
  EXPECT_EQ(parse(R"({"ExpressionAttributeNames": {"#b": "b", "#a": "a"}})"),
            "Value provided in ExpressionAttributeNames unused in expressions: "
            "keys: {#a, #b}");
  EXPECT_THAT(parse(R"({"ExpressionAttributeValues": {":a": {"S": ""}}})"),
              HasSubstr("unused in expressions: keys: {:a}"));
  EXPECT_THAT(parse(R"({"ExpressionAttributeValues": {}})"),
              HasSubstr("must not be empty"));
  EXPECT_THAT(parse(R"({"ExpressionAttributeNames": {"a": "b"}})"),
              HasSubstr("invalid key: Syntax error; key: \"a\""));
  EXPECT_THAT(parse(R"({"ExpressionAttributeValues": {":a": {}}})"),
              HasSubstr("for key :a"));
}

// --- updates ---

// The item afterwards, or the error.
std::string Apply(const std::string& expression, const std::string& item) {
  Placeholders holders = *Placeholders::Parse(Json::parse(kHolders));
  const auto update = ParseUpdate(expression, &holders);
  if (!update.ok()) return std::string(update.status().message());
  Item updated = ItemOf(item);
  const absl::Status applied = ApplyUpdate(*update, &updated);
  if (!applied.ok()) return std::string(applied.message());
  return ToJson(updated).dump();
}

struct UpdateCase {
  std::string expression;
  std::string before;
  std::string after;
};

TEST(ExpressionTest, UpdatesMakeOfItemsWhatTheySay) {
  const std::vector<UpdateCase> cases = {
      {"SET a = :1", "{}", R"({"a":{"N":"1"}})"},
      {"set a = :1, #s = :x", "{}", R"({"a":{"N":"1"},"s":{"S":"x"}})"},
      {"SET a = a + :1", R"({"a":{"N":"5"}})", R"({"a":{"N":"6"}})"},
      {"SET a = :1 - a", R"({"a":{"N":"5"}})", R"({"a":{"N":"-4"}})"},
      {"SET a = b, b = a", R"({"a":{"N":"1"},"b":{"N":"2"}})",
       R"({"a":{"N":"2"},"b":{"N":"1"}})"},
      {"SET a = if_not_exists(a, :1)", "{}", R"({"a":{"N":"1"}})"},
      {"SET a = if_not_exists(a, :1) + :1", R"({"a":{"N":"7"}})",
       R"({"a":{"N":"8"}})"},
      {"SET a = list_append(a, :list)", R"({"a":{"L":[{"S":"old"}]}})",
       R"({"a":{"L":[{"S":"old"},{"S":"new"}]}})"},
      {"SET a = list_append(if_not_exists(a, :empty), :list)", "{}",
       R"({"a":{"L":[{"S":"new"}]}})"},
      {"SET a.b = :1", R"({"a":{"M":{}}})", R"({"a":{"M":{"b":{"N":"1"}}}})"},
      {"SET a[0] = :1, a[9] = :2", R"({"a":{"L":[{"S":"x"}]}})",
       R"({"a":{"L":[{"N":"1"},{"N":"2"}]}})"},
      {"REMOVE a", R"({"a":{"N":"1"},"b":{"N":"2"}})", R"({"b":{"N":"2"}})"},
      {"REMOVE a, gone", R"({"a":{"N":"1"}})", "{}"},
      {"REMOVE a[0], a[2]", R"({"a":{"L":[{"N":"0"},{"N":"1"},{"N":"2"}]}})",
       R"({"a":{"L":[{"N":"1"}]}})"},
      {"REMOVE a.b", R"({"a":{"M":{"b":{"N":"1"}}}})", R"({"a":{"M":{}}})"},
      {"ADD a :1", "{}", R"({"a":{"N":"1"}})"},
      {"ADD a :5", R"({"a":{"N":"-1.5"}})", R"({"a":{"N":"3.5"}})"},
      {"ADD a :bc", R"({"a":{"SS":["a","b"]}})",
       R"({"a":{"SS":["a","b","c"]}})"},
      {"DELETE a :bc", R"({"a":{"SS":["a","b"]}})", R"({"a":{"SS":["a"]}})"},
      {"DELETE a :ab", R"({"a":{"SS":["a","b"]}})", "{}"},
      {"DELETE a :ab", "{}", "{}"},
      {"SET a = :1 REMOVE b ADD c :2 DELETE d :ab", R"({"b":{"N":"1"}})",
       R"({"a":{"N":"1"},"c":{"N":"2"}})"},
      {"REMOVE b SET a = b", R"({"b":{"N":"3"}})", R"({"a":{"N":"3"}})"},
      {"SET #dot = :1", "{}", R"({"a.b":{"N":"1"}})"},
      {"SET a = (b + :1)", R"({"b":{"N":"3"}})",
       R"({"a":{"N":"4"},"b":{"N":"3"}})"},
  };
  for (const UpdateCase& one : cases) {
    EXPECT_EQ(Apply(one.expression, one.before), one.after) << one.expression;
  }
}

TEST(ExpressionTest, UpdatesThatDoNotSuitTheItemAreRefused) {
  const std::vector<UpdateCase> cases = {
      {"SET a = b", "{}", "refers to an attribute that does not exist"},
      {"SET a = a + :1", R"({"a":{"S":"x"}})", "incorrect data type"},
      {"SET a = list_append(a, :list)", R"({"a":{"S":"x"}})",
       "incorrect data type"},
      {"SET a.b = :1", "{}", "document path provided in the update"},
      {"SET a.b = :1", R"({"a":{"S":"x"}})", "document path provided"},
      {"SET a[0] = :1", R"({"a":{"M":{}}})", "document path provided"},
      {"REMOVE a.b", "{}", "document path provided"},
      {"ADD a :1", R"({"a":{"S":"x"}})", "incorrect data type"},
      {"ADD a :bc", R"({"a":{"NS":["1"]}})", "incorrect data type"},
      {"DELETE a :bc", R"({"a":{"S":"x"}})", "incorrect data type"},
      {"", "{}", "The expression can not be empty;"},
      {"SET", "{}", "Syntax error; token: \"<EOF>\""},
      {"SET a", "{}", "Syntax error"},
      {"a = :1", "{}", "Syntax error; token: \"a\""},
      {"SET a = :1 SET b = :1", "{}", "\"SET\" section can only be used once"},
      {"SET a = :1, a.b = :2", "{}",
       "Two document paths overlap with each other; must remove or rewrite one "
       "of these paths; path one: [a], path two: [a, b]"},
      {"SET a = :1 REMOVE a", "{}", "path one: [a], path two: [a]"},
      {"SET a[1].b = :1 REMOVE a[1]", "{}", "path one: [a, [1], b]"},
      {"SET a = :x + :1", "{}", "operator or function: +, operand type: S"},
      {"SET a = list_append(:1, :list)", "{}", "list_append, operand type: N"},
      {"SET a = size(b)", "{}", "not allowed in an update expression"},
      {"ADD a :x", "{}", "operator: ADD, operand type: S"},
      {"DELETE a :1", "{}", "operator: DELETE, operand type: N"},
      {"ADD a b", "{}", "Syntax error"},
      {"SET a = attribute_exists(b)", "{}", "Invalid function name"},
  };
  for (const UpdateCase& one : cases) {
    EXPECT_THAT(Apply(one.expression, one.before), HasSubstr(one.after))
        << one.expression;
  }
}

TEST(ExpressionTest, ProjectionsKeepTheDocumentsThatTheyAreIn) {
  const auto project = [](const std::string& expression) {
    Placeholders holders = *Placeholders::Parse(Json::parse(kHolders));
    const auto paths = ParseProjection(expression, &holders);
    if (!paths.ok()) return std::string(paths.status().message());
    return ToJson(Project(ItemOf(kItem), *paths)).dump();
  };
  EXPECT_EQ(project("#s, n, gone"), R"({"n":{"N":"5"},"s":{"S":"text"}})");
  EXPECT_EQ(project("m.a"), R"({"m":{"M":{"a":{"S":"inner"}}}})");
  EXPECT_EQ(project("l[2].k, l[0]"),
            R"({"l":{"L":[{"S":"x"},{"M":{"k":{"S":"deep"}}}]}})");
  EXPECT_EQ(project("m.gone, s.x, l[7]"), "{}");
  EXPECT_THAT(project("s,"), HasSubstr("Syntax error"));
  EXPECT_THAT(project("s = n"), HasSubstr("Syntax error"));
}

// --- what was before expressions ---

std::string CheckLegacy(const std::string& expected) {
  const auto condition = ParseLegacyCondition(
      Json::parse("{\"Expected\": " + expected + "}"), "Expected");
  if (!condition.ok()) return std::string(condition.status().message());
  if (!condition->has_value()) return "none";
  return Holds(**condition, ItemOf(kItem)) ? "true" : "false";
}

TEST(LegacyParametersTest, ExpectedHoldsOrNot) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{}", "none"},
      {R"({"n": {"Value": {"N": "5"}}})", "true"},
      {R"({"n": {"Exists": true, "Value": {"N": "5.0"}}})", "true"},
      {R"({"n": {"Value": {"N": "4"}}})", "false"},
      {R"({"gone": {"Exists": false}})", "true"},
      {R"({"n": {"Exists": false}})", "false"},
      {R"({"n": {"Value": {"N": "5"}}, "gone": {"Exists": false}})", "true"},
      {R"({"n": {"Value": {"N": "5"}}, "s": {"Exists": false}})", "false"},
      {R"({"n": {"ComparisonOperator": "GT",
                 "AttributeValueList": [{"N": "4"}]}})",
       "true"},
      {R"({"n": {"ComparisonOperator": "BETWEEN",
                 "AttributeValueList": [{"N": "4"}, {"N": "6"}]}})",
       "true"},
      {R"({"n": {"ComparisonOperator": "IN",
                 "AttributeValueList": [{"N": "4"}, {"N": "6"}]}})",
       "false"},
      {R"({"n": {"ComparisonOperator": "NOT_NULL"}})", "true"},
      {R"({"gone": {"ComparisonOperator": "NULL"}})", "true"},
      {R"({"ss": {"ComparisonOperator": "CONTAINS",
                  "AttributeValueList": [{"S": "a"}]}})",
       "true"},
      {R"({"ss": {"ComparisonOperator": "NOT_CONTAINS",
                  "AttributeValueList": [{"S": "a"}]}})",
       "false"},
      {R"({"s": {"ComparisonOperator": "BEGINS_WITH",
                 "AttributeValueList": [{"S": "te"}]}})",
       "true"},
      {R"({"s": {"ComparisonOperator": "NE", "Value": {"S": "te"}}})", "true"},
  };
  for (const auto& [expected, holds] : cases) {
    EXPECT_EQ(CheckLegacy(expected), holds) << expected;
  }
  EXPECT_THAT(CheckLegacy(R"({"n": {"Exists": true}})"),
              HasSubstr("Value must be provided when Exists is true"));
  EXPECT_THAT(CheckLegacy(R"({"n": {"Exists": false, "Value": {"N": "1"}}})"),
              HasSubstr("Value cannot be used when Exists is false"));
  EXPECT_THAT(CheckLegacy(R"({"n": {"ComparisonOperator": "XX"}})"),
              HasSubstr("enum value set"));
  EXPECT_THAT(CheckLegacy(R"({"n": {"ComparisonOperator": "EQ"}})"),
              HasSubstr("Invalid number of argument(s) for the EQ"));
  EXPECT_THAT(CheckLegacy(R"({"n": {"ComparisonOperator": "LT",
                                    "Value": {"BOOL": true}}})"),
              HasSubstr("not valid for BOOL"));
}

TEST(LegacyParametersTest, ConditionsAreJoinedAsTheOperatorSays) {
  const auto condition = ParseLegacyCondition(
      Json::parse(R"({"ConditionalOperator": "OR", "Expected": {
        "n": {"Value": {"N": "1"}}, "s": {"Value": {"S": "text"}}}})"),
      "Expected");
  ASSERT_OK(condition);
  EXPECT_TRUE(Holds(**condition, ItemOf(kItem)));
  EXPECT_FALSE(Holds(**condition, {}));
}

TEST(LegacyParametersTest, AttributeUpdatesPutAddAndDelete) {
  const auto apply = [](const std::string& updates) {
    const auto update = ParseAttributeUpdates(
        Json::parse("{\"AttributeUpdates\": " + updates + "}"));
    if (!update.ok()) return std::string(update.status().message());
    Item item = ItemOf(
        R"({"n": {"N": "5"}, "ss": {"SS": ["a", "b"]}, "s": {"S": ""}})");
    const absl::Status applied = ApplyUpdate(**update, &item);
    return applied.ok() ? ToJson(item).dump() : std::string(applied.message());
  };
  EXPECT_EQ(apply(R"({"n": {"Action": "ADD", "Value": {"N": "1"}},
                      "s": {"Action": "DELETE"},
                      "ss": {"Action": "DELETE", "Value": {"SS": ["a"]}},
                      "new": {"Value": {"S": "x"}},
                      "gone": {"Action": "DELETE"}})"),
            R"({"n":{"N":"6"},"new":{"S":"x"},"ss":{"SS":["b"]}})");
  EXPECT_THAT(apply(R"({"n": {"Action": "PUT"}})"), HasSubstr("Only DELETE"));
  EXPECT_THAT(apply(R"({"n": {"Action": "X", "Value": {"N": "1"}}})"),
              HasSubstr("[ADD, DELETE, PUT]"));
  EXPECT_THAT(apply(R"({"n": {"Action": "ADD", "Value": {"S": "1"}}})"),
              HasSubstr("ADD action is not supported for the type S"));
  EXPECT_THAT(apply(R"({"n": {"Action": "DELETE", "Value": {"S": "1"}}})"),
              HasSubstr("not supported for the type S"));
}

}  // namespace
}  // namespace trireme::dynamodb
