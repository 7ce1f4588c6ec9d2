// Attribute values: from JSON and back, as bytes, as keys.
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/dynamodb/attribute_json.h"
#include "server/dynamodb/item_bytes.h"
#include "server/dynamodb/item_keys.h"
#include "server/dynamodb/json_fields.h"
#include "server/dynamodb/table_definition.h"
#include "tests/unit/state_fixture.h"

namespace trireme::dynamodb {
namespace {

using ::testing::HasSubstr;

std::string Error(const std::string& json) {
  const auto value = ParseAttribute(Json::parse(json));
  return value.ok() ? "none" : std::string(value.status().message());
}

Item ItemOf(const std::string& json) {
  const auto item = ParseItem(Json::parse(json));
  EXPECT_OK(item);
  return *item;
}

constexpr char kAllTypes[] = R"({
  "s": {"S": "text \u00e9"}, "n": {"N": "12.5"}, "b": {"B": "AAECAw=="},
  "t": {"BOOL": true}, "f": {"BOOL": false}, "0": {"NULL": true},
  "m": {"M": {"a": {"L": [{"S": "x"}, {"M": {}}]}, "": {"N": "1"}}},
  "l": {"L": []}, "ss": {"SS": ["a", "b"]}, "ns": {"NS": ["-1", "2", "10"]},
  "bs": {"BS": ["AA==", "AQ=="]}, "e": {"S": ""}})";

TEST(AttributeJsonTest, WhatIsParsedComesBack) {
  const Json json = Json::parse(kAllTypes);
  EXPECT_EQ(ToJson(ItemOf(kAllTypes)), json);
}

TEST(AttributeJsonTest, NumbersAndSetsAreWhatTheyMean) {
  EXPECT_EQ(ItemOf(R"({"a": {"N": "1.0"}, "b": {"NS": ["2", "10", "1e0"]}})"),
            ItemOf(R"({"a": {"N": "1"}, "b": {"NS": ["1", "10.0", "2"]}})"));
}

TEST(AttributeJsonTest, MalformedValuesAreRefusedInDynamoDbsWords) {
  EXPECT_THAT(Error("{}"), HasSubstr("AttributeValue is empty"));
  EXPECT_THAT(Error(R"({"X": "a"})"), HasSubstr("AttributeValue is empty"));
  EXPECT_THAT(Error(R"({"S": "a", "N": "1"})"),
              HasSubstr("more than one datatypes"));
  EXPECT_THAT(Error(R"({"N": "a"})"), HasSubstr("numeric value: a"));
  EXPECT_THAT(Error(R"({"N": 1})"),
              HasSubstr("NUMBER_VALUE cannot be converted to String"));
  EXPECT_THAT(Error(R"({"S": ["a"]})"), HasSubstr("Start of list"));
  EXPECT_THAT(Error(R"({"SS": []})"), HasSubstr("set  may not be empty"));
  EXPECT_THAT(Error(R"({"SS": ["a", "a"]})"),
              HasSubstr("Input collection [a, a] contains duplicates."));
  EXPECT_THAT(Error(R"({"NS": ["1", "1.0"]})"), HasSubstr("duplicates"));
  EXPECT_THAT(Error(R"({"NULL": false})"), HasSubstr("value of true"));
  EXPECT_THAT(Error(R"({"B": "%%"})"), HasSubstr("Base64"));
  EXPECT_THAT(Error(R"({"M": []})"), HasSubstr("map of AttributeValues"));
  EXPECT_THAT(Error(R"("a")"), HasSubstr("structure"));
}

TEST(AttributeJsonTest, NestingIsBounded) {
  const auto nested = [](int depth) {
    std::string json = R"({"S": "a"})";
    for (int i = 0; i < depth; ++i) json = R"({"L": [)" + json + "]}";
    return json;
  };
  EXPECT_EQ(Error(nested(32)), "none");
  EXPECT_THAT(Error(nested(33)), HasSubstr("Nesting Levels"));
}

TEST(ItemBytesTest, WhatIsEncodedComesBack) {
  const Item item = ItemOf(kAllTypes);
  const std::string bytes = EncodeItem(item);
  const auto decoded = DecodeItem(bytes);
  ASSERT_OK(decoded);
  EXPECT_EQ(*decoded, item);
  for (const auto& [name, value] : item) {
    EXPECT_EQ(FindAttribute(bytes, name), value) << name;
  }
  EXPECT_EQ(FindAttribute(bytes, "none"), std::nullopt);
  EXPECT_EQ(DecodeItem("")->size(), 0u);
}

