#include "server/kinesis/record_intake.h"

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/kinesis/json_array.h"
#include "tests/unit/kinesis_fixture.h"

namespace trireme {
namespace {

using nlohmann::json;
using testing::ElementsAre;

class RecordIntakeTest : public KinesisTest {
 protected:
  RecordIntakeTest()
      : intake_(&served_, [](const HttpRequest&) { return std::nullopt; }) {}

  static HttpRequest Post(const std::string& target, const std::string& body,
                          const std::string& type = "text/plain") {
    HttpRequest request;
    request.method = "POST";
    request.target = target;
    request.headers = {{"content-type", type}};
    request.body = body;
    return request;
  }
  std::pair<int, json> Take(HttpRequest request) {
    auto exchange = std::make_shared<FakeExchange>(std::move(request));
    intake_.Serve(exchange);
    Settle(*exchange);
    EXPECT_TRUE(exchange->answered());
    return {exchange->response().status, json::parse(exchange->body())};
  }
  struct Kept {
    std::vector<std::string> data, keys;
  };
  Kept Records() {
    Kept kept;
    const json read = Ok(
        "GetRecords", {{"ShardIterator", Iterator("s", "0", "TRIM_HORIZON")}});
    for (const json& record : read["Records"]) {
      std::string data;
      absl::Base64Unescape(record["Data"].get<std::string>(), &data);
      kept.data.push_back(data);
      kept.keys.push_back(record["PartitionKey"]);
    }
    return kept;
  }

