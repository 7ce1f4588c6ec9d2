#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/error.h"
#include "client/event_filter.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace trireme::client {
namespace {

using testing::HasSubstr;

UserRecord RecordWith(const std::string& data) {
  UserRecord record;
  record.position = {std::string(56, '7'), 0};
  record.approximate_arrival_timestamp = absl::FromUnixSeconds(1'700'000'000);
  record.partition_key = "orders-7";
  record.data = data;
  return record;
}

std::string RefusalOf(const std::vector<std::string>& patterns) {
  const auto filter = EventFilter::Parse(patterns);
  if (filter.ok()) return "";
  EXPECT_EQ(filter.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Reason(filter.status()), "InvalidArgumentException");
  return std::string(filter.status().message());
}

struct Row {
  std::string pattern;
  std::string data;
  bool matches;
};

void Check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const std::vector<std::string> patterns = {row.pattern};
    const auto filter = EventFilter::Parse(patterns);
    ASSERT_TRUE(filter.ok()) << row.pattern << ": " << filter.status();
    EXPECT_EQ(filter->Matches(RecordWith(row.data)), row.matches)
        << row.pattern << " on " << row.data;
  }
}

// `test` as the only element of a list under data.a.
std::string OnA(const std::string& test) {
  return absl::StrCat(R"({"data": {"a": [)", test, "]}}");
}

TEST(EventFilterTest, ValuesAreEqualByType) {
  Check({{OnA(R"("x")"), R"({"a": "x"})", true},
         {OnA(R"("x")"), R"({"a": "X"})", false},
         {OnA(R"("x")"), R"({"b": "x"})", false},
         {OnA(R"("x", "y")"), R"({"a": "y"})", true},
         {OnA("5"), R"({"a": 5})", true},
         {OnA("5"), R"({"a": 5.0})", true},
         {OnA("5"), R"({"a": "5"})", false},
         {OnA("true"), R"({"a": true})", true},
         {OnA("true"), R"({"a": 1})", false},
         {OnA("null"), R"({"a": null})", true},
         {OnA("null"), R"({})", false},
         {OnA(R"("")"), R"({"a": ""})", true}});
}

TEST(EventFilterTest, PartsOfTexts) {
  Check(
      {{OnA(R"({"prefix": "ab"})"), R"({"a": "abc"})", true},
       {OnA(R"({"prefix": "ab"})"), R"({"a": "xab"})", false},
       {OnA(R"({"prefix": "1"})"), R"({"a": 12})", false},
       {OnA(R"({"suffix": ".png"})"), R"({"a": "x.png"})", true},
       {OnA(R"({"suffix": ".png"})"), R"({"a": "x.PNG"})", false},
       {OnA(R"({"suffix": {"equals-ignore-case": ".png"}})"),
        R"({"a": "x.PNG"})", true},
       {OnA(R"({"prefix": {"equals-ignore-case": "AB"}})"), R"({"a": "abc"})",
        true},
       {OnA(R"({"equals-ignore-case": "aLiCe"})"), R"({"a": "AlIcE"})", true},
       {OnA(R"({"equals-ignore-case": "alice"})"), R"({"a": "alic"})", false}});
}

TEST(EventFilterTest, Numbers) {
  Check({{OnA(R"({"numeric": ["=", 3.018e2]})"), R"({"a": 301.8})", true},
         {OnA(R"({"numeric": [">", 0, "<=", 5]})"), R"({"a": 5})", true},
         {OnA(R"({"numeric": [">", 0, "<=", 5]})"), R"({"a": 0})", false},
         {OnA(R"({"numeric": [">", 0, "<=", 5]})"), R"({"a": 5.1})", false},
         {OnA(R"({"numeric": ["<", -1]})"), R"({"a": -2})", true},
         {OnA(R"({"numeric": [">=", 2]})"), R"({"a": 2})", true},
         {OnA(R"({"numeric": ["=", 2]})"), R"({"a": "2"})", false},
         {OnA(R"({"numeric": ["=", 2]})"), R"({})", false}});
}

TEST(EventFilterTest, AnythingBut) {
  Check(
      {{OnA(R"({"anything-but": "x"})"), R"({"a": "y"})", true},
       {OnA(R"({"anything-but": "x"})"), R"({"a": "x"})", false},
       {OnA(R"({"anything-but": "x"})"), R"({"a": 1})", true},
       {OnA(R"({"anything-but": "x"})"), R"({})", false},
       {OnA(R"({"anything-but": ["x", 2]})"), R"({"a": 2})", false},
       {OnA(R"({"anything-but": ["x", 2]})"), R"({"a": 3})", true},
       {OnA(R"({"anything-but": {"prefix": "ab"}})"), R"({"a": "abc"})", false},
       {OnA(R"({"anything-but": {"prefix": "ab"}})"), R"({"a": "b"})", true},
       {OnA(R"({"anything-but": {"suffix": ["x", "y"]}})"), R"({"a": "ay"})",
        false},
       {OnA(R"({"anything-but": {"equals-ignore-case": "x"}})"),
        R"({"a": "X"})", false}});
}

