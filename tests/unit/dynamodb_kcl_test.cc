// What KCL 1.x, 2.x and 3.x do with their tables, call by call
// (kinesis-contract.md §5.3).
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/dynamodb_fixture.h"

namespace trireme::dynamodb {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kFailed[] =
    "ConditionalCheckFailedException: The conditional request failed";

class DynamoDbKclTest : public DynamoDbTest {
 protected:
  DynamoDbKclTest() {
    Ok("CreateTable", R"({"TableName": "app",
      "KeySchema": [{"AttributeName": "leaseKey", "KeyType": "HASH"}],
      "AttributeDefinitions": [
        {"AttributeName": "leaseKey", "AttributeType": "S"}],
      "BillingMode": "PAY_PER_REQUEST",
      "Tags": [{"Key": "team", "Value": "x"}],
      "DeletionProtectionEnabled": false})");
  }

  // As KCL writes a new lease: only if there is none.
  Reply Create(const std::string& shard, const std::string& more = "") {
    return Call("PutItem", R"({"TableName": "app", "Item": {
      "leaseKey": {"S": ")" + shard +
                               R"("}, "leaseCounter": {"N": "0"},
      "checkpoint": {"S": "TRIM_HORIZON"},
      "checkpointSubSequenceNumber": {"N": "0"},
      "ownerSwitchesSinceCheckpoint": {"N": "0"},
      "startingHashKey": {"S": "0"}, "endingHashKey": {"S": "9"})" +
                               more + R"(},
      "Expected": {"leaseKey": {"Exists": false}}})");
  }
  std::string Update(const std::string& shard, const std::string& updates,
                     const std::string& expected,
                     const std::string& more = "") {
    return R"({"TableName": "app", "Key": {"leaseKey": {"S": ")" + shard +
           R"("}}, "AttributeUpdates": {)" + updates + R"(}, "Expected": {)" +
           expected + "}" + more + "}";
  }
  Json Lease(const std::string& shard) {
    return Ok("GetItem", R"({"TableName": "app", "ConsistentRead": false,
      "Key": {"leaseKey": {"S": ")" +
                             shard + R"("}}})")["Item"];
  }
  // A lease that the worker has by counter 1.
  void CreateOwned(const std::string& shard, const std::string& worker) {
    EXPECT_EQ(Create(shard).status, 200);
    Ok("UpdateItem", Update(shard, Take2(worker, 1), Counter(0)));
  }
  void AddOwnerIndex() {
    Ok("UpdateTable", R"({"TableName": "app", "AttributeDefinitions": [
        {"AttributeName": "leaseOwner", "AttributeType": "S"},
        {"AttributeName": "leaseKey", "AttributeType": "S"}],
      "GlobalSecondaryIndexUpdates": [{"Create": {
        "IndexName": "LeaseOwnerToLeaseKeyIndex",
        "KeySchema": [{"AttributeName": "leaseOwner", "KeyType": "HASH"},
                      {"AttributeName": "leaseKey", "KeyType": "RANGE"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"}}}]})");
  }

  static std::string Counter(int n) {
    return R"("leaseCounter": {"Value": {"N": ")" + std::to_string(n) +
           R"("}})";
  }
  static std::string PutCounter(int n) {
    return R"("leaseCounter": {"Action": "PUT", "Value": {"N": ")" +
           std::to_string(n) + R"("}})";
  }
  // As a worker of KCL 2 takes a lease.
  static std::string Take2(const std::string& worker, int counter) {
    return PutCounter(counter) +
           R"(, "leaseOwner": {"Action": "PUT", "Value": {"S": ")" + worker +
           R"("}}, "checkpointOwner": {"Action": "DELETE"},
           "ownerSwitchesSinceCheckpoint": {"Action": "ADD",
                                            "Value": {"N": "1"}})";
  }
};

