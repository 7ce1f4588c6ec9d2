#include "server/shard_iterator.h"

#include "gtest/gtest.h"
#include "storage/errors.h"

namespace trireme {
namespace {

const absl::Time kNow = absl::FromUnixMillis(1'700'000'000'000);
const ShardIterator kIterator{{StreamId(7), ShardIndex(4)}, 0x123456789abcdef0};

TEST(ShardIteratorTest, ATokenGivesItsPositionBack) {
  const TokenSigner signer("cluster", "");
  const std::string token = EncodeShardIterator(signer, kIterator, kNow);
  EXPECT_LE(token.size(), 512u);
  const auto decoded = DecodeShardIterator(signer, token, kNow);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->shard, kIterator.shard);
  EXPECT_EQ(decoded->next, kIterator.next);
}

TEST(ShardIteratorTest, DoubleQuotesAroundATokenAreAccepted) {
  const TokenSigner signer("cluster", "");
  const std::string token = EncodeShardIterator(signer, kIterator, kNow);
  EXPECT_TRUE(DecodeShardIterator(signer, "\"" + token + "\"", kNow).ok());
}

TEST(ShardIteratorTest, ATokenLivesFor300Seconds) {
  const TokenSigner signer("cluster", "");
  const std::string token = EncodeShardIterator(signer, kIterator, kNow);
  EXPECT_TRUE(
      DecodeShardIterator(signer, token, kNow + absl::Milliseconds(300'000))
          .ok());
  const auto expired =
      DecodeShardIterator(signer, token, kNow + absl::Milliseconds(300'001));
  EXPECT_EQ(ReasonOf(expired.status()), ErrorReason::kExpiredIterator);
  EXPECT_EQ(expired.status().message(),
            "Iterator expired. The iterator was created at time Tue Nov 14 "
            "22:13:20 UTC 2023 while right now it is Tue Nov 14 22:18:20 UTC "
            "2023 which is further in the future than the tolerated delay of "
            "300000 milliseconds.");
}

TEST(ShardIteratorTest, AChangedTokenIsRefused) {
  const TokenSigner signer("cluster", "");
  const std::string token = EncodeShardIterator(signer, kIterator, kNow);
  for (size_t i = 0; i < token.size(); ++i) {
    std::string forged = token;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    // The last character may hold bits that are not part of the bytes.
    if (i + 1 == token.size()) forged = token + "AAAA";
    const auto decoded = DecodeShardIterator(signer, forged, kNow);
    EXPECT_EQ(ReasonOf(decoded.status()), ErrorReason::kInvalidArgument) << i;
    EXPECT_EQ(decoded.status().message(), "Invalid ShardIterator.");
  }
  for (const char* text : {"", "\"", "\"\"", "AAAA", "not base64 at all!"}) {
    EXPECT_FALSE(DecodeShardIterator(signer, text, kNow).ok()) << text;
  }
}

TEST(ShardIteratorTest, TokensOfOtherClustersSecretsAndKindsAreRefused) {
  const TokenSigner signer("cluster", "secret");
  const std::string token = EncodeShardIterator(signer, kIterator, kNow);
  EXPECT_FALSE(
      DecodeShardIterator(TokenSigner("other", "secret"), token, kNow).ok());
  EXPECT_FALSE(
      DecodeShardIterator(TokenSigner("cluster", "guess"), token, kNow).ok());
  EXPECT_FALSE(
      DecodeNextToken(signer, ListOperation::kListShards, token, kNow).ok());
}

TEST(ShardIteratorTest, EachGenerationHasATokenOfItsOwn) {
  const TokenSigner signer("cluster", "");
  ShardIterator next = kIterator;
  ++next.generation;
  const std::string token = EncodeShardIterator(signer, next, kNow);
  EXPECT_NE(token, EncodeShardIterator(signer, kIterator, kNow));
  EXPECT_EQ(DecodeShardIterator(signer, token, kNow)->generation, 1u);
}

TEST(NextTokenTest, ATokenGivesItsPositionBackUntilItExpires) {
  const TokenSigner signer("cluster", "");
  const std::string token =
      EncodeNextToken(signer, ListOperation::kListShards,
                      {"orders", StreamId(3), ShardIndex(99)}, kNow);
  const auto position =
      DecodeNextToken(signer, ListOperation::kListShards, token, kNow);
  ASSERT_TRUE(position.ok());
  EXPECT_EQ(position->name, "orders");
  EXPECT_EQ(position->stream, StreamId(3));
  EXPECT_EQ(position->shard, ShardIndex(99));
  const auto expired =
      DecodeNextToken(signer, ListOperation::kListShards, token,
                      kNow + absl::Milliseconds(300'001));
  EXPECT_EQ(ReasonOf(expired.status()), ErrorReason::kExpiredNextToken);
}

TEST(NextTokenTest, ATokenIsGoodForItsOwnOperationOnly) {
  const TokenSigner signer("cluster", "");
  const auto lists = {ListOperation::kListStreams, ListOperation::kListShards};
  for (const ListOperation given : lists) {
    const std::string token =
        EncodeNextToken(signer, given, {"orders", StreamId(3), {}}, kNow);
    for (const ListOperation used : lists) {
      const auto position = DecodeNextToken(signer, used, token, kNow);
      if (used == given) {
        EXPECT_TRUE(position.ok());
      } else {
        EXPECT_EQ(ReasonOf(position.status()), ErrorReason::kInvalidArgument);
      }
    }
  }
}

}  // namespace
}  // namespace trireme