TEST(EventFilterTest, WhatExists) {
  Check({{OnA(R"({"exists": true})"), R"({"a": null})", true},
         {OnA(R"({"exists": true})"), R"({"b": 1})", false},
         {OnA(R"({"exists": false})"), R"({"b": 1})", true},
         {OnA(R"({"exists": false})"), R"({"a": 1})", false},
         {OnA(R"({"exists": false}, "x")"), R"({"a": "x"})", true},
         {R"({"data": {"a": {"b": [{"exists": false}]}}})", R"({})", true},
         // Data that is not JSON matches no pattern that looks into it.
         {OnA(R"({"exists": false})"), "no JSON", false}});
}

TEST(EventFilterTest, ObjectsNestAndAllFieldsMustMatch) {
  const std::string pattern = R"({"data": {"a": {"b": [1]}, "c": [2]}})";
  Check({{pattern, R"({"a": {"b": 1}, "c": 2, "d": 3})", true},
         {pattern, R"({"a": {"b": 1}, "c": 3})", false},
         {pattern, R"({"a": {"b": 2}, "c": 2})", false},
         {pattern, R"({"a": 1, "c": 2})", false}});
}

TEST(EventFilterTest, OneElementOfAnArrayMustMatch) {
  const std::string inside = R"({"data": {"a": {"b": [1], "c": [2]}}})";
  Check({{OnA("2"), R"({"a": [1, 2, 3]})", true},
         {OnA("2"), R"({"a": [1, 3]})", false},
         {OnA("2"), R"({"a": []})", false},
         {OnA("2"), R"({"a": [[1], [2]]})", true},
         {OnA(R"({"anything-but": 1})"), R"({"a": [1, 2]})", true},
         {inside, R"({"a": [{"b": 1, "c": 2}, {}]})", true},
         // Not one of them both.
         {inside, R"({"a": [{"b": 1}, {"c": 2}]})", false}});
}

TEST(EventFilterTest, OneSideOfAnOrMustMatch) {
  const std::string pattern =
      R"({"data": {"k": [1], "$or": [{"a": [1]}, {"b": [{"prefix": "x"}]}]}})";
  Check({{pattern, R"({"k": 1, "a": 1})", true},
         {pattern, R"({"k": 1, "b": "xy"})", true},
         {pattern, R"({"k": 1, "a": 2, "b": "y"})", false},
         {pattern, R"({"k": 2, "a": 1})", false},
         {R"({"$or": [{"data": {"a": [1]}}, {"partitionKey": ["orders-7"]}]})",
          "no JSON", true}});
}

TEST(EventFilterTest, Metadata) {
  Check({{R"({"partitionKey": [{"prefix": "orders-"}]})", "no JSON", true},
         {R"({"partitionKey": ["other"]})", "{}", false},
         {absl::StrCat(R"({"sequenceNumber": [")", std::string(56, '7'),
                       R"("]})"),
          "", true},
         {R"({"approximateArrivalTimestamp": [{"numeric": [">=", 17e8]}]})", "",
          true},
         {R"({"subSequenceNumber": [0], "data": {"a": [1]}})", R"({"a": 1})",
          true}});
}

TEST(EventFilterTest, DataAsText) {
  Check({{R"({"data": ["hello"]})", "hello", true},
         {R"({"data": [{"prefix": "ERROR"}]})", "ERROR: disk", true},
         {R"({"data": [{"prefix": "ERROR"}]})", "INFO", false},
         {R"({"data": [{"prefix": "x"}]})", "x\xff", true}});
}