TEST_F(DynamoDbKclTest, AtTheStartItLooksForItsTableAndMakesIt) {
  EXPECT_EQ(Error("DescribeTable", R"({"TableName": "other"})"),
            "ResourceNotFoundException: Requested resource not found: Table: "
            "other not found");
  const std::string create = R"({"TableName": "other",
    "KeySchema": [{"AttributeName": "leaseKey", "KeyType": "HASH"}],
    "AttributeDefinitions": [
      {"AttributeName": "leaseKey", "AttributeType": "S"}],
    "ProvisionedThroughput": {"ReadCapacityUnits": 10,
                              "WriteCapacityUnits": 10}})";
  const Json created = Ok("CreateTable", create)["TableDescription"];
  EXPECT_EQ(created["TableStatus"], "ACTIVE");
  EXPECT_EQ(Error("CreateTable", create),
            "ResourceInUseException: Table already exists: other");
  const Json table = Ok("DescribeTable", R"({"TableName": "other"})")["Table"];
  EXPECT_EQ(table["TableStatus"], "ACTIVE");
  EXPECT_EQ(table["TableArn"],
            "arn:aws:dynamodb:us-east-1:000000000000:table/other");
  EXPECT_EQ(table["KeySchema"], Json::parse(R"([
    {"AttributeName": "leaseKey", "KeyType": "HASH"}])"));
  EXPECT_EQ(table["ProvisionedThroughput"]["ReadCapacityUnits"], 10);
  EXPECT_EQ(table["CreationDateTime"], created["CreationDateTime"]);
  EXPECT_FALSE(table.contains("GlobalSecondaryIndexes"));
  EXPECT_FALSE(table.contains("BillingModeSummary"));
  EXPECT_EQ(Ok("DescribeTable",
               R"({"TableName": "app"})")["Table"]["BillingModeSummary"]
                                         ["BillingMode"],
            "PAY_PER_REQUEST");
  EXPECT_EQ(Ok("ListTagsOfResource", R"({"ResourceArn":
    "arn:aws:dynamodb:us-east-1:000000000000:table/app"})")["Tags"],
            Json::parse(R"([{"Key": "team", "Value": "x"}])"));
}

TEST_F(DynamoDbKclTest, PointInTimeRecoveryIsTakenAndSaidToBeOff) {
  const Json reply = Ok("UpdateContinuousBackups", R"({"TableName": "app",
    "PointInTimeRecoverySpecification":
      {"PointInTimeRecoveryEnabled": true}})");
  EXPECT_EQ(
      reply["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
           ["PointInTimeRecoveryStatus"],
      "DISABLED");
  EXPECT_THAT(Error("UpdateContinuousBackups", R"({"TableName": "none"})"),
              StartsWith("ResourceNotFoundException"));
}

TEST_F(DynamoDbKclTest, CreateMakesALeaseOnce) {
  EXPECT_EQ(Create("shard-0").status, 200);
  const Reply again = Create("shard-0");
  EXPECT_EQ(again.status, 400);
  EXPECT_EQ(again.body["__type"],
            "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException");
  EXPECT_FALSE(again.body.contains("Item"));
  EXPECT_EQ(Lease("shard-0")["checkpoint"]["S"], "TRIM_HORIZON");
  EXPECT_TRUE(Lease("shard-1").is_null());
}

TEST_F(DynamoDbKclTest, RenewRaisesTheCounterThatWasSeen) {
  CreateOwned("shard-0", "me");
  const std::string more =
      R"(, "ReturnValuesOnConditionCheckFailure": "ALL_OLD")";
  const auto renew = [&](int counter) {
    return Update(
        "shard-0",
        PutCounter(counter + 1) +
            R"(, "throughputKBps": {"Action": "PUT",
                                             "Value": {"N": "12.75"}})",
        Counter(counter) + R"(, "checkpointOwner": {"Exists": false})", more);
  };
  EXPECT_EQ(Ok("UpdateItem", renew(1)), Json::object());
  EXPECT_EQ(Lease("shard-0")["leaseCounter"]["N"], "2");
  EXPECT_EQ(Lease("shard-0")["throughputKBps"]["N"], "12.75");
  // Somebody else has it by now: the loser sees who.
  Ok("UpdateItem", Update("shard-0", Take2("thief", 3), Counter(2)));
  const Reply lost = Call("UpdateItem", renew(2));
  EXPECT_EQ(lost.type(), "ConditionalCheckFailedException");
  EXPECT_EQ(lost.body["Item"]["leaseOwner"]["S"], "thief");
  EXPECT_EQ(lost.body["Item"]["leaseCounter"]["N"], "3");
}

