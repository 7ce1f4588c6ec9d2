#include "server/kinesis/kinesis_api.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "server/aws/event_stream.h"
#include "tests/unit/kinesis_fixture.h"

namespace trireme {
namespace {

using nlohmann::json;

constexpr char kFirstShard[] = "shardId-000000000000";
constexpr char kArn[] = "arn:aws:kinesis:us-east-1:000000000000:stream/s";

json Put(const std::string& key, const std::string& data) {
  return {{"StreamName", "s"},
          {"PartitionKey", key},
          {"Data", absl::Base64Escape(data)}};
}

// --- The envelope ---

TEST_F(KinesisTest, AnswersCarryTheRequestsTypeAndIds) {
  const auto exchange = Send(RequestOf("ListStreams", "{}"));
  EXPECT_EQ(exchange->response().status, 200);
  EXPECT_EQ(exchange->header("content-type"), kJsonType);
  EXPECT_EQ(exchange->header("x-amzn-requestid").size(), 36u);
  EXPECT_FALSE(exchange->header("x-amz-id-2").empty());
}

TEST_F(KinesisTest, OtherMethodsAreRefusedInXml) {
  HttpRequest request = RequestOf("ListStreams", "{}");
  request.method = "GET";
  const Answered answer = SendAndWait(request);
  EXPECT_EQ(answer.status, 403);
  EXPECT_TRUE(absl::StartsWith(answer.body, "<AccessDeniedException>"));
}

TEST_F(KinesisTest, PreflightRequestsAreAnswered) {
  HttpRequest request = RequestOf("ListStreams", "");
  request.method = "OPTIONS";
  request.headers.push_back({"origin", "https://example.test"});
  request.headers.push_back({"access-control-request-headers", "a, b"});
  const auto exchange = Send(request);
  EXPECT_EQ(exchange->response().status, 200);
  EXPECT_EQ(exchange->header("access-control-allow-origin"), "*");
  EXPECT_EQ(exchange->header("access-control-allow-headers"), "a, b");
}

TEST_F(KinesisTest, UnknownOperationsAndBadBodiesHaveTheirErrors) {
  EXPECT_EQ(Call("Frobnicate", json::object()).error(),
            "UnknownOperationException");
  const Answered queue = Call("CreateQueue", json::object());
  EXPECT_EQ(queue.error(), "UnknownOperationException");
  EXPECT_TRUE(absl::StrContains(queue.message(), "no queues"));
  EXPECT_EQ(SendAndWait(RequestOf("PutRecord", "nonsense")).error(),
            "SerializationException");
  EXPECT_EQ(SendAndWait(RequestOf("PutRecord", "")).error(),
            "SerializationException");
  HttpRequest plain = RequestOf("ListStreams", "{}", "application/json");
  EXPECT_EQ(SendAndWait(plain).status, 404);
  HttpRequest text = RequestOf("ListStreams", "{}", "text/plain");
  EXPECT_EQ(SendAndWait(text).body, "<UnknownOperationException/>\n");
}

TEST_F(KinesisTest, ErrorsAreInTheRequestsEncoding) {
  const Answered answer = CallCbor("DescribeStream", {{"StreamName", "none"}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.type, kCborType);
  EXPECT_EQ(answer.error(), "ResourceNotFoundException");
  EXPECT_EQ(answer.message(),
            "Stream none under account 000000000000 not found.");
}

// --- Types and constraints ---

TEST_F(KinesisTest, WrongTypesAreSerializationErrors) {
  const auto message = [&](const json& input) {
    const Answered answer = Call("PutRecord", input);
    EXPECT_EQ(answer.error(), "SerializationException") << input;
    EXPECT_TRUE(answer.json().contains("Message"));
    return answer.message();
  };
  EXPECT_EQ(message({{"StreamName", 1}}),
            "class com.amazon.coral.value.json.numbers.TruncatingBigNumber can "
            "not be converted to an String");
  EXPECT_EQ(message({{"StreamName", json::array()}}),
            "Start of list found where not expected");
  EXPECT_EQ(message({{"StreamName", json::object()}}),
            "Start of structure or map found where not expected.");
  EXPECT_EQ(message({{"Data", "abc"}}),
            "'abc' can not be converted to a Blob: Base64 encoded length is "
            "expected a multiple of 4 bytes but found: 3");
  EXPECT_EQ(message({{"Data", "=aaa"}}),
            "'=aaa' can not be converted to a Blob: Invalid Base64 character: "
            "'='");
  EXPECT_EQ(message({{"Data", "YWF="}}).substr(0, 47),
            "'YWF=' can not be converted to a Blob: Invalid ");
  EXPECT_EQ(Call("PutRecords", {{"Records", "x"}}).message(),
            "Expected list or null");
  EXPECT_EQ(Call("DescribeStream", {{"Limit", "1"}}).message(),
            "class java.lang.String can not be converted to an Integer");
  EXPECT_EQ(Call("AddTagsToStream", {{"Tags", "x"}}).message(),
            "Expected map or null");
}

TEST_F(KinesisTest, NoElementOfAListOrMapMayBeNull) {
  const auto message = [&](const std::string& operation, const json& input) {
    const Answered answer = Call(operation, input);
    EXPECT_EQ(answer.error(), "ValidationException") << operation;
    return answer.message();
  };
  EXPECT_EQ(message("AddTagsToStream",
                    {{"StreamName", "s"}, {"Tags", {{"a", nullptr}}}}),
            "1 validation error detected: Value null at 'tags.a.member' failed "
            "to satisfy constraint: Member must not be null");
  EXPECT_EQ(message("EnableEnhancedMonitoring",
                    {{"StreamName", "s"}, {"ShardLevelMetrics", {nullptr}}}),
            "1 validation error detected: Value null at "
            "'shardLevelMetrics.1.member' failed to satisfy constraint: Member "
            "must not be null");
  message("RemoveTagsFromStream",
          {{"StreamName", "s"}, {"TagKeys", {nullptr}}});
  message("PutRecords", {{"StreamName", "s"}, {"Records", {nullptr}}});
}

TEST_F(KinesisTest, ErrorsAreUtf8WhateverTheyEcho) {
  EXPECT_EQ(Call("PutRecord", {{"Data", "a\xc3\xa9zz"}}).message(),
            "'a\xc3\xa9zz' can not be converted to a Blob: Invalid Base64 "
            "character: '\xc3\xa9'");
  HttpRequest request = RequestOf("Queue\xff", "{}");
  EXPECT_EQ(SendAndWait(request).error(), "UnknownOperationException");
}

TEST_F(KinesisTest, ViolationsAreToldTogetherInOrder) {
  const Answered answer =
      Call("CreateStream", {{"StreamName", ""}, {"ShardCount", 0}});
  EXPECT_EQ(answer.error(), "ValidationException");
  EXPECT_EQ(
      answer.message(),
      "3 validation errors detected: Value '0' at 'shardCount' failed to "
      "satisfy constraint: Member must have value greater than or equal to 1; "
      "Value '' at 'streamName' failed to satisfy constraint: Member must "
      "satisfy regular expression pattern: [a-zA-Z0-9_.-]+; Value '' at "
      "'streamName' failed to satisfy constraint: Member must have length "
      "greater than or equal to 1");
  EXPECT_EQ(Call("GetRecords", json::object()).message(),
            "1 validation error detected: Value null at 'shardIterator' failed "
            "to satisfy constraint: Member must not be null");
  EXPECT_EQ(Call("CreateStream", {{"StreamName", "s"}}).message(),
            "1 validation error detected: Value null at 'shardCount' failed to "
            "satisfy constraint: Member must not be null");
}

TEST_F(KinesisTest, AMalformedRecordFailsTheWholeBatch) {
  node_.CreateActive("s", 1);
  const Answered answer = Call(
      "PutRecords",
      {{"StreamName", "s"},
       {"Records",
        {{{"PartitionKey", "a"}, {"Data", ""}},
         {{"PartitionKey", ""}, {"Data", ""}, {"ExplicitHashKey", "01"}}}}});
  EXPECT_EQ(answer.error(), "ValidationException");
  EXPECT_TRUE(absl::StrContains(answer.message(),
                                "Value '' at 'records.2.member.partitionKey'"))
      << answer.message();
  EXPECT_TRUE(absl::StrContains(
      answer.message(), "Value '01' at 'records.2.member.explicitHashKey'"));
}

TEST_F(KinesisTest, UnknownMembersAndNullsAreIgnored) {
  Ok("CreateStream", {{"StreamName", "s"},
                      {"ShardCount", 1},
                      {"StreamModeDetails", nullptr},
                      {"Novelty", {{"a", 1}}}});
}

// --- Streams ---

TEST_F(KinesisTest, AStreamIsDescribedAsItIs) {
  EXPECT_EQ(Call("CreateStream", {{"StreamName", "s"}, {"ShardCount", 2}}).body,
            "");
  const json described =
      Ok("DescribeStream", {{"StreamARN", kArn}})["StreamDescription"];
  EXPECT_EQ(described["StreamName"], "s");
  EXPECT_EQ(described["StreamARN"], kArn);
  EXPECT_EQ(described["StreamStatus"], "ACTIVE");
  EXPECT_EQ(described["StreamModeDetails"]["StreamMode"], "PROVISIONED");
  EXPECT_EQ(described["RetentionPeriodHours"], 24);
  EXPECT_EQ(described["EncryptionType"], "NONE");
  EXPECT_FALSE(described.contains("KeyId"));
  EXPECT_EQ(described["EnhancedMonitoring"],
            json::parse(R"([{"ShardLevelMetrics":[]}])"));
  EXPECT_EQ(described["HasMoreShards"], false);
  EXPECT_EQ(described["StreamCreationTimestamp"], 1'700'000'000.0);
  const json& shard = described["Shards"][1];
  EXPECT_EQ(shard["ShardId"], "shardId-000000000001");
  EXPECT_EQ(shard["HashKeyRange"]["StartingHashKey"],
            "170141183460469231731687303715884105728");
  EXPECT_FALSE(shard["SequenceNumberRange"].contains("EndingSequenceNumber"));
  const json summary = Ok("DescribeStreamSummary", {{"StreamName", "s"}});
  EXPECT_EQ(summary["StreamDescriptionSummary"]["OpenShardCount"], 2);
  // SDKs that are told it leave the endpoint.
  EXPECT_FALSE(summary["StreamDescriptionSummary"].contains("StreamId"));
  const json streams = Ok("ListStreams", json::object());
  EXPECT_EQ(streams["StreamNames"], json({"s"}));
  EXPECT_EQ(streams["HasMoreStreams"], false);
  EXPECT_EQ(streams["StreamSummaries"][0]["StreamARN"], kArn);
}

TEST_F(KinesisTest, CborTimesAreTaggedMilliseconds) {
  node_.CreateActive("s", 1);
  const Answered answer =
      CallCbor("DescribeStreamSummary", {{"StreamName", "s"}});
  EXPECT_EQ(answer.type, kCborType);
  EXPECT_TRUE(absl::StrContains(answer.body,
                                absl::HexStringToBytes("c11b0000018bcfe56800")))
      << absl::BytesToHexString(answer.body);
}

// --- Records ---

TEST_F(KinesisTest, RecordsComeBackByteExact) {
  node_.CreateActive("s", 1);
  const std::string binary("\0\xff\n", 3);
  const json put = Ok("PutRecord", Put("k\xc3\xa9y", binary));
  EXPECT_EQ(put["ShardId"], kFirstShard);
  EXPECT_EQ(put["SequenceNumber"].get<std::string>().size(), 56u);
  Ok("PutRecord", Put("empty", ""));
  const std::string iterator = Iterator("s", kFirstShard, "TRIM_HORIZON");
  // With the quotes of a shell script around it.
  const json read =
      Ok("GetRecords", {{"ShardIterator", "\"" + iterator + "\""}});
  ASSERT_EQ(read["Records"].size(), 2u);
  const json& first = read["Records"][0];
  EXPECT_EQ(first["SequenceNumber"], put["SequenceNumber"]);
  EXPECT_EQ(first["PartitionKey"], "k\xc3\xa9y");
  EXPECT_EQ(first["Data"], absl::Base64Escape(binary));
  EXPECT_EQ(first["ApproximateArrivalTimestamp"], 1'700'000'000.0);
  EXPECT_FALSE(first.contains("EncryptionType"));
  EXPECT_EQ(read["Records"][1]["Data"], "");
  EXPECT_EQ(read["MillisBehindLatest"], 0);
  EXPECT_NE(read["NextShardIterator"], iterator);
  EXPECT_FALSE(read.contains("ChildShards"));
}

TEST_F(KinesisTest, CborRecordsAreByteStrings) {
  node_.CreateActive("s", 1);
  const std::string binary("\0\xff", 2);
  const Answered put = CallCbor(
      "PutRecord", {{"StreamName", "s"},
                    {"PartitionKey", "k"},
                    {"Data", json::binary({binary.begin(), binary.end()})}});
  ASSERT_EQ(put.status, 200) << put.body;
  const Answered found =
      CallCbor("GetShardIterator", {{"StreamName", "s"},
                                    {"ShardId", kFirstShard},
                                    {"ShardIteratorType", "AT_TIMESTAMP"},
                                    {"Timestamp", 1'699'999'999'000}});
  ASSERT_EQ(found.status, 200) << found.body;
  const Answered read = CallCbor(
      "GetRecords", {{"ShardIterator", found.json()["ShardIterator"]}});
  const json records = read.json()["Records"];
  ASSERT_EQ(records.size(), 1u);
  const json::binary_t& data = records[0]["Data"].get_binary();
  EXPECT_EQ(std::string(data.begin(), data.end()), binary);
}

TEST_F(KinesisTest, EncryptedStreamsSaySo) {
  node_.CreateActive("s", 1);
  Ok("StartStreamEncryption", {{"StreamName", "s"},
                               {"EncryptionType", "KMS"},
                               {"KeyId", "alias/aws/kinesis"}});
  node_.lifecycle.RunOnce();
  node_.Settle();
  EXPECT_EQ(Ok("PutRecord", Put("k", "x"))["EncryptionType"], "KMS");
  EXPECT_EQ(Ok("PutRecords",
               {{"StreamName", "s"},
                {"Records",
                 {{{"PartitionKey", "k"}, {"Data", ""}}}}})["EncryptionType"],
            "KMS");
  const json read =
      Ok("GetRecords",
         {{"ShardIterator", Iterator("s", kFirstShard, "TRIM_HORIZON")}});
  EXPECT_EQ(read["Records"][0]["EncryptionType"], "KMS");
}

TEST_F(KinesisTest, ABatchIsAnsweredRecordByRecord) {
  node_.CreateActive("s", 2);
  const json answer = Ok(
      "PutRecords",
      {{"StreamName", "s"},
       {"Records",
        {{{"PartitionKey", "a"}, {"Data", "YQ=="}, {"ExplicitHashKey", "0"}},
         {{"PartitionKey", "b"},
          {"Data", "Yg=="},
          {"ExplicitHashKey", "340282366920938463463374607431768211455"}}}}});
  EXPECT_EQ(answer["FailedRecordCount"], 0);
  EXPECT_EQ(answer["Records"][0]["ShardId"], kFirstShard);
  EXPECT_EQ(answer["Records"][1]["ShardId"], "shardId-000000000001");
  EXPECT_FALSE(answer["Records"][0].contains("ErrorCode"));
}

TEST_F(KinesisTest, AClosedShardEndsWithItsChildren) {
  node_.CreateActive("s", 1);
  Ok("PutRecord", Put("k", "x"));
  Ok("SplitShard",
     {{"StreamName", "s"},
      {"ShardToSplit", kFirstShard},
      {"NewStartingHashKey", "170141183460469231731687303715884105728"}});
  for (int i = 0; i < 8; ++i) {
    node_.lifecycle.RunOnce();
    node_.Settle();
  }
  json read =
      Ok("GetRecords",
         {{"ShardIterator", Iterator("s", kFirstShard, "TRIM_HORIZON")}});
  if (read.contains("NextShardIterator")) {
    EXPECT_FALSE(read.contains("ChildShards"));
    read = Ok("GetRecords", {{"ShardIterator", read["NextShardIterator"]}});
  }
  EXPECT_FALSE(read.contains("NextShardIterator"));
  ASSERT_EQ(read["ChildShards"].size(), 2u);
  EXPECT_EQ(read["ChildShards"][0]["ParentShards"], json({kFirstShard}));
  // Its iterator can still be had (kinesis-contract.md §0.1, 15).
  EXPECT_FALSE(Iterator("s", kFirstShard, "LATEST").empty());
}

TEST_F(KinesisTest, AFutureTimestampIsRefused) {
  node_.CreateActive("s", 1);
  // Of another type it means nothing.
  Ok("GetShardIterator", {{"StreamName", "s"},
                          {"ShardId", kFirstShard},
                          {"ShardIteratorType", "LATEST"},
                          {"Timestamp", 1'800'000'000.5}});
  const Answered answer =
      Call("GetShardIterator", {{"StreamName", "s"},
                                {"ShardId", kFirstShard},
                                {"ShardIteratorType", "AT_TIMESTAMP"},
                                {"Timestamp", 1'800'000'000.5}});
  EXPECT_EQ(answer.error(), "InvalidArgumentException");
}

// --- Fan-out ---

class KinesisSubscribeTest : public KinesisTest {
 protected:
  // Messages of the stream so far.
  std::vector<EventStreamMessage> MessagesOf(const FakeExchange& exchange) {
    absl::Cord bytes = exchange.response().body;
    std::vector<EventStreamMessage> messages;
    while (true) {
      auto message = TakeEventMessage(bytes);
      EXPECT_TRUE(message.ok()) << message.status();
      if (!message.ok() || !message->has_value()) break;
      messages.push_back(**message);
    }
    EXPECT_TRUE(bytes.empty());
    return messages;
  }
  static json PayloadOf(const EventStreamMessage& message) {
    return json::parse(std::string(message.payload));
  }
  std::string Register() {
    return Ok("RegisterStreamConsumer",
              {{"StreamARN", kArn}, {"ConsumerName", "c"}})["Consumer"]
        .value("ConsumerARN", "");
  }
  std::shared_ptr<FakeExchange> Subscribe(const std::string& arn,
                                          const std::string& type) {
    return Send(RequestOf("SubscribeToShard",
                          json({{"ConsumerARN", arn},
                                {"ShardId", kFirstShard},
                                {"StartingPosition", {{"Type", type}}}})
                              .dump()));
  }
};

TEST_F(KinesisSubscribeTest, EventsFollowTheInitialResponse) {
  node_.CreateActive("s", 1);
  Ok("PutRecord", Put("k", "old"));
  const auto exchange = Subscribe(Register(), "TRIM_HORIZON");
  ASSERT_TRUE(exchange->answered());
  EXPECT_EQ(exchange->response().status, 200);
  EXPECT_EQ(exchange->header("content-type"),
            "application/vnd.amazon.eventstream");
  Ok("PutRecord", Put("k", "new"));
  Settle(*exchange);
  const std::vector<EventStreamMessage> messages = MessagesOf(*exchange);
  ASSERT_GE(messages.size(), 2u);
  EXPECT_EQ(messages[0].Header(":event-type"), "initial-response");
  std::vector<std::string> data;
  for (size_t i = 1; i < messages.size(); ++i) {
    EXPECT_EQ(messages[i].Header(":event-type"), "SubscribeToShardEvent");
    const json event = PayloadOf(messages[i]);
    EXPECT_FALSE(event["ContinuationSequenceNumber"].empty());
    EXPECT_EQ(event["MillisBehindLatest"], 0);
    for (const json& record : event["Records"]) data.push_back(record["Data"]);
  }
  EXPECT_EQ(data, (std::vector<std::string>{absl::Base64Escape("old"),
                                            absl::Base64Escape("new")}));
  exchange->Close();
  Settle(*exchange);
}

TEST_F(KinesisSubscribeTest, IdleSubscribersAreSentEmptyEvents) {
  node_.CreateActive("s", 1);
  const auto exchange = Subscribe(Register(), "LATEST");
  const size_t before = MessagesOf(*exchange).size();
  node_.Advance(absl::Seconds(5));
  Settle(*exchange);
  const std::vector<EventStreamMessage> messages = MessagesOf(*exchange);
  ASSERT_GT(messages.size(), before);
  EXPECT_EQ(PayloadOf(messages.back())["Records"], json::array());
  exchange->Close();
  Settle(*exchange);
}

TEST_F(KinesisSubscribeTest, ErrorsBeforeTheFirstEventAreTheCalls) {
  node_.CreateActive("s", 1);
  const std::string arn = Register();
  const auto first = Subscribe(arn, "LATEST");
  const auto second = Subscribe(arn, "LATEST");
  ASSERT_TRUE(second->answered());
  EXPECT_EQ(second->response().status, 400);
  EXPECT_EQ(json::parse(second->body())["__type"], "ResourceInUseException");
  EXPECT_FALSE(second->ended());
  first->Close();
  Settle(*first);
}

TEST_F(KinesisSubscribeTest, ASubscriptionThatIsTakenOverEndsWithAnException) {
  node_.CreateActive("s", 1);
  const std::string arn = Register();
  const auto first = Subscribe(arn, "LATEST");
  node_.Advance(absl::Seconds(6));
  Settle(*first);
  const auto second = Subscribe(arn, "LATEST");
  Settle(*first);
  Settle(*second);
  EXPECT_EQ(second->response().status, 200);
  ASSERT_TRUE(first->ended());
  const EventStreamMessage last = MessagesOf(*first).back();
  EXPECT_EQ(last.Header(":message-type"), "exception");
  EXPECT_EQ(last.Header(":exception-type"), "ResourceInUseException");
  second->Close();
  Settle(*second);
}

TEST_F(KinesisSubscribeTest, ASubscriptionEndsAfterFiveMinutes) {
  node_.CreateActive("s", 1);
  const auto exchange = Subscribe(Register(), "LATEST");
  for (int i = 0; i < 61 && !exchange->ended(); ++i) {
    node_.Advance(absl::Seconds(5));
    Settle(*exchange);
  }
  EXPECT_TRUE(exchange->ended());
  EXPECT_EQ(MessagesOf(*exchange).back().Header(":message-type"), "event");
}

TEST_F(KinesisSubscribeTest, ASubscriberThatTakesNothingIsGivenUpQuietly) {
  node_.CreateActive("s", 1);
  const auto exchange = Subscribe(Register(), "LATEST");
  exchange->Stall();
  Ok("PutRecord", Put("k", "x"));
  Settle(*exchange);
  for (int i = 0; i < 80 && !exchange->aborted(); ++i) {
    node_.Advance(absl::Seconds(5));
    Settle(*exchange);
  }
  EXPECT_TRUE(exchange->aborted());
  // The write ends at last; nothing is written or ended after an abort.
  exchange->Resume();
  Settle(*exchange);
  EXPECT_FALSE(exchange->ended());
}

// --- The rest ---

TEST_F(KinesisTest, TagsPoliciesAndSettingsComeBack) {
  node_.CreateActive("s", 1);
  Ok("AddTagsToStream", {{"StreamName", "s"}, {"Tags", {{"a", "1"}}}});
  Ok("TagResource", {{"ResourceARN", kArn}, {"Tags", {{"b", ""}}}});
  EXPECT_EQ(Ok("ListTagsForStream", {{"StreamName", "s"}}),
            json::parse(R"({"HasMoreTags":false,"Tags":[
                {"Key":"a","Value":"1"},{"Key":"b","Value":""}]})"));
  Ok("RemoveTagsFromStream", {{"StreamName", "s"}, {"TagKeys", {"a"}}});
  Ok("UntagResource", {{"ResourceARN", kArn}, {"TagKeys", {"b"}}});
  EXPECT_EQ(Ok("ListTagsForResource", {{"ResourceARN", kArn}})["Tags"],
            json::array());
  EXPECT_EQ(Ok("GetResourcePolicy", {{"ResourceARN", kArn}})["Policy"], "{}");
  const json monitoring =
      Ok("EnableEnhancedMonitoring",
         {{"StreamName", "s"}, {"ShardLevelMetrics", {"IncomingBytes"}}});
  EXPECT_EQ(monitoring["CurrentShardLevelMetrics"], json::array());
  EXPECT_EQ(monitoring["DesiredShardLevelMetrics"], json({"IncomingBytes"}));
  EXPECT_EQ(monitoring["StreamARN"], kArn);
  EXPECT_EQ(Call("IncreaseStreamRetentionPeriod",
                 {{"StreamName", "s"}, {"RetentionPeriodHours", 48}})
                .status,
            200);
  EXPECT_EQ(Call("UpdateShardCount", {{"StreamName", "s"},
                                      {"TargetShardCount", 2},
                                      {"ScalingType", "SIDEWAYS"}})
                .error(),
            "ValidationException");
}

TEST_F(KinesisTest, CallsAreToldThatTheNodeIsStarting) {
  ServedBroker none;
  KinesisApi api(&none);
  AwsEndpoint endpoint(
      {&api}, {nullptr, [](const HttpRequest&) { return std::nullopt; }});
  auto exchange =
      std::make_shared<FakeExchange>(RequestOf("ListStreams", "{}"));
  endpoint.Serve(exchange);
  ASSERT_TRUE(exchange->answered());
  EXPECT_EQ(exchange->response().status, 503);
}

}  // namespace
}  // namespace trireme
