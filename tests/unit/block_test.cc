#include "storage/block.h"

#include <string>

#include "gtest/gtest.h"
#include "storage/record.h"

namespace trireme {
namespace {

const BlockId kId = {
    GroupId(1), {StreamId(2), ShardIndex(3)}, MakeCounter(4, 0)};

std::string MakeBlock(const BlockId& id) {
  std::string batch;
  AppendRecord({"key", "data"}, &batch);
  AppendRecord({"key", "more"}, &batch);
  const auto header = MakeBlockHeader(BlockKey(id).view(), 2, 1234, batch);
  return std::string(header.data(), header.size()) + batch;
}

TEST(BlockTest, RoundTrips) {
  const Key key = BlockKey(kId);
  const std::string value = MakeBlock(kId);
  const auto block = VerifyBlock(key.view(), value);
  ASSERT_TRUE(block.ok()) << block.status();
  EXPECT_EQ(block->record_count, 2u);
  EXPECT_EQ(block->arrival_ms, 1234);
  EXPECT_EQ(block->id.shard, kId.shard);
  EXPECT_EQ(block->last(), MakeCounter(4, 1));
  EXPECT_EQ(block->value, value);
}

TEST(BlockTest, EveryChangedBitIsNoticed) {
  const std::string key(BlockKey(kId).view());
  const std::string value = MakeBlock(kId);
  for (size_t bit = 0; bit < value.size() * 8; ++bit) {
    std::string damaged = value;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    ASSERT_EQ(VerifyBlock(key, damaged).status().code(),
              absl::StatusCode::kDataLoss);
  }
  for (size_t size = 0; size < value.size(); ++size) {
    ASSERT_EQ(VerifyBlock(key, absl::string_view(value).substr(0, size))
                  .status()
                  .code(),
              absl::StatusCode::kDataLoss);
  }
}

TEST(BlockTest, ABlockUnderAnotherKeyIsDamageAndIsNamed) {
  BlockId other = kId;
  other.shard.shard = ShardIndex(5);
  const std::string value = MakeBlock(kId);
  const auto block = VerifyBlock(BlockKey(other).view(), value);
  EXPECT_EQ(block.status().message(),
            "damaged block: checksum differs (group 1, stream 2, shard 5, "
            "counter 262144)");
}

}  // namespace
}  // namespace trireme
