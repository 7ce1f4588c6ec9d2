// Calls of the DynamoDB front end beyond those of KCL: what is refused, and the
// rest of tables, batches, queries and transactions.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/limits.h"
#include "tests/unit/dynamodb_fixture.h"

namespace trireme::dynamodb {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class DynamoDbCallsTest : public DynamoDbTest {
 protected:
  // Events by device (S) and time (N), and by kind.
  void CreateEvents() {
    Ok("CreateTable", R"({"TableName": "events",
      "KeySchema": [{"AttributeName": "device", "KeyType": "HASH"},
                    {"AttributeName": "time", "KeyType": "RANGE"}],
      "AttributeDefinitions": [
        {"AttributeName": "device", "AttributeType": "S"},
        {"AttributeName": "time", "AttributeType": "N"},
        {"AttributeName": "kind", "AttributeType": "S"}],
      "GlobalSecondaryIndexes": [{"IndexName": "byKind",
        "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "INCLUDE",
                       "NonKeyAttributes": ["note"]}}],
      "BillingMode": "PAY_PER_REQUEST"})");
  }
  void PutEvent(const std::string& device, int time,
                const std::string& more = "") {
    Ok("PutItem", R"({"TableName": "events", "Item": {"device": {"S": ")" +
                      device + R"("}, "time": {"N": ")" + std::to_string(time) +
                      R"("})" + more + "}}");
  }
  std::vector<int> TimesOf(const Json& reply) {
    std::vector<int> times;
    for (const Json& item : reply["Items"]) {
      times.push_back(std::stoi(item["time"]["N"].get<std::string>()));
    }
    return times;
  }
  std::string Query(const std::string& more) {
    return R"({"TableName": "events")" + more + "}";
  }
};

TEST_F(DynamoDbCallsTest, WhatIsNotOfferedOrNoRequestIsRefused) {
  const Reply unknown = Call("CreateBackup", "{}");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_EQ(unknown.type(), "UnknownOperationException");
  EXPECT_THAT(unknown.message(), HasSubstr("CreateBackup"));
  EXPECT_THAT(Error("GetItem", R"({"TableName": 5})"),
              StartsWith("SerializationException: NUMBER_VALUE"));
  EXPECT_THAT(Error("GetItem", "{}"), HasSubstr("Value null at 'tableName'"));
  EXPECT_THAT(Error("GetItem", R"({"TableName": "ab"})"),
              HasSubstr("greater than or equal to 3"));
  EXPECT_EQ(Error("GetItem", R"({"TableName": "none", "Key": {}})"),
            "ResourceNotFoundException: Requested resource not found");
  EXPECT_EQ(Error("PutItem", R"({"TableName": "none", "Item": {}})"),
            "ResourceNotFoundException: Requested resource not found");
  EXPECT_THAT(Error("PutItem", R"({"TableName": "none"})"),
              HasSubstr("Value null at 'item'"));
}

TEST_F(DynamoDbCallsTest, ErrorsOfTheClusterAreTheServers) {
  CreateEvents();
  node_.replicas.refuse_with.push_back(
      MakeError(ErrorReason::kOutcomeUnknown, "who knows"));
  const Reply reply = Call("PutItem", R"({"TableName": "events", "Item":
    {"device": {"S": "a"}, "time": {"N": "1"}}})");
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.type(), "InternalServerError");
  node_.replicas.barrier_status = MakeError(ErrorReason::kNoLeader, "none");
  EXPECT_EQ(Call("ListTables", "{}").status, 500);
}

