#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "client/aggregation.h"

namespace trireme::client {
namespace {

// kinesis-contract.md §4.1.
constexpr char kVector[] =
    "f3899ac20a026b310a026b321a0508001a01411a0508011a0142233eeb3ceb54a5bad3249e"
    "423d1c1547";

ProducerRecord Put(const std::string& key, const std::string& data,
                   const std::string& hash_key = "") {
  return {.partition_key = key, .data = data, .explicit_hash_key = hash_key};
}

v1::Record Stored(const std::string& data) {
  v1::Record record;
  record.set_sequence_number("17");
  record.set_partition_key("a");
  record.mutable_approximate_arrival_timestamp()->set_seconds(3);
  record.mutable_approximate_arrival_timestamp()->set_nanos(5'000'000);
  record.set_data(data);
  return record;
}

std::string Encoded(const v1::AggregatedRecord& message) {
  std::string data = "\xF3\x89\x9A\xC2";
  const std::string bytes = message.SerializePartialAsString();
  const Md5Digest digest = *Md5(bytes);
  return data.append(bytes).append(digest.data(), digest.size());
}

std::vector<UserRecord> RecordsIn(const std::string& data,
                                  const HashKeyRange* range = nullptr) {
  std::vector<UserRecord> records;
  Deaggregate(Stored(data), range, &records);
  return records;
}

void ExpectAsItIs(const std::string& data) {
  const auto records = RecordsIn(data);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].data, data);
  EXPECT_EQ(records[0].partition_key, "a");
  EXPECT_FALSE(records[0].aggregated);
  EXPECT_EQ(records[0].position, (RecordPosition{"17", 0}));
}

TEST(AggregationTest, WritesTheBytesOfTheFormat) {
  Aggregate aggregate;
  aggregate.Add(Put("k1", "A"));
  aggregate.Add(Put("k2", "B"));
  EXPECT_EQ(absl::BytesToHexString(aggregate.Encode()), kVector);
}

TEST(AggregationTest, ReadsTheBytesOfTheFormat) {
  const auto records = RecordsIn(absl::HexStringToBytes(kVector));
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].partition_key, "k1");
  EXPECT_EQ(records[0].data, "A");
  EXPECT_EQ(records[0].position, (RecordPosition{"17", 0}));
  EXPECT_TRUE(records[0].aggregated);
  EXPECT_EQ(records[0].approximate_arrival_timestamp,
            absl::FromUnixMillis(3005));
  EXPECT_EQ(records[1].partition_key, "k2");
  EXPECT_EQ(records[1].data, "B");
  EXPECT_EQ(records[1].position, (RecordPosition{"17", 1}));
}

TEST(AggregationTest, TellsItsSizeAndWhatItWouldBe) {
  Aggregate aggregate;
  // Enough keys that indices take two bytes; some repeat, some are empty.
  for (int i = 0; i < 1000; ++i) {
    const ProducerRecord record =
        Put(absl::StrCat("key", i % 300), std::string(i % 200, 'd'),
            i % 3 == 0 ? absl::StrCat(i % 400) : "");
    const uint64_t expected = aggregate.BytesWith(record);
    aggregate.Add(record);
    ASSERT_EQ(aggregate.bytes(), expected);
    ASSERT_EQ(aggregate.Encode().size(), expected) << i;
  }
  EXPECT_EQ(aggregate.count(), 1000u);
}

TEST(AggregationTest, GivesBackWhatItTook) {
  Aggregate aggregate;
  aggregate.Add(Put("k", "1", "5"));
  aggregate.Add(Put("k", "2"));
  const auto records = aggregate.TakeRecords();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].partition_key, "k");
  EXPECT_EQ(records[0].explicit_hash_key, "5");
  EXPECT_EQ(records[0].data, "1");
  EXPECT_EQ(records[1].explicit_hash_key, "");
  EXPECT_EQ(aggregate.count(), 0u);
  EXPECT_EQ(aggregate.bytes(), kAggregateOverheadBytes);
  EXPECT_EQ(aggregate.Encode().size(), kAggregateOverheadBytes);
}

TEST(AggregationTest, AnAggregateThatIsNotTheShardsAloneIsLeftOut) {
  Aggregate aggregate;
  for (int i = 0; i < 4; ++i) {
    aggregate.Add(Put("k", absl::StrCat(i), absl::StrCat(10 * i)));
  }
  const HashKeyRange all{0, 30};
  const auto records = RecordsIn(aggregate.Encode(), &all);
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[2].position.sub_sequence_number, 2u);
  for (const HashKeyRange some : {HashKeyRange{0, 29}, HashKeyRange{1, 30},
                                  HashKeyRange{10, 20}, HashKeyRange{1, 9}}) {
    EXPECT_TRUE(RecordsIn(aggregate.Encode(), &some).empty());
  }
}

TEST(AggregationTest, ARecordThatIsNoAggregateIsGivenAsItIs) {
  const std::string vector = absl::HexStringToBytes(kVector);
  ExpectAsItIs("");
  ExpectAsItIs("plain");
  ExpectAsItIs(vector.substr(0, 20));
  for (size_t i = 0; i < vector.size(); ++i) {
    std::string damaged = vector;
    damaged[i] ^= 1;
    ExpectAsItIs(damaged);
    ExpectAsItIs(vector.substr(0, i));
  }
  ExpectAsItIs(vector + "x");
}

TEST(AggregationTest, AMessageThatPointsNowhereIsGivenAsItIs) {
  v1::AggregatedRecord message;
  message.add_partition_key_table("k");
  auto* const member = message.add_records();
  member->set_data("d");
  ExpectAsItIs(Encoded(message));  // No partition key.
  member->set_partition_key_index(1);
  ExpectAsItIs(Encoded(message));
  member->set_partition_key_index(UINT64_MAX);
  ExpectAsItIs(Encoded(message));
  member->set_partition_key_index(0);
  EXPECT_TRUE(RecordsIn(Encoded(message))[0].aggregated);
  member->set_explicit_hash_key_index(0);
  ExpectAsItIs(Encoded(message));
  message.add_explicit_hash_key_table("x");
  ExpectAsItIs(Encoded(message));  // No hash key.
  message.set_explicit_hash_key_table(0, "5");
  EXPECT_EQ(RecordsIn(Encoded(message))[0].explicit_hash_key, "5");
}

TEST(AggregationTest, AFewBytesDoNotBecomeMany) {
  v1::AggregatedRecord message;
  message.add_partition_key_table(std::string(1024, 'k'));
  for (int i = 0; i < 65'536; ++i) {
    auto* const member = message.add_records();
    member->set_partition_key_index(0);
    member->set_data("");
  }
  EXPECT_EQ(RecordsIn(Encoded(message)).size(), 65'536u);
  *message.add_records() = message.records(0);
  EXPECT_EQ(RecordsIn(Encoded(message)).size(), 1u) << "64 MiB of keys";
  v1::AggregatedRecord long_key;
  long_key.add_partition_key_table(std::string(1025, 'k'));
  *long_key.add_records() = message.records(0);
  EXPECT_FALSE(RecordsIn(Encoded(long_key))[0].aggregated);
}

}  // namespace
}  // namespace trireme::client