TEST_F(DynamoDbKclTest, TakeGivesAnExpiredLeaseToOneOfTwoWorkers) {
  CreateOwned("shard-0", "dead");
  Ok("UpdateItem", Update("shard-0", Take2("one", 2), Counter(1)));
  EXPECT_EQ(Error("UpdateItem", Update("shard-0", Take2("two", 2), Counter(1))),
            kFailed);
  const Json lease = Lease("shard-0");
  EXPECT_EQ(lease["leaseOwner"]["S"], "one");
  EXPECT_EQ(lease["ownerSwitchesSinceCheckpoint"]["N"], "2");
}

TEST_F(DynamoDbKclTest, AssignGivesAFreeLeaseAndTellsAllOfIt) {
  EXPECT_EQ(Create("shard-0").status, 200);
  const auto assign = [&](const std::string& owner_expected) {
    return Update("shard-0",
                  R"("leaseOwner": {"Action": "PUT", "Value": {"S": "w1"}},
           "checkpointOwner": {"Action": "DELETE"},
           "leaseCounter": {"Action": "ADD", "Value": {"N": "1"}},
           "ownerSwitchesSinceCheckpoint": {"Action": "ADD",
                                            "Value": {"N": "1"}})",
                  R"("leaseOwner": )" + owner_expected +
                      R"(, "checkpointOwner": {"Exists": false},
            "leaseKey": {"Exists": true, "Value": {"S": "shard-0"}})",
                  R"(, "ReturnValues": "ALL_NEW",
           "ReturnValuesOnConditionCheckFailure": "ALL_OLD")");
  };
  const Json reply = Ok("UpdateItem", assign(R"({"Exists": false})"));
  EXPECT_EQ(reply["Attributes"], Lease("shard-0"));
  EXPECT_EQ(reply["Attributes"]["leaseCounter"]["N"], "1");
  EXPECT_EQ(reply["Attributes"]["leaseOwner"]["S"], "w1");
  EXPECT_EQ(Call("UpdateItem", assign(R"({"Exists": false})")).body["Item"],
            Lease("shard-0"));
  Ok("UpdateItem", assign(R"({"Value": {"S": "w1"}})"));
  // A lease that was deleted is not made anew.
  Ok("DeleteItem",
     R"({"TableName": "app", "Key": {"leaseKey": {"S": "shard-0"}}})");
  EXPECT_EQ(Error("UpdateItem", assign(R"({"Exists": false})")), kFailed);
  EXPECT_TRUE(Lease("shard-0").is_null());
}

TEST_F(DynamoDbKclTest, HandoffNamesTheNextOwnerAndLeavesTheCounter) {
  CreateOwned("shard-0", "old");
  const std::string handoff =
      Update("shard-0",
             R"("leaseOwner": {"Action": "PUT", "Value": {"S": "new"}},
         "checkpointOwner": {"Action": "PUT", "Value": {"S": "old"}})",
             R"("leaseOwner": {"Value": {"S": "old"}},
         "checkpointOwner": {"Exists": false},
         "leaseKey": {"Exists": true, "Value": {"S": "shard-0"}})",
             R"(, "ReturnValues": "ALL_NEW")");
  const Json lease = Ok("UpdateItem", handoff)["Attributes"];
  EXPECT_EQ(lease["leaseOwner"]["S"], "new");
  EXPECT_EQ(lease["checkpointOwner"]["S"], "old");
  EXPECT_EQ(lease["leaseCounter"]["N"], "1");
  EXPECT_EQ(Error("UpdateItem", handoff), kFailed);
  // The old owner's renewal tells it so.
  const Reply renewal =
      Call("UpdateItem",
           Update("shard-0", PutCounter(2),
                  Counter(1) + R"(, "checkpointOwner": {"Exists": false})",
                  R"(, "ReturnValuesOnConditionCheckFailure": "ALL_OLD")"));
  EXPECT_EQ(renewal.body["Item"]["checkpointOwner"]["S"], "old");
}

TEST_F(DynamoDbKclTest, EvictFreesALease) {
  CreateOwned("shard-0", "me");
  const Json lease =
      Ok("UpdateItem", Update("shard-0",
                              R"("leaseOwner": {"Action": "DELETE"},
         "leaseCounter": {"Action": "ADD", "Value": {"N": "1"}})",
                              R"("leaseOwner": {"Value": {"S": "me"}},
         "checkpointOwner": {"Exists": false},
         "leaseKey": {"Exists": true, "Value": {"S": "shard-0"}})",
                              R"(, "ReturnValues": "ALL_NEW")"))["Attributes"];
  EXPECT_FALSE(lease.contains("leaseOwner"));
  EXPECT_EQ(lease["leaseCounter"]["N"], "2");
}