TEST_F(DynamoDbCallsTest, TablesAreListedChangedAndDeleted) {
  CreateEvents();
  for (const char* name : {"aaa", "bbb", "ccc"}) {
    Ok("CreateTable", std::string(R"({"TableName": ")") + name + R"(",
      "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
      "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
      "BillingMode": "PAY_PER_REQUEST", "DeletionProtectionEnabled": true})");
  }
  Json page = Ok("ListTables", R"({"Limit": 3})");
  EXPECT_EQ(page["TableNames"], Json::parse(R"(["aaa", "bbb", "ccc"])"));
  page = Ok(
      "ListTables",
      Json{{"ExclusiveStartTableName", page["LastEvaluatedTableName"]}}.dump());
  EXPECT_EQ(page["TableNames"], Json::parse(R"(["events"])"));
  EXPECT_FALSE(page.contains("LastEvaluatedTableName"));

  EXPECT_THAT(Error("DeleteTable", R"({"TableName": "aaa"})"),
              HasSubstr("currently protected against deletion"));
  Ok("UpdateTable",
     R"({"TableName": "aaa", "DeletionProtectionEnabled": false})");
  EXPECT_EQ(Ok("DeleteTable",
               R"({"TableName": "aaa"})")["TableDescription"]["TableStatus"],
            "DELETING");
  EXPECT_EQ(Error("DeleteTable", R"({"TableName": "aaa"})"),
            "ResourceNotFoundException: Requested resource not found: Table: "
            "aaa not found");

  Ok("UpdateTable", R"({"TableName": "events", "GlobalSecondaryIndexUpdates":
    [{"Delete": {"IndexName": "byKind"}}]})");
  const Json table = Ok("DescribeTable", R"({"TableName": "events"})")["Table"];
  EXPECT_FALSE(table.contains("GlobalSecondaryIndexes"));
  EXPECT_EQ(table["AttributeDefinitions"].size(), 2u);
  EXPECT_THAT(Error("UpdateTable", R"({"TableName": "events",
    "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "byKind"}}]})"),
              StartsWith("ResourceNotFoundException"));
  Ok("UpdateTable", R"({"TableName": "events", "BillingMode": "PROVISIONED",
    "ProvisionedThroughput": {"ReadCapacityUnits": 5,
                              "WriteCapacityUnits": 6}})");
  EXPECT_EQ(Ok("DescribeTable",
               R"({"TableName": "events"})")["Table"]["ProvisionedThroughput"]
                                            ["WriteCapacityUnits"],
            6);
}

TEST_F(DynamoDbCallsTest, DefinitionsThatAreNoneAreRefused) {
  const auto create = [this](const std::string& key,
                             const std::string& attributes,
                             const std::string& more) {
    return Error("CreateTable", R"({"TableName": "new", "KeySchema": [)" + key +
                                    R"(], "AttributeDefinitions": [)" +
                                    attributes + "]" + more + "}");
  };
  const std::string hash = R"({"AttributeName": "k", "KeyType": "HASH"})";
  const std::string string = R"({"AttributeName": "k", "AttributeType": "S"})";
  const std::string billing = R"(, "BillingMode": "PAY_PER_REQUEST")";
  EXPECT_THAT(create("", string, billing), HasSubstr("'keySchema'"));
  EXPECT_THAT(create(hash, "", billing),
              HasSubstr("not defined in AttributeDefinitions"));
  EXPECT_THAT(
      create(hash, R"({"AttributeName": "k", "AttributeType": "M"})", billing),
      HasSubstr("[B, N, S]"));
  EXPECT_THAT(
      create(hash, string + R"(, {"AttributeName": "x", "AttributeType": "S"})",
             billing),
      HasSubstr("Some AttributeDefinitions are not used"));
  EXPECT_THAT(create(hash + "," + hash, string, billing),
              HasSubstr("not a RANGE key type"));
  EXPECT_THAT(create(hash, string, ""),
              HasSubstr("must both be specified when BillingMode is "
                        "PROVISIONED"));
  EXPECT_THAT(create(hash, string, R"(, "BillingMode": "FREE")"),
              HasSubstr("'billingMode'"));
  EXPECT_THAT(
      create(hash, string, billing + R"(, "LocalSecondaryIndexes": [])"),
      HasSubstr("local secondary indexes"));
  EXPECT_THAT(create(hash, string,
                     billing + R"(, "GlobalSecondaryIndexes": [{
        "IndexName": "idx", "KeySchema": [)" +
                         hash + R"(],
        "Projection": {"ProjectionType": "SOME"}}])"),
              HasSubstr("Unknown ProjectionType: SOME"));
}

TEST_F(DynamoDbCallsTest, TablesAreLimitedInNumber) {
  for (uint32_t i = 0; i <= kTablesMax; ++i) {
    const Reply reply = Call(
        "CreateTable", R"({"TableName": "table-)" + std::to_string(i) + R"(",
      "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
      "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
      "BillingMode": "PAY_PER_REQUEST"})");
    EXPECT_EQ(reply.type(), i < kTablesMax ? "" : "LimitExceededException");
  }
}