  RecordIntake intake_;
};

TEST_F(RecordIntakeTest, TakesItsPathsOnly) {
  EXPECT_TRUE(RecordIntake::Takes(Post("/streams/s/records", "")));
  EXPECT_TRUE(RecordIntake::Takes(Post("/streams/s/records?x=1", "")));
  EXPECT_FALSE(RecordIntake::Takes(Post("/streams//records", "")));
  EXPECT_FALSE(RecordIntake::Takes(Post("/", "")));
  EXPECT_FALSE(RecordIntake::Takes(Post("/streams/s", "")));
}

TEST_F(RecordIntakeTest, ABodyOfAnyTypeIsOneRecord) {
  node_.CreateActive("s", 1);
  const std::string binary("\0\xff[", 3);
  const auto [status, answer] =
      Take(Post("/streams/s/records?partition_key=a%20b+c", binary));
  EXPECT_EQ(status, 200);
  EXPECT_EQ(answer["ShardId"], "shardId-000000000000");
  EXPECT_EQ(answer["SequenceNumber"].get<std::string>().size(), 56u);
  EXPECT_THAT(Records().data, ElementsAre(binary));
  EXPECT_THAT(Records().keys, ElementsAre("a b c"));
}

TEST_F(RecordIntakeTest, AJsonArrayIsABatchOfItsElementsAsSent) {
  node_.CreateActive("s", 1);
  const auto [status, answer] =
      Take(Post("/streams/s/records?partition_key_field=who.id",
                "[ {\"who\":{\"id\":7}, \"n\":1.0e3},\n"
                "{\"z\":12345678901234567890123,\"who\":{\"id\":\"x\"}} ]",
                "application/json; charset=utf-8"));
  EXPECT_EQ(status, 200) << answer;
  EXPECT_EQ(answer["FailedRecordCount"], 0);
  EXPECT_EQ(answer["Records"].size(), 2u);
  EXPECT_THAT(
      Records().data,
      ElementsAre("{\"who\":{\"id\":7}, \"n\":1.0e3}",
                  "{\"z\":12345678901234567890123,\"who\":{\"id\":\"x\"}}"));
  EXPECT_THAT(Records().keys, ElementsAre("7", "x"));
}

TEST_F(RecordIntakeTest, LinesOfNdjsonAreABatch) {
  node_.CreateActive("s", 1);
  HttpRequest request = Post("/streams/s/records", "{\"a\":1}\r\n\n{\"a\":2}",
                             "application/x-ndjson");
  request.headers.push_back({"x-partition-key", "k"});
  EXPECT_EQ(Take(request).first, 200);
  EXPECT_THAT(Records().data, ElementsAre("{\"a\":1}", "{\"a\":2}"));
  EXPECT_THAT(Records().keys, ElementsAre("k", "k"));
}

TEST_F(RecordIntakeTest, WithoutAKeyEachRecordGetsARandomOne) {
  node_.CreateActive("s", 1);
  Take(Post("/streams/s/records", "[1,2]", "application/json"));
  const std::vector<std::string> keys = Records().keys;
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_NE(keys[0], keys[1]);
}

TEST_F(RecordIntakeTest, WhatIsWrongIsSaid) {
  node_.CreateActive("s", 1);
  const auto message = [&](HttpRequest request, int status) {
    const auto [got, answer] = Take(std::move(request));
    EXPECT_EQ(got, status) << answer;
    return answer.value("message", "");
  };
  const std::string path = "/streams/s/records";
  EXPECT_EQ(message(Post("/streams/none/records", "x"), 404),
            "Stream none under account 000000000000 not found.");
  EXPECT_TRUE(absl::StrContains(
      message(Post(path, "[1,", "application/json"), 400), "no JSON array"));
  EXPECT_TRUE(absl::StrContains(
      message(Post(path, "[]", "application/json"), 400), "has 0 records"));
  EXPECT_TRUE(absl::StrContains(message(Post(path + "?key=1", "x"), 400),
                                "the query has 'key'"));
  for (const std::string bad : {"%zz", "%+1", "% 1", "%1", "%"}) {
    EXPECT_TRUE(absl::StrContains(
        message(Post(path + "?partition_key=" + bad, "x"), 400), "URL-encoded"))
        << bad;
  }
  const auto field = [&](const std::string& record) {
    return message(Post(path + "?partition_key_field=a.b", record), 400);
  };
  EXPECT_TRUE(absl::StrContains(field("x"), "record 1 is no JSON object"));
  EXPECT_TRUE(absl::StrContains(field("{\"a\":1}"), "has no field a.b"));
  for (const std::string key :
       {"1.5", "12345678901234567890123", "null", "\"\"", "{}", "[]"}) {
    EXPECT_TRUE(absl::StrContains(field("{\"a\":{\"b\":" + key + "}}"),
                                  "field a.b of record 1 is no key"))
        << key;
  }
  EXPECT_EQ(message(Post(path + "?partition_key=", "x"), 400),
            "the query's partition_key is empty");
  EXPECT_TRUE(absl::StrContains(
      message(Post(path + "?partition_key_field=a&partition_key=b", "x"), 400),
      "which is meant?"));
  EXPECT_EQ(message(Post(path + "?partition_key=%ff", "x"), 400),
            "the partition key is not UTF-8");
  HttpRequest get = Post(path, "");
  get.method = "GET";
  EXPECT_EQ(message(get, 405), "records are put with POST");
  EXPECT_THAT(Records().data, ElementsAre());
}

TEST_F(RecordIntakeTest, AnythingNotCommittedIsNot200) {
  node_.CreateActive("s", 1);
  node_.replicas.refuse_with.assign(
      64, MakeError(ErrorReason::kNoLeader, "no leader"));
  const auto [status, answer] =
      Take(Post("/streams/s/records", "[1,2]", "application/json"));
  EXPECT_EQ(status, 503) << answer;
  EXPECT_EQ(answer["FailedRecordCount"], 2);
  EXPECT_EQ(answer["Records"][0]["ErrorCode"],
            "ProvisionedThroughputExceededException");
}

TEST(SplitJsonArrayTest, GivesElementsAsTheyStand) {
  EXPECT_THAT(*SplitJsonArray(" [1 , {\"a\":[2]},\"]\" ] "),
              ElementsAre("1", "{\"a\":[2]}", "\"]\""));
  EXPECT_THAT(*SplitJsonArray("[]"), ElementsAre());
  for (const absl::string_view text :
       {"", "{}", "[", "[1", "[1,]", "[1 2]", "[1]x", "[,1]", "[\"\xff\"]"}) {
    EXPECT_FALSE(SplitJsonArray(text).has_value()) << text;
  }
  const std::string deep = absl::StrCat("[", std::string(1'000'000, '['));
  EXPECT_FALSE(SplitJsonArray(deep).has_value());
}

}  // namespace
}  // namespace trireme