TEST_F(DynamoDbKclTest, CheckpointMovesWithTheLeaseAlone) {
  CreateOwned("shard-0", "me");
  const auto checkpoint = [&](int counter, const std::string& position) {
    return Update("shard-0",
                  PutCounter(counter + 1) +
                      R"(, "checkpoint": {"Action": "PUT", "Value": {"S": ")" +
                      position +
                      R"("}}, "checkpointSubSequenceNumber": {"Action": "PUT",
                                                   "Value": {"N": "0"}},
            "ownerSwitchesSinceCheckpoint": {"Action": "PUT",
                                             "Value": {"N": "0"}},
            "pendingCheckpoint": {"Action": "DELETE"},
            "pendingCheckpointState": {"Action": "DELETE"},
            "childShardIds": {"Action": "PUT",
                              "Value": {"SS": ["shard-1", "shard-2"]}})",
                  Counter(counter));
  };
  Ok("UpdateItem", checkpoint(1,
                              "49590338271490256608559692538361571095921575"
                              "989136588898"));
  Ok("UpdateItem", checkpoint(2, "SHARD_END"));
  EXPECT_EQ(Error("UpdateItem", checkpoint(2, "LATEST")), kFailed);
  EXPECT_EQ(Lease("shard-0")["checkpoint"]["S"], "SHARD_END");
  EXPECT_EQ(Lease("shard-0")["childShardIds"]["SS"],
            Json::parse(R"(["shard-1", "shard-2"])"));
  // Hash ranges and children, of a lease that is still there.
  const auto meta = [&](const std::string& shard) {
    return Update(
        shard,
        R"("childShardIds": {"Action": "PUT",
                                      "Value": {"SS": ["shard-3"]}})",
        R"("leaseKey": {"Exists": true, "Value": {"S": ")" + shard + R"("}})");
  };
  Ok("UpdateItem", meta("shard-0"));
  EXPECT_EQ(Error("UpdateItem", meta("gone")), kFailed);
}

TEST_F(DynamoDbKclTest, ScanListsLeasesPageByPageAndInParallel) {
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(Create("shard-" + std::to_string(i),
                     i % 2 == 0 ? R"(, "streamName": {"S": "even"})"
                                : R"(, "streamName": {"S": "odd"})")
                  .status,
              200);
  }
  const auto scan = [&](const std::string& more) {
    std::multiset<std::string> keys;
    Json request = Json::parse(R"({"TableName": "app")" + more + "}");
    while (true) {
      const Json page = Ok("Scan", request.dump());
      for (const Json& item : page["Items"]) {
        keys.insert(item["leaseKey"]["S"].get<std::string>());
      }
      if (!page.contains("LastEvaluatedKey")) return keys;
      request["ExclusiveStartKey"] = page["LastEvaluatedKey"];
    }
  };
  const auto all = scan("");
  EXPECT_EQ(all.size(), 50u);
  EXPECT_EQ(scan(R"(, "Limit": 7)"), all);
  std::multiset<std::string> parts;
  for (int segment = 0; segment < 10; ++segment) {
    parts.merge(scan(R"(, "TotalSegments": 10, "Limit": 3, "Segment": )" +
                     std::to_string(segment)));
  }
  EXPECT_EQ(parts, all);
  EXPECT_EQ(scan(R"(, "FilterExpression": "streamName = :streamName",
    "ExpressionAttributeValues": {":streamName": {"S": "odd"}})")
                .size(),
            25u);
  // Is there any?
  EXPECT_EQ(Ok("Scan", R"({"TableName": "app", "Limit": 1})")["Count"], 1);
  const Json count = Ok("Scan", R"({"TableName": "app", "Select": "COUNT"})");
  EXPECT_EQ(count["Count"], 50);
  EXPECT_FALSE(count.contains("Items"));
}