TEST_F(DynamoDbCallsTest, TagsComeAndGo) {
  CreateEvents();
  const std::string arn =
      R"("ResourceArn":
         "arn:aws:dynamodb:us-east-1:000000000000:table/events")";
  Ok("TagResource", "{" + arn + R"(, "Tags": [{"Key": "a", "Value": "1"},
                                            {"Key": "b", "Value": "2"}]})");
  Ok("UntagResource", "{" + arn + R"(, "TagKeys": ["a", "none"]})");
  EXPECT_EQ(Ok("ListTagsOfResource", "{" + arn + "}")["Tags"],
            Json::parse(R"([{"Key": "b", "Value": "2"}])"));
  Json many = Json::array();
  for (int i = 0; i < 51; ++i) {
    many.push_back({{"Key", std::to_string(i)}, {"Value", ""}});
  }
  EXPECT_THAT(
      Error("TagResource", "{" + arn + R"(, "Tags": )" + many.dump() + "}"),
      StartsWith("ValidationException"));
  EXPECT_EQ(Ok("DescribeTimeToLive",
               R"({"TableName": "events"})")["TimeToLiveDescription"]
                                            ["TimeToLiveStatus"],
            "DISABLED");
  EXPECT_EQ(Ok("DescribeContinuousBackups",
               R"({"TableName": "events"})")["ContinuousBackupsDescription"]
                                            ["ContinuousBackupsStatus"],
            "DISABLED");
}

