#include "server/record_encoding.h"

#include "gtest/gtest.h"
#include "storage/record.h"
#include "storage/sequence_number.h"
#include "trireme/v1/records.pb.h"

namespace trireme {
namespace {

constexpr BatchOrigin kOrigin{ShardIndex(3), 1'700'000'000, MakeCounter(9, 0),
                              1'700'000'123'456};

std::string Batch(const std::vector<RecordView>& records) {
  std::string batch;
  for (const RecordView& record : records) AppendRecord(record, &batch);
  return batch;
}

EncodedBatch Encoded(const std::vector<RecordView>& records) {
  auto bytes = EncodeRecords(kOrigin, Batch(records));
  EXPECT_TRUE(bytes.ok());
  return {std::make_shared<const std::string>(*bytes), kOrigin.first,
          static_cast<uint32_t>(records.size()), kOrigin.arrival_ms};
}

v1::GetRecordsResponse Parse(const RecordRun& run) {
  std::string bytes;
  for (const EncodedSpan& span : run.spans) bytes += std::string(span.bytes);
  v1::GetRecordsResponse message;
  EXPECT_TRUE(message.ParseFromString(bytes));
  return message;
}

TEST(RecordEncodingTest, RecordsParseAsMessagesWithAllTheirFields) {
  const std::string big(300, 'x');
  const std::string binary("\0\xff\n", 3);
  const auto bytes = EncodeRecords(
      kOrigin, Batch({{"k", binary}, {"schlüssel", ""}, {"k3", big}}));
  ASSERT_TRUE(bytes.ok());
  v1::GetRecordsResponse message;
  ASSERT_TRUE(message.ParseFromString(*bytes));
  ASSERT_EQ(message.records_size(), 3);
  EXPECT_EQ(message.records(0).data(), binary);
  EXPECT_EQ(message.records(1).partition_key(), "schlüssel");
  EXPECT_EQ(message.records(1).data(), "");
  EXPECT_EQ(message.records(2).data(), big);
  for (int i = 0; i < 3; ++i) {
    const v1::Record& record = message.records(i);
    EXPECT_EQ(record.approximate_arrival_timestamp().seconds(), 1'700'000'123);
    EXPECT_EQ(record.approximate_arrival_timestamp().nanos(), 456'000'000);
    const auto number = SequenceNumber::Parse(record.sequence_number());
    ASSERT_TRUE(number.ok());
    EXPECT_EQ(number->shard, ShardIndex(3));
    EXPECT_EQ(number->counter, MakeCounter(9, static_cast<uint32_t>(i)));
    EXPECT_EQ(number->record_s, 1'700'000'123u);
  }
  // Byte for byte what protobuf itself writes.
  EXPECT_EQ(message.SerializeAsString(), *bytes);
}

TEST(RecordEncodingTest, AKeyThatWasNotGivenIsLeftOut) {
  const auto bytes = EncodeRecords(kOrigin, Batch({{"", "d"}}));
  ASSERT_TRUE(bytes.ok());
  v1::GetRecordsResponse message;
  ASSERT_TRUE(message.ParseFromString(*bytes));
  ASSERT_EQ(message.records_size(), 1);
  EXPECT_EQ(message.records(0).data(), "d");
  // What protobuf would write of it.
  EXPECT_EQ(bytes->size(), message.ByteSizeLong());
}

TEST(RecordEncodingTest, AMalformedBatchIsDataLoss) {
  std::string batch = Batch({{"k", "data"}});
  batch.pop_back();
  EXPECT_EQ(EncodeRecords(kOrigin, batch).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(RecordEncodingTest, ARunBeginsInTheMiddleOfABatch) {
  const EncodedBatch batch = Encoded({{"k", "0"}, {"k", "1"}, {"k", "2"}});
  RecordRun run;
  run.next = batch.first + 1;
  EXPECT_TRUE(AppendToRun(batch, {100, 1000}, &run));
  const auto message = Parse(run);
  ASSERT_EQ(message.records_size(), 2);
  EXPECT_EQ(message.records(0).data(), "1");
  EXPECT_EQ(run.next, batch.first + 3);
  EXPECT_EQ(run.last_arrival_ms, kOrigin.arrival_ms);
  // All of it is passed now: nothing is taken twice.
  EXPECT_TRUE(AppendToRun(batch, {100, 1000}, &run));
  EXPECT_EQ(run.record_count, 2u);
}

TEST(RecordEncodingTest, ARunEndsAtItsNumberOfRecords) {
  const EncodedBatch batch = Encoded({{"k", "0"}, {"k", "1"}, {"k", "2"}});
  RecordRun run;
  EXPECT_FALSE(AppendToRun(batch, {2, 1 << 20}, &run));
  EXPECT_EQ(Parse(run).records_size(), 2);
  EXPECT_EQ(run.next, batch.first + 2);
}

TEST(RecordEncodingTest, ARunEndsAtItsBytesButTakesOneRecordOfAnySize) {
  const std::string big(5000, 'x');
  const EncodedBatch batch = Encoded({{"k", big}, {"k", "1"}});
  RecordRun run;
  EXPECT_FALSE(AppendToRun(batch, {100, 1000}, &run));
  EXPECT_EQ(run.record_count, 1u);
  EXPECT_EQ(Parse(run).records(0).data(), big);
}

}  // namespace
}  // namespace trireme