TEST_F(DynamoDbKclTest, QueryOfTheOwnerIndexFindsAWorkersLeases) {
  for (int i = 0; i < 9; ++i) {
    CreateOwned("shard-" + std::to_string(i), i % 3 == 0 ? "me" : "other");
  }
  EXPECT_EQ(Create("free").status, 200);
  AddOwnerIndex();
  const Json table = Ok("DescribeTable", R"({"TableName": "app"})")["Table"];
  EXPECT_EQ(table["GlobalSecondaryIndexes"][0]["IndexStatus"], "ACTIVE");
  EXPECT_EQ(table["AttributeDefinitions"].size(), 2u);
  const std::string query = R"({"TableName": "app",
    "IndexName": "LeaseOwnerToLeaseKeyIndex",
    "KeyConditionExpression": "leaseOwner = :leaseOwner",
    "ExpressionAttributeValues": {":leaseOwner": {"S": "me"}})";
  const Json found = Ok("Query", query + "}");
  EXPECT_EQ(found["Items"], Json::parse(R"([
    {"leaseKey": {"S": "shard-0"}, "leaseOwner": {"S": "me"}},
    {"leaseKey": {"S": "shard-3"}, "leaseOwner": {"S": "me"}},
    {"leaseKey": {"S": "shard-6"}, "leaseOwner": {"S": "me"}}])"));
  const Json page = Ok("Query", query + R"(, "Limit": 2})");
  EXPECT_EQ(page["LastEvaluatedKey"], page["Items"][1]);
  const Json rest = Ok("Query", query + R"(, "ExclusiveStartKey": )" +
                                    page["LastEvaluatedKey"].dump() + "}");
  EXPECT_EQ(rest["Items"].size(), 1u);
  EXPECT_EQ(rest["Items"][0]["leaseKey"]["S"], "shard-6");
  EXPECT_EQ(
      Ok("Query",
         query +
             R"(, "ScanIndexForward": false})")["Items"][0]["leaseKey"]["S"],
      "shard-6");
  // What is taken away is gone from the index at once.
  Ok("UpdateItem", Update("shard-3", Take2("other", 2), Counter(1)));
  EXPECT_EQ(Ok("Query", query + "}")["Count"], 2);
}

TEST_F(DynamoDbKclTest, DeleteRemovesALeaseWhateverItIs) {
  CreateOwned("shard-0", "me");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Ok("DeleteItem", R"({"TableName": "app",
      "Key": {"leaseKey": {"S": "shard-0"}}})"),
              Json::object());
  }
  EXPECT_TRUE(Lease("shard-0").is_null());
}

TEST_F(DynamoDbKclTest, WorkerMetricsAreReportedListedAndRemovedWhenStale) {
  Ok("CreateTable", R"({"TableName": "app-WorkerMetricStats",
    "KeySchema": [{"AttributeName": "wid", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "wid", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST"})");
  const auto report = [&](int lut) {
    return Ok("UpdateItem", R"({"TableName": "app-WorkerMetricStats",
      "Key": {"wid": {"S": "w1"}}, "ReturnValues": "ALL_NEW",
      "UpdateExpression":
        "SET #AMZN_MAPPED_lut = :AMZN_MAPPED_lut,
         #AMZN_MAPPED_sts = :AMZN_MAPPED_sts, #AMZN_MAPPED_opr = :opr",
      "ExpressionAttributeNames": {"#AMZN_MAPPED_lut": "lut",
        "#AMZN_MAPPED_sts": "sts", "#AMZN_MAPPED_opr": "opr"},
      "ExpressionAttributeValues": {
        ":AMZN_MAPPED_lut": {"N": ")" +
                                std::to_string(lut) + R"("},
        ":opr": {"M": {"C": {"L": [{"N": "80"}]}}},
        ":AMZN_MAPPED_sts": {"M": {"C": {"L": [{"N": "10.5"},
                                               {"N": "11"}]}}}}})");
  };
  EXPECT_EQ(report(1000)["Attributes"]["wid"]["S"], "w1");
  EXPECT_EQ(report(1030)["Attributes"]["lut"]["N"], "1030");
  EXPECT_EQ(
      Ok("Scan",
         R"({"TableName": "app-WorkerMetricStats"})")["Items"][0]["sts"]["M"]
                                                     ["C"]["L"][0]["N"],
      "10.5");
  const auto remove = [](int lut) {
    return R"({"TableName": "app-WorkerMetricStats",
      "Key": {"wid": {"S": "w1"}},
      "ConditionExpression": "#key = :value AND attribute_exists (wid) ",
               "ExpressionAttributeNames" : {"#key" : "lut"},
                                            "ExpressionAttributeValues" : {
          ":value" : { "N" : ")" +
           std::to_string(lut) + R"("}}})";
  };
  EXPECT_EQ(Error("DeleteItem", remove(1000)), kFailed);
  Ok("DeleteItem", remove(1030));
  EXPECT_EQ(Error("DeleteItem", remove(1030)), kFailed);
}