TEST_F(DynamoDbCallsTest, QueryFindsARangeInItsOrder) {
  CreateEvents();
  for (const int time : {10, 9, -5, 100, 0}) PutEvent("a", time);
  PutEvent("b", 7);
  const auto query = [this](const std::string& condition,
                            const std::string& values,
                            const std::string& more = "") {
    return TimesOf(Ok(
        "Query",
        Query(R"(, "KeyConditionExpression": "device = :d)" + condition +
              R"(", "ExpressionAttributeValues": {":d": {"S": "a"})" + values +
              R"(}, "ExpressionAttributeNames": {"#t": "time"})" + more)));
  };
  EXPECT_EQ(query(" AND #t > :x", R"(, ":x": {"N": "0"})"),
            (std::vector<int>{9, 10, 100}));
  EXPECT_EQ(query(" AND #t BETWEEN :x AND :y",
                  R"(, ":x": {"N": "-5"}, ":y": {"N": "9"})"),
            (std::vector<int>{-5, 0, 9}));
  EXPECT_EQ(query(" AND #t <= :x", R"(, ":x": {"N": "9"})",
                  R"(, "ScanIndexForward": false)"),
            (std::vector<int>{9, 0, -5}));
  EXPECT_EQ(query(" AND #t = :x", R"(, ":x": {"N": "100"})"),
            (std::vector<int>{100}));
  // As before there were expressions.
  EXPECT_EQ(TimesOf(Ok("Query", Query(R"(, "KeyConditions": {
      "device": {"ComparisonOperator": "EQ",
                 "AttributeValueList": [{"S": "a"}]},
      "time": {"ComparisonOperator": "LT",
               "AttributeValueList": [{"N": "5"}]}})"))),
            (std::vector<int>{-5, 0}));
}

TEST_F(DynamoDbCallsTest, QueryGoesOnWhereAPageEnded) {
  CreateEvents();
  for (int time = 0; time < 20; ++time) PutEvent("a", time);
  for (const bool forward : {true, false}) {
    Json request = Json::parse(R"({"TableName": "events", "Limit": 6,
      "KeyConditionExpression": "device = :d",
      "ExpressionAttributeValues": {":d": {"S": "a"}}})");
    request["ScanIndexForward"] = forward;
    std::vector<int> times;
    int pages = 0;
    while (true) {
      const Json page = Ok("Query", request.dump());
      ++pages;
      for (const int time : TimesOf(page)) times.push_back(time);
      if (!page.contains("LastEvaluatedKey")) break;
      request["ExclusiveStartKey"] = page["LastEvaluatedKey"];
    }
    EXPECT_EQ(pages, 4);
    ASSERT_EQ(times.size(), 20u);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(times[i], forward ? i : 19 - i);
  }
  EXPECT_THAT(Error("Query", R"({"TableName": "events",
    "KeyConditionExpression": "device = :d",
    "ExpressionAttributeValues": {":d": {"S": "a"}},
    "ExclusiveStartKey": {"device": {"S": "b"}, "time": {"N": "1"}}})"),
              HasSubstr("provided starting key is invalid"));
}

TEST_F(DynamoDbCallsTest, APageEndsAtAMebibyte) {
  CreateEvents();
  for (int time = 0; time < 6; ++time) {
    PutEvent("a", time,
             R"(, "note": {"S": ")" + std::string(300'000, 'x') + R"("})");
  }
  Json request = Json::parse(R"({"TableName": "events"})");
  const Json first = Ok("Scan", request.dump());
  EXPECT_EQ(first["Count"], 4);
  request["ExclusiveStartKey"] = first["LastEvaluatedKey"];
  const Json second = Ok("Scan", request.dump());
  EXPECT_EQ(second["Count"], 2);
  EXPECT_FALSE(second.contains("LastEvaluatedKey"));
}

TEST_F(DynamoDbCallsTest, AnIndexHoldsWhatItProjects) {
  CreateEvents();
  PutEvent("a", 1, R"(, "kind": {"S": "x"}, "note": {"S": "n"},
                      "other": {"S": "o"})");
  PutEvent("b", 2, R"(, "kind": {"S": "x"})");
  PutEvent("c", 3);
  const Json found = Ok("Query", Query(R"(, "IndexName": "byKind",
    "KeyConditionExpression": "kind = :k",
    "ExpressionAttributeValues": {":k": {"S": "x"}})"));
  EXPECT_EQ(found["Items"][0], Json::parse(R"({"device": {"S": "a"},
    "time": {"N": "1"}, "kind": {"S": "x"}, "note": {"S": "n"}})"));
  EXPECT_EQ(found["Count"], 2);
  EXPECT_EQ(Ok("Scan", Query(R"(, "IndexName": "byKind")"))["Count"], 2);
  EXPECT_THAT(Error("Scan", Query(R"(, "IndexName": "none")")),
              HasSubstr("does not have the specified index: none"));
  EXPECT_THAT(Error("Query", Query(R"(, "IndexName": "byKind",
    "ConsistentRead": true, "KeyConditionExpression": "kind = :k",
    "ExpressionAttributeValues": {":k": {"S": "x"}})")),
              HasSubstr("Consistent reads are not supported"));
  EXPECT_THAT(Error("PutItem", R"({"TableName": "events", "Item":
    {"device": {"S": "a"}, "time": {"N": "1"}, "kind": {"N": "1"}}})"),
              HasSubstr("Type mismatch for Index Key kind Expected: S Actual: "
                        "N IndexName: byKind"));
}

TEST_F(DynamoDbCallsTest, QueriesThatAreNoneAreRefused) {
  CreateEvents();
  const auto query = [this](const std::string& condition) {
    return Error("Query", Query(R"(, "KeyConditionExpression": ")" + condition +
                                R"(", "ExpressionAttributeValues": {
      ":s": {"S": "a"}, ":n": {"N": "1"}})"));
  };
  EXPECT_THAT(query("time = :n"),
              HasSubstr("missed key schema element: device"));
  EXPECT_THAT(query("device = :s OR time = :n"),
              HasSubstr("Invalid operator used in KeyConditionExpression: OR"));
  EXPECT_THAT(query("device = :s AND time <> :n"),
              HasSubstr("KeyConditionExpression: <>"));
  EXPECT_THAT(query("device > :s AND time = :n"),
              HasSubstr("Query key condition not supported"));
  EXPECT_THAT(query("device = :s AND note = :n"),
              HasSubstr("missed key schema element: time"));
  EXPECT_THAT(query("device = :n AND time = :s"),
              HasSubstr("does not match schema type"));
  EXPECT_THAT(query("device = :s"), HasSubstr("keys: {:n}"));
  EXPECT_THAT(Error("Query", Query("")), HasSubstr("must be specified"));
  EXPECT_THAT(Error("Query", Query(R"(, "KeyConditions": {"device":
    {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]}},
    "FilterExpression": "a = b")")),
              HasSubstr("Can not use both expression and non-expression"));
  EXPECT_THAT(Error("Scan", Query(R"(, "Segment": 2, "TotalSegments": 2)")),
              HasSubstr("Segment: 2 is not less than TotalSegments: 2"));
  EXPECT_THAT(Error("Scan", Query(R"(, "Segment": 2)")),
              HasSubstr("TotalSegments parameter is required"));
  EXPECT_THAT(Error("Scan", Query(R"(, "Limit": 0)")), HasSubstr("'limit'"));
}

TEST_F(DynamoDbCallsTest, UpdatesReturnWhatIsAskedFor) {
  CreateEvents();
  const auto update = [this](const std::string& values) {
    return Ok("UpdateItem", R"({"TableName": "events",
      "Key": {"device": {"S": "a"}, "time": {"N": "1"}},
      "UpdateExpression": "SET m.x = :new, n = if_not_exists(n, :new) ",
              "ExpressionAttributeValues"
              : {":new" : {"N" : "2"}}, "ReturnValues"
              : ")" + values + R"("})");
  };
  const auto reset = [this] {
    PutEvent("a", 1, R"(, "m": {"M": {"x": {"N": "1"}, "y": {"N": "1"}}})");
  };
  reset();
  EXPECT_EQ(update("NONE"), Json::object());
  reset();
  EXPECT_EQ(update("UPDATED_OLD")["Attributes"],
            Json::parse(R"({"m": {"M": {"x": {"N": "1"}}}})"));
  reset();
  EXPECT_EQ(update("UPDATED_NEW")["Attributes"],
            Json::parse(R"({"m": {"M": {"x": {"N": "2"}}}, "n": {"N": "2"}})"));
  reset();
  EXPECT_EQ(update("ALL_OLD")["Attributes"].size(), 3u);
  EXPECT_EQ(update("ALL_NEW")["Attributes"].size(), 4u);
  EXPECT_THAT(Error("UpdateItem", R"({"TableName": "events",
    "Key": {"device": {"S": "a"}, "time": {"N": "1"}},
    "UpdateExpression": "SET device = :d",
    "ExpressionAttributeValues": {":d": {"S": "b"}}})"),
              HasSubstr("Cannot update attribute device. This attribute is "
                        "part of the key"));
  EXPECT_THAT(Error("UpdateItem", R"({"TableName": "events",
    "Key": {"device": {"S": "a"}, "time": {"N": "1"}},
    "UpdateExpression": "SET a = :d", "Expected": {"a": {"Exists": false}},
    "ExpressionAttributeValues": {":d": {"S": "b"}}})"),
              HasSubstr("Non-expression parameters: {Expected} Expression "
                        "parameters: {UpdateExpression, "
                        "ExpressionAttributeValues}"));
  // An update of what is not there makes it.
  EXPECT_EQ(Ok("UpdateItem", R"({"TableName": "events",
    "Key": {"device": {"S": "new"}, "time": {"N": "1"}},
    "ReturnValues": "ALL_NEW"})")["Attributes"]
                .size(),
            2u);
  const std::string put = R"({"TableName": "events", "Item":
    {"device": {"S": "a"}, "time": {"N": "1"}}, "ReturnValues": ")";
  EXPECT_EQ(Ok("PutItem", put + R"(ALL_OLD"})")["Attributes"].size(), 4u);
  EXPECT_THAT(Error("PutItem", put + R"(ALL_NEW"})"),
              HasSubstr("Return values set to invalid value"));
}