TEST(ItemBytesTest, DamagedBytesAreRefusedOrAnotherItem) {
  const std::string bytes = EncodeItem(ItemOf(kAllTypes));
  std::mt19937 random(7);
  for (int i = 0; i < 5'000; ++i) {
    std::string damaged = bytes.substr(0, random() % (bytes.size() + 1));
    if (!damaged.empty() && i % 2 == 0) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    const auto decoded = DecodeItem(damaged);
    EXPECT_TRUE(decoded.ok() || absl::IsDataLoss(decoded.status()));
    (void)FindAttribute(damaged, "m");
  }
}

Table LeasesByOwner() {
  Table table;
  table.definition.key = {{"owner", AttributeType::kString},
                          {"number", AttributeType::kNumber}};
  return table;
}

TEST(ItemKeysTest, KeysSortByHashThenByRange) {
  const Table table = LeasesByOwner();
  const std::vector<std::string> ascending = {
      R"({"owner": {"S": "a"}, "number": {"N": "-10"}})",
      R"({"owner": {"S": "a"}, "number": {"N": "9"}})",
      R"({"owner": {"S": "a"}, "number": {"N": "10"}})",
      R"({"owner": {"S": "a\u0000"}, "number": {"N": "0"}})",
      R"({"owner": {"S": "a\u0000b"}, "number": {"N": "0"}})",
      R"({"owner": {"S": "a\u0001"}, "number": {"N": "0"}})",
      R"({"owner": {"S": "ab"}, "number": {"N": "-100"}})",
      R"({"owner": {"S": "b"}, "number": {"N": "0"}})",
  };
  for (size_t i = 0; i + 1 < ascending.size(); ++i) {
    EXPECT_LT(*KeyBytes(table, ItemOf(ascending[i])),
              *KeyBytes(table, ItemOf(ascending[i + 1])))
        << ascending[i];
  }
}

TEST(ItemKeysTest, KeysThatDoNotFitAreRefused) {
  const Table table = LeasesByOwner();
  const auto key = [&table](const std::string& json) {
    const auto bytes = KeyBytes(table, ItemOf(json));
    return bytes.ok() ? "none" : std::string(bytes.status().message());
  };
  const auto item = [&table](const std::string& json) {
    const auto bytes = KeyBytesOfItem(table, ItemOf(json));
    return bytes.ok() ? "none" : std::string(bytes.status().message());
  };
  for (const char* json :
       {R"({"owner": {"S": "a"}})",
        R"({"owner": {"S": "a"}, "number": {"S": "1"}})",
        R"({"owner": {"S": "a"}, "number": {"N": "1"}, "x": {"N": "1"}})"}) {
    EXPECT_EQ(key(json), "The provided key element does not match the schema");
  }
  EXPECT_THAT(key(R"({"owner": {"S": ""}, "number": {"N": "1"}})"),
              HasSubstr("empty string value. Key: owner"));
  EXPECT_THAT(item(R"({"owner": {"S": "a"}})"),
              HasSubstr("Missing the key number in the item"));
  EXPECT_THAT(item(R"({"owner": {"N": "1"}, "number": {"N": "1"}})"),
              HasSubstr("key owner expected: S actual: N"));
  EXPECT_EQ(item(R"({"owner": {"S": "a"}, "number": {"N": "1"},
                     "x": {"N": "1"}})"),
            "none");
}

TEST(TableDefinitionTest, WhatIsEncodedComesBackAndDamageIsRefused) {
  TableDefinition definition;
  definition.key = {{"leaseKey", AttributeType::kString}};
  definition.attributes = definition.key;
  definition.indexes.push_back(
      {"byOwner", definition.key, Projection::kInclude, {"a", "b"}, {1, 2}});
  definition.tags = {{"k", "v"}};
  definition.deletion_protection = true;
  definition.throughput = {10, 20};
  const std::string bytes = EncodeDefinition(definition);
  const auto decoded = DecodeDefinition(bytes);
  ASSERT_OK(decoded);
  EXPECT_EQ(EncodeDefinition(*decoded), bytes);
  EXPECT_EQ(decoded->FindIndex("byOwner")->projected.size(), 2u);
  EXPECT_EQ(decoded->FindIndex("other"), nullptr);
  EXPECT_TRUE(absl::IsDataLoss(DecodeDefinition("").status()));
  EXPECT_TRUE(absl::IsDataLoss(DecodeDefinition("\xff").status()));
}

}  // namespace
}  // namespace trireme::dynamodb