// The lock of the leader, as the DynamoDB lock client keeps it.
TEST_F(DynamoDbKclTest, TheLockClientAcquiresRenewsTakesOverAndReleases) {
  Ok("CreateTable", R"({"TableName": "app-CoordinatorState",
    "KeySchema": [{"AttributeName": "key", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "key", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST"})");
  const auto item = [](const std::string& owner, const std::string& record) {
    return R"({"key": {"S": "Leader"}, "ownerName": {"S": ")" + owner +
           R"("}, "leaseDuration": {"S": "120000"},
           "recordVersionNumber": {"S": ")" +
           record + R"("}})";
  };
  const auto acquire = [&](const std::string& owner,
                           const std::string& record) {
    return R"({"TableName": "app-CoordinatorState", "Item": )" +
           item(owner, record) + R"(,
      "ConditionExpression": "attribute_not_exists(#pk) OR
        (attribute_exists(#pk) AND #ir = :released) ",
               "ExpressionAttributeNames"
            : {"#pk" : "key", "#ir" : "isReleased"},
              "ExpressionAttributeValues" : {
          ":released" : { "S" : "1" }
        }})";
  };
  const auto take_over = [&](const std::string& owner, const std::string& seen,
                             const std::string& record) {
    return R"({"TableName": "app-CoordinatorState", "Item": )" +
           item(owner, record) + R"(,
      "ConditionExpression": "attribute_exists(#pk) AND #rvn = :rvn",
      "ExpressionAttributeNames": {"#pk": "key",
                                   "#rvn": "recordVersionNumber"},
      "ExpressionAttributeValues": {":rvn": {"S": ")" +
           seen + R"("}}})";
  };
  const auto of_owner = [](const std::string& operation_members,
                           const std::string& owner, const std::string& seen,
                           const std::string& values) {
    return R"({"TableName": "app-CoordinatorState",
      "Key": {"key": {"S": "Leader"}}, )" +
           operation_members + R"(
      "ConditionExpression":
        "attribute_exists(#pk) AND #rvn = :rvn AND #on = :on",
      "ExpressionAttributeNames": {"#pk": "key", "#on": "ownerName",
                                   "#rvn": "recordVersionNumber"},
      "ExpressionAttributeValues": {)" +
           values + R"(
        ":rvn": {"S": ")" +
           seen + R"("}, ":on": {"S": ")" + owner + R"("}}})";
  };
  Ok("PutItem", acquire("w1", "r1"));
  EXPECT_EQ(Error("PutItem", acquire("w2", "r2")), kFailed);
  const std::string heartbeat = R"("UpdateExpression":
    "SET leaseDuration = :ld, #rvn = :new", )";
  const std::string values = R"(":ld": {"S": "120000"}, ":new": {"S": "r3"}, )";
  Ok("UpdateItem", of_owner(heartbeat, "w1", "r1", values));
  EXPECT_EQ(Error("UpdateItem", of_owner(heartbeat, "w1", "r1", values)),
            kFailed);
  // It stood still for the lease's time: another takes it over, once.
  Ok("PutItem", take_over("w2", "r3", "r4"));
  EXPECT_EQ(Error("PutItem", take_over("w3", "r3", "r5")), kFailed);
  EXPECT_EQ(Error("DeleteItem", of_owner("", "w1", "r3", "")), kFailed);
  const std::string release = R"("UpdateExpression": "SET isReleased = :one",)";
  Ok("UpdateItem", of_owner(release, "w2", "r4", R"(":one": {"S": "1"}, )"));
  Ok("PutItem", acquire("w3", "r6"));
  EXPECT_EQ(Ok("GetItem", R"({"TableName": "app-CoordinatorState",
    "ConsistentRead": true, "Key": {"key": {"S": "Leader"}}})")["Item"]
                                                               ["ownerName"]
                                                               ["S"],
            "w3");
}