TEST_F(DynamoDbCallsTest, WhatIsTooLargeIsRefused) {
  CreateEvents();
  EXPECT_THAT(Error("PutItem", R"({"TableName": "events", "Item":
        {"device": {"S": "a"}, "time": {"N": "1"}, "x": {"S": ")" +
                                   std::string(410'000, 'x') + R"("}}})"),
              HasSubstr("Item size has exceeded the maximum allowed size"));
  EXPECT_THAT(Error("PutItem", R"({"TableName": "events", "Item":
        {"time": {"N": "1"}, "device": {"S": ")" +
                                   std::string(2049, 'x') + R"("}}})"),
              HasSubstr("hashkey has exceeded the maximum size limit"));
}

TEST_F(DynamoDbCallsTest, BatchesWriteAndReadMany) {
  CreateEvents();
  Json puts = Json::array();
  Json keys = Json::array();
  for (int i = 0; i < 25; ++i) {
    const Json key = {{"device", {{"S", "a"}}},
                      {"time", {{"N", std::to_string(i)}}}};
    Json item = key;
    item["note"] = {{"S", std::string(250'000, 'x')}};
    puts.push_back({{"PutRequest", {{"Item", item}}}});
    keys.push_back(key);
  }
  // More than goes into an entry of the log.
  EXPECT_EQ(Ok("BatchWriteItem", Json{{"RequestItems", {{"events", puts}}},
                                      {"ReturnConsumedCapacity", "TOTAL"}}
                                     .dump())["UnprocessedItems"],
            Json::object());
  const Json found =
      Ok("BatchGetItem", Json{{"RequestItems",
                               {{"events",
                                 {{"Keys", keys},
                                  {"ConsistentRead", true},
                                  {"ProjectionExpression", "device"}}}}}}
                             .dump());
  EXPECT_EQ(found["Responses"]["events"].size(), 25u);
  EXPECT_EQ(found["Responses"]["events"][0].size(), 1u);
  EXPECT_EQ(found["UnprocessedKeys"], Json::object());
  Ok("BatchWriteItem",
     Json{{"RequestItems",
           {{"events", {{{"DeleteRequest", {{"Key", keys[3]}}}}}}}}}
         .dump());
  EXPECT_EQ(Ok("Scan", R"({"TableName": "events", "Select": "COUNT",
    "FilterExpression": "attribute_exists(note) ",
    "Limit": 3})")["Count"],
            3);
  puts.push_back(puts[0]);
  EXPECT_THAT(Error("BatchWriteItem",
                    Json{{"RequestItems", {{"events", puts}}}}.dump()),
              HasSubstr("between 1 and 25"));
  EXPECT_THAT(
      Error("BatchWriteItem",
            Json{{"RequestItems", {{"events", {puts[0], puts[0]}}}}}.dump()),
      HasSubstr("contains duplicates"));
  EXPECT_THAT(Error("BatchGetItem", R"({"RequestItems": {}})"),
              HasSubstr("'requestItems'"));
}

TEST_F(DynamoDbCallsTest, TransactionsReadAndWriteAtOneMoment) {
  CreateEvents();
  PutEvent("a", 1, R"(, "n": {"N": "1"})");
  const auto key = [](int time) {
    return R"("TableName": "events", "Key": {"device": {"S": "a"},
      "time": {"N": ")" +
           std::to_string(time) + R"("}})";
  };
  Ok("TransactWriteItems", R"({"TransactItems": [
    {"Update": {)" + key(1) + R"(, "UpdateExpression": "ADD n :one",
      "ConditionExpression": "n = :one",
      "ExpressionAttributeValues": {":one": {"N": "1"}}}},
    {"Update": {)" + key(2) + R"(, "UpdateExpression": "ADD n :one",
      "ExpressionAttributeValues": {":one": {"N": "1"}}}}]})");
  const Json read = Ok("TransactGetItems", R"({"TransactItems": [
    {"Get": {)" + key(1) + R"(, "ProjectionExpression": "n"}},
    {"Get": {)" + key(2) + R"(}}, {"Get": {)" + key(3) +
                                               "}}]}");
  EXPECT_EQ(read["Responses"][0]["Item"], Json::parse(R"({"n": {"N": "2"}})"));
  EXPECT_EQ(read["Responses"][1]["Item"]["n"]["N"], "1");
  EXPECT_EQ(read["Responses"][2], Json::object());

  const Reply canceled = Call("TransactWriteItems", R"({"TransactItems": [
    {"ConditionCheck": {)" + key(1) + R"(, "ConditionExpression": "n = :one",
      "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
      "ExpressionAttributeValues": {":one": {"N": "1"}}}},
    {"Update": {)" + key(2) + R"(, "UpdateExpression": "SET n = n + x"}},
    {"Delete": {)" + key(3) + R"(}}]})");
  EXPECT_EQ(canceled.type(), "TransactionCanceledException");
  const Json& reasons = canceled.body["CancellationReasons"];
  EXPECT_EQ(reasons[0]["Code"], "ConditionalCheckFailed");
  EXPECT_EQ(reasons[0]["Item"]["n"]["N"], "2");
  EXPECT_EQ(reasons[1]["Code"], "ValidationError");
  EXPECT_EQ(reasons[2]["Code"], "None");
  EXPECT_THAT(Error("TransactWriteItems", R"({"TransactItems": [
    {"Delete": {)" + key(1) + R"(}}, {"Delete": {)" +
                                              key(1) + "}}]}"),
              HasSubstr("multiple operations on one item"));
  EXPECT_THAT(Error("TransactWriteItems", R"({"TransactItems": []})"),
              HasSubstr("between 1 and 100"));
  EXPECT_THAT(Error("TransactWriteItems", R"({"TransactItems": [{}]})"),
              HasSubstr("should contain"));
}

TEST_F(DynamoDbCallsTest, CapacityIsToldAsNone) {
  CreateEvents();
  const Json reply = Ok("GetItem", R"({"TableName": "events",
    "Key": {"device": {"S": "a"}, "time": {"N": "1"}},
    "ReturnConsumedCapacity": "TOTAL"})");
  EXPECT_EQ(reply["ConsumedCapacity"]["TableName"], "events");
  EXPECT_EQ(reply["ConsumedCapacity"]["CapacityUnits"], 0.0);
}

