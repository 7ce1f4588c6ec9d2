// Puts of numbered producers, through the Broker.
#include "gmock/gmock.h"
#include "server/limits.h"
#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;

class ExactlyOnceTest : public ::testing::Test {
 protected:
  void SetUp() override { node_.CreateActive("s", 2); }

  absl::StatusOr<PutRecordsResponse> Put(const std::vector<PutEntry>& records,
                                         const PutProducer& producer,
                                         const std::string& stream = "s") {
    TestNode::Answer<PutRecordsResponse> answer;
    PutRecordsRequest request;
    request.stream.name = stream;
    request.records = records;
    request.producer = producer;
    node_.broker.PutRecords(request, TestNode::kTimeout, answer.Callback());
    return node_.Take(answer);
  }
  absl::StatusOr<PutResult> PutOne(const PutEntry& record,
                                   const PutProducer& producer) {
    TestNode::Answer<PutResult> answer;
    PutRecordRequest request;
    request.stream.name = "s";
    request.record = record;
    request.producer = producer;
    node_.broker.PutRecord(request, TestNode::kTimeout, answer.Callback());
    return node_.Take(answer);
  }
  std::string RefusalOf(const std::vector<PutEntry>& records,
                        const PutProducer& producer) {
    const absl::Status status = Put(records, producer).status();
    EXPECT_EQ(ReasonOf(status), ErrorReason::kInvalidArgument) << status;
    return std::string(status.message());
  }

  const PutProducer producer_{"orders-1", 1, 1};
  TestNode node_;
};

TEST_F(ExactlyOnceTest, ARepeatedCallFindsItsRecords) {
  const std::vector<PutEntry> records = {
      {"one", "a", "", 1}, {"two", "b", "", 2}, {"three", "c", "", 3}};
  const auto first = Put(records, producer_);
  ASSERT_OK(first);
  node_.Advance(absl::Seconds(30));
  std::vector<PutEntry> more = records;
  more.push_back({"four", "b", "", 4});
  const auto again = Put(more, producer_);
  ASSERT_OK(again);
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_OK(again->records[i].status);
    EXPECT_TRUE(again->records[i].duplicate);
    EXPECT_EQ(again->records[i].sequence_number,
              first->records[i].sequence_number);
  }
  EXPECT_FALSE(again->records[3].duplicate);
  const auto single = PutOne({"two", "b", "", 2}, producer_);
  ASSERT_OK(single);
  EXPECT_TRUE(single->duplicate);
  EXPECT_EQ(single->sequence_number, first->records[1].sequence_number);
}

TEST_F(ExactlyOnceTest, SubscribersAndReadersSeeARecordOnce) {
  ASSERT_OK(Put({{"one", "a", "0", 1}}, producer_));
  ASSERT_OK(Put({{"one", "a", "0", 1}, {"two", "a", "0", 2}}, producer_));
  const auto iterator =
      node_.Iterator("s", "0", ShardIteratorType::kTrimHorizon);
  ASSERT_OK(iterator);
  const auto read = node_.Get(*iterator);
  ASSERT_OK(read);
  v1::GetRecordsResponse message;
  ASSERT_TRUE(message.ParseFromString(BytesOf(read->records)));
  ASSERT_EQ(message.records_size(), 2);
  EXPECT_EQ(message.records(0).data(), "one");
  EXPECT_EQ(message.records(1).data(), "two");
}

TEST_F(ExactlyOnceTest, AReshardForgetsNothing) {
  // All in shard 0, the lower half of the hash keys.
  const std::vector<PutEntry> records = {{"low", "a", "0", 1},
                                         {"high", "b", "9", 2}};
  const auto first = Put(records, producer_);
  ASSERT_OK(first);
  ASSERT_OK(node_.Split("s", "0", "5"));
  node_.lifecycle.RunOnce();
  node_.Settle();
  const StreamPtr stream = node_.replica.state().catalog().Find("s");
  ASSERT_EQ(stream->shards.size(), 4u);
  ASSERT_EQ(stream->status, StreamStatus::kActive);

  const auto again =
      Put({{"low", "a", "0", 1}, {"high", "b", "9", 2}, {"new", "a", "0", 3}},
          producer_);
  ASSERT_OK(again);
  EXPECT_EQ(again->records[0].sequence_number,
            first->records[0].sequence_number);
  EXPECT_EQ(again->records[1].sequence_number,
            first->records[1].sequence_number);
  EXPECT_TRUE(again->records[1].duplicate);
  EXPECT_EQ(again->records[2].sequence_number.shard, ShardIndex(2));
  // A child that the producer has not put to fences its older epochs too.
  ASSERT_OK(Put({{"x", "a", "0", 4}}, {"orders-1", 2, 1}));
  const auto fenced = PutOne({"y", "a", "0", 5}, producer_);
  EXPECT_EQ(ReasonOf(fenced.status()), ErrorReason::kProducerFenced);
}

TEST_F(ExactlyOnceTest, WhatIsRefusedIsTheRecordsOwn) {
  ASSERT_OK(Put({{"one", "a", "", 1}}, producer_));
  ASSERT_OK(Put({{"seven", "a", "", 7}}, {"orders-1", 1, 6}));
  const auto late = Put({{"two", "a", "", 2}}, producer_);
  ASSERT_OK(late);
  EXPECT_EQ(ReasonOf(late->records[0].status),
            ErrorReason::kStaleProducerNumber);
  EXPECT_EQ(ReasonOf(PutOne({"two", "a", "", 2}, producer_).status()),
            ErrorReason::kStaleProducerNumber);
}

TEST_F(ExactlyOnceTest, ARequestsNumbersAreChecked) {
  EXPECT_THAT(RefusalOf({{"d", "a", "", 0}}, producer_),
              HasSubstr("number 0 of producer orders-1 must be at least 1"));
  EXPECT_THAT(RefusalOf({{"d", "a", "", 4}}, {"p", 1, 5}),
              HasSubstr("number 4 of producer p must be at least 1 and "
                        "oldest_number, 5"));
  EXPECT_THAT(RefusalOf({{"d", "a", "", 5 + 65'536}}, {"p", 1, 5}),
              HasSubstr("less than 65536 above it"));
  EXPECT_THAT(RefusalOf({{"d", "a", "", 5}, {"d", "b", "", 5}}, producer_),
              HasSubstr("two records have the number 5"));
  EXPECT_THAT(RefusalOf({{"d", "a", "", 1}}, {"", 1, 1}),
              HasSubstr("producer_id '' of 0 bytes"));
  EXPECT_THAT(RefusalOf({{"d", "a", "", 1}}, {"no spaces", 1, 1}),
              HasSubstr("[a-zA-Z0-9_.:-]"));
  const std::string longest(128, 'p');
  EXPECT_OK(Put({{"d", "a", "", 1}}, {longest, 1, 1}));
  EXPECT_THAT(RefusalOf({{"d", "a", "", 1}}, {longest + "p", 1, 1}),
              HasSubstr("of 129 bytes"));
  const auto nobodys = node_.PutAll("s", {{"d", "a", "", 9}});
  EXPECT_THAT(std::string(nobodys.status().message()),
              HasSubstr("the number 9, but the request names no producer"));
  // The highest numbers there are.
  const uint64_t highest = ~uint64_t{0};
  EXPECT_OK(Put({{"d", "a", "", highest}}, {"high", 1, highest}));
}

}  // namespace
}  // namespace trireme