TEST(EventFilterTest, DataThatIsNotJsonDoesNotMatch) {
  const std::string deep =
      std::string(100'000, '[') + std::string(100'000, ']');
  Check({{OnA("1"), "", false},
         {OnA("1"), R"({"a": 1)", false},
         {OnA("1"), R"({"a": 1} trailing)", false},
         {OnA("1"), "{\"a\": 1, \"b\": \"\xff\"}", false},
         {OnA("1"), deep, false},
         {OnA("1"), R"({"a": 1, "b": 1e999})", false},
         {OnA("1"), R"([{"a": 1}])", true}});
}

TEST(EventFilterTest, OneOfThePatternsMustMatch) {
  const std::vector<std::string> patterns = {OnA("1"), OnA("2")};
  const auto filter = EventFilter::Parse(patterns);
  ASSERT_TRUE(filter.ok());
  EXPECT_TRUE(filter->Matches(RecordWith(R"({"a": 2})")));
  EXPECT_FALSE(filter->Matches(RecordWith(R"({"a": 3})")));
  EXPECT_TRUE(EventFilter::Parse({})->Matches(RecordWith("anything")));
}

TEST(EventFilterTest, RefusalsNameThePlace) {
  EXPECT_EQ(RefusalOf({OnA("1"), R"({"data": {"a": {"b": [{"like": 1}]}}})"}),
            "filters[1]: data.a.b[0].like: is no test; those are prefix, "
            "suffix, anything-but, numeric, exists, equals-ignore-case");
  EXPECT_EQ(RefusalOf({R"({"a")"}), "filters[0]: is not JSON from byte 5 on");
  EXPECT_EQ(RefusalOf({"[]"}), "filters[0]: pattern: must be an object");
  EXPECT_EQ(RefusalOf({"{}"}),
            "filters[0]: pattern: is empty; it names no field");
  EXPECT_EQ(RefusalOf({R"({"data": {"a": 1}})"}),
            "filters[0]: data.a: must be a list of values, or an object");
  EXPECT_EQ(RefusalOf({OnA("")}),
            "filters[0]: data.a: is empty; nothing matches it");
  EXPECT_THAT(RefusalOf({R"({"dta": [1]})"}),
              HasSubstr("dta: is no field of a record"));
  EXPECT_THAT(RefusalOf({OnA("[1]")}), HasSubstr("data.a[0]: a list in a"));
  EXPECT_THAT(RefusalOf({OnA(R"({"prefix": "a", "suffix": "b"})")}),
              HasSubstr("data.a[0]: has 2 names; a test has one"));
  EXPECT_THAT(RefusalOf({OnA(R"({"prefix": 1})")}),
              HasSubstr("data.a[0].prefix: must be a text"));
  EXPECT_THAT(RefusalOf({OnA(R"({"exists": 1})")}),
              HasSubstr("data.a[0].exists: must be true or false"));
  EXPECT_THAT(RefusalOf({OnA(R"({"numeric": [">"]})")}),
              HasSubstr("data.a[0].numeric: must be a list"));
  EXPECT_THAT(RefusalOf({OnA(R"({"numeric": ["!", 1]})")}),
              HasSubstr("data.a[0].numeric[0]: must be one of"));
  EXPECT_THAT(RefusalOf({OnA(R"({"numeric": [">", "1"]})")}),
              HasSubstr("data.a[0].numeric[1]: must be a number"));
  EXPECT_THAT(RefusalOf({OnA(R"({"anything-but": []})")}),
              HasSubstr("data.a[0].anything-but: is empty"));
  EXPECT_THAT(RefusalOf({OnA(R"({"anything-but": {"prefix": [1]}})")}),
              HasSubstr("data.a[0].anything-but.prefix[0]: must be a text"));
  EXPECT_THAT(RefusalOf({R"({"$or": [{"partitionKey": []}]})"}),
              HasSubstr("$or[0].partitionKey: is empty"));
  EXPECT_THAT(RefusalOf({R"({"$or": {}})"}),
              HasSubstr("$or: must be a list of objects"));
}

TEST(EventFilterTest, LimitsOfPatterns) {
  EXPECT_EQ(RefusalOf(std::vector<std::string>(5, OnA("1"))), "");
  EXPECT_EQ(RefusalOf(std::vector<std::string>(6, OnA("1"))),
            "filters has 6 patterns; at most 5 are allowed");
  const std::string shell = OnA(R"("")");
  std::string text;
  while (text.size() / 2 < 4096 - shell.size()) text += "\xc3\xa9";
  EXPECT_EQ(RefusalOf({OnA(absl::StrCat("\"", text, "\""))}), "");
  EXPECT_EQ(RefusalOf({OnA(absl::StrCat("\"", text, "x\""))}),
            "filters[0]: has 4097 characters; at most 4096 are allowed");
  std::string deep;
  for (int i = 0; i < 70; ++i) deep += R"({"data":)";
  EXPECT_EQ(RefusalOf({deep}),
            "filters[0]: is 70 levels deep; at most 64 are allowed");
  EXPECT_EQ(RefusalOf({"\xff"}), "filters[0]: is not UTF-8");
}

}  // namespace
}  // namespace trireme::client
