#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "client/failure_destination.h"
#include "gtest/gtest.h"
#include "tests/unit/batch_fixture.h"
#include "tests/unit/fake_trireme.h"

namespace trireme::client {
namespace {

using Json = nlohmann::json;

class FailureDestinationTest : public ::testing::Test {
 protected:
  FailureDestinationTest() {
    records_ = {RecordOf(1),
                RecordOf(2, "key", TestStart() + absl::Milliseconds(1500))};
    batch_.request_id = "id";
    batch_.stream_name = "orders";
    batch_.shard_id = "shardId-000000000003";
    batch_.group_name = "group";
    batch_.worker_id = "worker";
    batch_.reason = DiscardReason::kRetryAttemptsExhausted;
    batch_.invoke_count = 2;
    batch_.error = absl::InternalError("no");
    batch_.time = TestStart() + absl::Seconds(5);
    batch_.records = records_;
  }

  std::vector<UserRecord> records_;
  DiscardedBatch batch_;
};

TEST_F(FailureDestinationTest, TheFailureRecordSaysWhatFailed) {
  batch_.stream_arn = "arn:orders";
  const Json expected = {
      {"requestContext",
       {{"requestId", "id"},
        {"consumerGroup", "group"},
        {"workerId", "worker"},
        {"condition", "RetryAttemptsExhausted"},
        {"approximateInvokeCount", 2}}},
      {"responseContext",
       {{"functionError", "Unhandled"}, {"errorMessage", "INTERNAL: no"}}},
      {"version", "1.0"},
      {"timestamp", "2027-01-15T08:00:05.000Z"},
      {"KinesisBatchInfo",
       {{"shardId", "shardId-000000000003"},
        {"startSequenceNumber", PositionOf(1).sequence_number},
        {"endSequenceNumber", PositionOf(2).sequence_number},
        {"approximateArrivalOfFirstRecord", "2027-01-15T08:00:00.000Z"},
        {"approximateArrivalOfLastRecord", "2027-01-15T08:00:01.500Z"},
        {"batchSize", 2},
        {"streamName", "orders"},
        {"streamArn", "arn:orders"}}}};
  EXPECT_EQ(Json::parse(FailureRecordJson(batch_, false)), expected);
}

TEST_F(FailureDestinationTest, ReportedRecordsGiveNoErrorAndAgeNoResponse) {
  batch_.error = std::nullopt;
  Json json = Json::parse(FailureRecordJson(batch_, false));
  EXPECT_EQ(json["responseContext"], Json({{"functionError", nullptr}}));
  EXPECT_FALSE(json["KinesisBatchInfo"].contains("streamArn"));
  batch_.reason = DiscardReason::kRecordAgeExceeded;
  json = Json::parse(FailureRecordJson(batch_, false));
  EXPECT_FALSE(json.contains("responseContext"));
  EXPECT_EQ(json["requestContext"]["condition"], "RecordAgeExceeded");
}

TEST_F(FailureDestinationTest, RecordsAreAddedInBase64) {
  records_[0].data = "\xff";
  records_[0].partition_key = "\xff";  // Not UTF-8: shown as well as can be.
  records_[1].aggregated = true;
  records_[1].position.sub_sequence_number = 4;
  const Json json = Json::parse(FailureRecordJson(batch_, true));
  const Json& records = json["payload"]["Records"];
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0]["kinesis"]["data"], "/w==");
  EXPECT_EQ(records[1]["kinesis"]["subSequenceNumber"], 4);
  EXPECT_EQ(records[1]["kinesis"]["approximateArrivalTimestamp"],
            1'800'000'001.5);
  EXPECT_EQ(json["KinesisBatchInfo"]["endSubSequenceNumber"], 4);
  EXPECT_FALSE(json["KinesisBatchInfo"].contains("startSubSequenceNumber"));
}

class StreamFailureDestinationTest : public FailureDestinationTest {
 protected:
  void SetUp() override {
    ClientOptions options;
    options.endpoints = {fake_.address()};
    auto client = Client::Create(std::move(options));
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
    ASSERT_TRUE(client_->CreateStream("failures", 1).ok());
    ASSERT_TRUE(client_->WaitUntilActive("failures", absl::Seconds(10)).ok());
  }

  testing::FakeTrireme fake_;
  std::unique_ptr<Client> client_;
};

TEST_F(StreamFailureDestinationTest, PutsTheFailureRecord) {
  StreamFailureDestination destination(*client_, {.stream_name = "failures"});
  ASSERT_TRUE(destination.Send(batch_).ok());
  const auto put = fake_.records("failures");
  ASSERT_EQ(put.size(), 1u);
  EXPECT_EQ(put[0].partition_key(), "shardId-000000000003");
  EXPECT_EQ(put[0].data(), FailureRecordJson(batch_, false));
}

TEST_F(StreamFailureDestinationTest, LeavesOutRecordsThatWouldNotFit) {
  StreamFailureDestination destination(
      *client_, {.stream_name = "failures", .with_records = true});
  ASSERT_TRUE(destination.Send(batch_).ok());
  records_[0].data = std::string(1 << 20, 'x');
  ASSERT_TRUE(destination.Send(batch_).ok());
  const auto put = fake_.records("failures");
  ASSERT_EQ(put.size(), 2u);
  EXPECT_TRUE(Json::parse(put[0].data()).contains("payload"));
  const Json omitted = Json::parse(put[1].data());
  EXPECT_FALSE(omitted.contains("payload"));
  EXPECT_EQ(omitted["payloadOmitted"], true);
}

TEST_F(StreamFailureDestinationTest, AnErrorIsHandedOn) {
  StreamFailureDestination destination(*client_, {.stream_name = "absent"});
  EXPECT_FALSE(destination.Send(batch_).ok());
}

}  // namespace
}  // namespace trireme::client
