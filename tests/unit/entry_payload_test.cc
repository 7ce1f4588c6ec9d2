#include "storage/entry_payload.h"

#include <random>

#include "gtest/gtest.h"
#include "storage/record.h"

namespace trireme {
namespace {

ShardKey Key(uint32_t stream, uint32_t shard) {
  return {StreamId(stream), ShardIndex(shard)};
}

std::string BatchOf(int records, absl::string_view data) {
  std::string batch;
  for (int i = 0; i < records; ++i) AppendRecord({"key", data}, &batch);
  return batch;
}

TEST(EntryPayloadTest, PiecesOfAShardBecomeOneBatch) {
  const std::string a1 = BatchOf(2, "one");
  const std::string a2 = BatchOf(3, "two");
  const std::string b = BatchOf(1, "three");
  const std::vector<ShardBatch> pieces = {
      {Key(1, 5), 2, a1}, {Key(1, 5), 3, a2}, {Key(1, 2), 1, b}};
  const std::string payload = EncodeRecordsPayload(123'456, pieces);
  const auto decoded = DecodePayload(payload);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->kind, PayloadKind::kRecords);
  EXPECT_EQ(decoded->stamp_ms, 123'456);
  ASSERT_EQ(decoded->batches.size(), 2u);
  EXPECT_EQ(decoded->batches[0].shard, Key(1, 5));
  EXPECT_EQ(decoded->batches[0].record_count, 5u);
  EXPECT_EQ(decoded->batches[0].batch, a1 + a2);
  EXPECT_EQ(decoded->batches[1].shard, Key(1, 2));
  EXPECT_EQ(decoded->batches[1].batch, b);
}

// Pieces of which some are stamped, of two shards.
struct StampedPieces {
  StampedPieces() {
    const auto stamp = [](std::string producer, std::vector<uint64_t> numbers) {
      return std::make_shared<const ProducerStamp>(
          ProducerStamp{std::move(producer), 3, 1, std::move(numbers)});
    };
    pieces = {{Key(1, 5), 2, two},
              {Key(1, 5), 3, three, {{0, stamp("p", {7, 8, 9})}}},
              {Key(1, 5), 2, two, {{0, stamp("q", {1, 2})}}},
              {Key(1, 6), 3, three, {{1, stamp("p", {10})}}}};
  }

  const std::string two = BatchOf(2, "two");
  const std::string three = BatchOf(3, "three");
  std::vector<ShardBatch> pieces;
};

TEST(EntryPayloadTest, StampsStandAtTheirRecords) {
  const StampedPieces stamped;
  const std::string payload = EncodeRecordsPayload(5, stamped.pieces);
  const auto decoded = DecodePayload(payload);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->kind, PayloadKind::kRecords);
  ASSERT_EQ(decoded->batches.size(), 2u);
  const std::vector<StampedRecords>& first = decoded->batches[0].stamped;
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].first, 2u);
  EXPECT_EQ(first[0].stamp->producer, "p");
  EXPECT_EQ(first[0].stamp->epoch, 3u);
  EXPECT_EQ(first[0].stamp->oldest_number, 1u);
  EXPECT_EQ(first[0].stamp->numbers, (std::vector<uint64_t>{7, 8, 9}));
  EXPECT_EQ(first[1].first, 5u);
  EXPECT_EQ(first[1].stamp->producer, "q");
  ASSERT_EQ(decoded->batches[1].stamped.size(), 1u);
  EXPECT_EQ(decoded->batches[1].stamped[0].first, 1u);
  EXPECT_EQ(EncodeRecordsPayload(5, decoded->batches), payload);
}

TEST(EntryPayloadTest, EveryCutOfAStampedPayloadIsDataLoss) {
  const StampedPieces stamped;
  const std::string payload = EncodeRecordsPayload(5, stamped.pieces);
  for (size_t size = 0; size < payload.size(); ++size) {
    const auto decoded =
        DecodePayload(absl::string_view(payload).substr(0, size));
    ASSERT_EQ(decoded.status().code(), absl::StatusCode::kDataLoss) << size;
  }
  EXPECT_FALSE(DecodePayload(payload + "x").ok());
}