TEST_F(DynamoDbKclTest, TheMigrationOfTablesIsOneTransaction) {
  EXPECT_EQ(Create("Migration3.0").status, 200);
  const std::string move = R"({"TransactItems": [
    {"Put": {"TableName": "app",
      "Item": {"leaseKey": {"S": "moved"}, "h": {"L": []}},
      "ConditionExpression": "attribute_not_exists(leaseKey) "
  }
},
    {"Delete": {"TableName": "app",
      "Key": {"leaseKey": {"S": "Migration3.0"}},
      "ConditionExpression": "attribute_exists(leaseKey) ",
      "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}],
    "ClientRequestToken": "token"
})";
  EXPECT_EQ(Ok("TransactWriteItems", move), Json::object());
  EXPECT_TRUE(Lease("Migration3.0").is_null());
  EXPECT_FALSE(Lease("moved").is_null());
  const Reply again = Call("TransactWriteItems", move);
  EXPECT_EQ(again.type(), "TransactionCanceledException");
  EXPECT_THAT(again.message(),
              HasSubstr("[ConditionalCheckFailed, ConditionalCheckFailed]"));
  EXPECT_EQ(again.body["CancellationReasons"][0]["Code"],
            "ConditionalCheckFailed");
  // None of it, when one of them cannot be.
  EXPECT_EQ(Create("Migration3.0").status, 200);
  EXPECT_EQ(Call("TransactWriteItems", move).body["CancellationReasons"],
            Json::parse(R"([{"Code": "ConditionalCheckFailed",
              "Message": "The conditional request failed"},
              {"Code": "None"}])"));
  EXPECT_FALSE(Lease("Migration3.0").is_null());
}

// --- races ---

TEST_F(DynamoDbKclTest, OfTwoWhoSawTheSameLeaseOneTakesIt) {
  CreateOwned("shard-0", "dead");
  // Both are on their way before either is written.
  node_.replicas.holding = true;
  const auto one =
      Begin("UpdateItem", Update("shard-0", Take2("one", 2), Counter(1)));
  const auto two =
      Begin("UpdateItem", Update("shard-0", Take2("two", 2), Counter(1)));
  ASSERT_EQ(node_.replicas.held.size(), 2u);
  node_.replicas.holding = false;
  node_.replicas.CommitHeldBackwards(2);
  EXPECT_EQ(Take(two).status, 200);
  const Reply lost = Take(one);
  EXPECT_EQ(lost.type(), "ConditionalCheckFailedException");
  EXPECT_EQ(Lease("shard-0")["leaseOwner"]["S"], "two");
}

TEST_F(DynamoDbKclTest, WhoLosesARaceAndMayStillWriteDoesSo) {
  CreateOwned("shard-0", "me");
  const std::string add = R"({"TableName": "app",
    "Key": {"leaseKey": {"S": "shard-0"}}, "ReturnValues": "UPDATED_NEW",
    "UpdateExpression": "ADD leaseCounter :one",
    "ExpressionAttributeValues": {":one": {"N": "1"}}})";
  node_.replicas.holding = true;
  std::vector<Pending> calls;
  for (int i = 0; i < 10; ++i) calls.push_back(Begin("UpdateItem", add));
  ASSERT_EQ(node_.replicas.held.size(), 10u);
  node_.replicas.holding = false;
  node_.replicas.CommitHeld();
  std::set<std::string> counters;
  for (const Pending& call : calls) {
    const Reply reply = Take(call);
    EXPECT_EQ(reply.status, 200);
    counters.insert(reply.body["Attributes"]["leaseCounter"]["N"]);
  }
  EXPECT_EQ(counters.size(), 10u);
  EXPECT_EQ(Lease("shard-0")["leaseCounter"]["N"], "11");
}

TEST_F(DynamoDbKclTest, OfTwoTransactionsOnOneItemOneIsCanceled) {
  const std::string make = R"({"TransactItems": [
    {"Put": {"TableName": "app", "Item": {"leaseKey": {"S": "a"}},
      "ConditionExpression": "attribute_not_exists(leaseKey) "
}
},
    {"ConditionCheck": {"TableName": "app", "Key": {"leaseKey": {"S": "b"}},
      "ConditionExpression": "attribute_not_exists(leaseKey) "}}]
})";
  node_.replicas.holding = true;
  const auto one = Begin("TransactWriteItems", make);
  const auto two = Begin("TransactWriteItems", make);
  ASSERT_EQ(node_.replicas.held.size(), 2u);
  node_.replicas.holding = false;
  node_.replicas.CommitHeld();
  EXPECT_EQ(Take(one).status, 200);
  EXPECT_EQ(Take(two).type(), "TransactionCanceledException");
}

}  // namespace
}  // namespace trireme::dynamodb