// A condition is refused by what is so now, not by what this node had heard.
TEST_F(DynamoDbCallsTest, AConditionThatFailsIsLookedAtAgain) {
  CreateEvents();
  const int barriers = node_.replicas.barriers;
  // What comes to this node only while it waits for the barrier.
  node_.replicas.at_barrier = [this](GroupId) {
    node_.replicas.at_barrier = nullptr;
    PutEvent("a", 1, R"(, "n": {"N": "1"})");
  };
  Ok("UpdateItem", R"({"TableName": "events",
    "Key": {"device": {"S": "a"}, "time": {"N": "1"}},
    "UpdateExpression": "ADD n :one", "ConditionExpression": "n = :one",
    "ExpressionAttributeValues": {":one": {"N": "1"}}})");
  EXPECT_EQ(node_.replicas.barriers, barriers + 1);
  // One that holds costs no barrier.
  Ok("UpdateItem", R"({"TableName": "events",
    "Key": {"device": {"S": "a"}, "time": {"N": "1"}},
    "UpdateExpression": "ADD n :one", "ConditionExpression": "n = :two",
    "ExpressionAttributeValues": {":one": {"N": "1"}, ":two": {"N": "2"}}})");
  EXPECT_EQ(node_.replicas.barriers, barriers + 1);
}