TEST(EntryPayloadTest, AStampOfRecordsThatAreNotThereIsDataLoss) {
  const auto stamp =
      std::make_shared<const ProducerStamp>(ProducerStamp{"p", 1, 1, {1, 2}});
  const std::string batch = BatchOf(3, "data");
  const auto decode = [&](std::vector<StampedRecords> stamped) {
    const std::vector<ShardBatch> pieces = {
        {Key(1, 1), 3, batch, std::move(stamped)}};
    return DecodePayload(EncodeRecordsPayload(1, pieces)).status();
  };
  EXPECT_TRUE(decode({{1, stamp}}).ok());
  EXPECT_TRUE(absl::IsDataLoss(decode({{2, stamp}})));
  EXPECT_TRUE(absl::IsDataLoss(decode({{0xffffffff, stamp}})));
  EXPECT_TRUE(absl::IsDataLoss(decode({{0, stamp}, {1, stamp}})));
  EXPECT_TRUE(
      absl::IsDataLoss(decode({{0, std::make_shared<const ProducerStamp>()}})));
}

TEST(EntryPayloadTest, CommandsRoundTrip) {
  const std::string payload = EncodeCommandPayload(-5, "the command");
  const auto decoded = DecodePayload(payload);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->kind, PayloadKind::kCommand);
  EXPECT_EQ(decoded->stamp_ms, -5);
  EXPECT_EQ(decoded->command, "the command");
}

TEST(EntryPayloadTest, EveryCutOfARecordsPayloadIsDataLoss) {
  const std::string a = BatchOf(2, "one");
  const std::string b = BatchOf(1, "two");
  const std::vector<ShardBatch> pieces = {{Key(1, 1), 2, a}, {Key(1, 2), 1, b}};
  const std::string payload = EncodeRecordsPayload(1, pieces);
  for (size_t size = 0; size < payload.size(); ++size) {
    const auto decoded =
        DecodePayload(absl::string_view(payload).substr(0, size));
    ASSERT_EQ(decoded.status().code(), absl::StatusCode::kDataLoss) << size;
  }
  EXPECT_FALSE(DecodePayload(payload + "x").ok());
}

TEST(EntryPayloadTest, ChangedBytesNeverReadOutside) {
  const std::string a = BatchOf(20, "some data");
  const std::vector<ShardBatch> pieces = {{Key(1, 1), 20, a},
                                          {Key(1, 2), 20, a}};
  const std::string good = EncodeRecordsPayload(1, pieces);
  std::mt19937_64 random(3);
  int refused = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string payload = good;
    for (uint64_t changes = random() % 4 + 1; changes > 0; --changes) {
      // Mostly in the two headers, where the lengths are.
      const size_t at = random() % (random() % 4 == 0 ? payload.size() : 48);
      payload[at] = static_cast<char>(random());
    }
    const auto decoded = DecodePayload(payload);
    refused += !decoded.ok();
    if (!decoded.ok()) continue;
    for (const ShardBatch& batch : decoded->batches) {
      ASSERT_GE(batch.batch.data(), payload.data());
      ASSERT_LE(batch.batch.data() + batch.batch.size(),
                payload.data() + payload.size());
      RecordBatchReader reader(batch.batch);
      RecordView record;
      while (reader.Next(&record)) {
      }
    }
  }
  EXPECT_GT(refused, 10'000);
}

TEST(EntryPayloadTest, RefusesAShardThatComesTwice) {
  const std::string a = BatchOf(1, "x");
  const std::vector<ShardBatch> pieces = {{Key(1, 1), 1, a}, {Key(1, 2), 1, a}};
  std::string payload = EncodeRecordsPayload(1, pieces);
  const size_t second_shard =
      kPayloadHeaderBytes + kShardBatchHeaderBytes + a.size() + 4;
  payload[second_shard] = 1;
  EXPECT_EQ(DecodePayload(payload).status().code(),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace trireme