TEST_F(DynamoDbCallsTest, ATableMadeAnewIsAnother) {
  CreateEvents();
  PutEvent("a", 1);
  node_.replicas.holding = true;
  const auto late = Begin("UpdateItem", R"({"TableName": "events",
    "Key": {"device": {"S": "a"}, "time": {"N": "1"}},
    "ConditionExpression": "attribute_exists(device) "})");
  ASSERT_EQ(node_.replicas.held.size(), 1u);
  std::vector<Proposal> held = std::exchange(node_.replicas.held, {});
  node_.replicas.holding = false;
  Ok("DeleteTable", R"({"TableName": "events"})");
  CreateEvents();
  node_.replicas.Commit(std::move(held[0]));
  EXPECT_EQ(Take(late).type(), "ConditionalCheckFailedException");
  EXPECT_EQ(Ok("Scan", R"({"TableName": "events"})")["Count"], 0);
}

TEST_F(DynamoDbCallsTest, TablesChangeOneAfterAnother) {
  CreateEvents();
  const auto tag = [](const std::string& key) {
    return R"({"ResourceArn": "events", "Tags": [{"Key": ")" + key +
           R"(", "Value": ""}]})";
  };
  node_.replicas.holding = true;
  const auto one = Begin("TagResource", tag("one"));
  const auto two = Begin("TagResource", tag("two"));
  node_.Settle();
  ASSERT_EQ(node_.replicas.held.size(), 2u);
  node_.replicas.holding = false;
  node_.replicas.CommitHeld();
  EXPECT_EQ(Take(one).status, 200);
  EXPECT_EQ(Take(two).status, 200);
  EXPECT_EQ(
      Ok("ListTagsOfResource", R"({"ResourceArn": "events"})")["Tags"].size(),
      2u);
}

}  // namespace
}  // namespace trireme::dynamodb
