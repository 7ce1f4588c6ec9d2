#include "storage/claims.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/state_fixture.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;

constexpr int64_t kStart = 1'700'000'000'000;

void AddClaim(uint32_t shard, uint32_t consumer, uint64_t subscription,
              v1::Command* command) {
  command->mutable_claim_shards()->set_held_ms(5'000);
  v1::ShardClaim& claim = *command->mutable_claim_shards()->add_claims();
  claim.set_stream_id(1);
  claim.set_shard(shard);
  claim.set_consumer(consumer);
  claim.set_subscription(subscription);
}

class ClaimsTest : public ::testing::Test {
 protected:
  // For how long each is refused; 0: granted.
  std::vector<int64_t> Apply(const v1::Command& command, int64_t stamp_ms) {
    const ApplyResult result = replica_.Command(1, command, stamp_ms);
    EXPECT_OK(result.status);
    v1::ClaimShardsReply reply;
    EXPECT_TRUE(reply.ParseFromString(result.reply));
    return {reply.refused_for_ms().begin(), reply.refused_for_ms().end()};
  }
  int64_t Claim(uint64_t subscription, int64_t stamp_ms, uint32_t shard = 0,
                uint32_t consumer = 1) {
    v1::Command command;
    AddClaim(shard, consumer, subscription, &command);
    return Apply(command, stamp_ms).at(0);
  }

  Replica replica_;
};

TEST_F(ClaimsTest, AClaimHoldsForFiveSecondsToTheMillisecond) {
  EXPECT_EQ(Claim(10, kStart), 0);
  EXPECT_EQ(Claim(11, kStart + 1), 4'999);
  EXPECT_EQ(Claim(11, kStart + 4'999), 1);
  EXPECT_EQ(Claim(12, kStart + 5'000), 0);
  // What was refused has moved nothing; what was granted holds anew.
  EXPECT_EQ(Claim(13, kStart + 5'001), 4'999);
}

TEST_F(ClaimsTest, AskingAgainIsGrantedAndDoesNotHoldLonger) {
  EXPECT_EQ(Claim(10, kStart), 0);
  EXPECT_EQ(Claim(10, kStart + 3'000), 0);
  EXPECT_EQ(Claim(11, kStart + 5'000), 0);
}

TEST_F(ClaimsTest, OtherShardsAndConsumersAreOthers) {
  EXPECT_EQ(Claim(10, kStart), 0);
  EXPECT_EQ(Claim(11, kStart, /*shard=*/1), 0);
  EXPECT_EQ(Claim(12, kStart, 0, /*consumer=*/2), 0);
  EXPECT_GT(Claim(13, kStart, 0, 2), 0);
}

TEST_F(ClaimsTest, ClaimsOfOneCommandAreTakenInTheirOrder) {
  v1::Command command;
  AddClaim(0, 1, 10, &command);
  AddClaim(0, 1, 11, &command);
  AddClaim(1, 1, 12, &command);
  EXPECT_THAT(Apply(command, kStart), ElementsAre(0, 5'000, 0));
}

TEST_F(ClaimsTest, ClaimsOutliveACrash) {
  EXPECT_EQ(Claim(10, kStart), 0);
  ASSERT_OK(replica_.state().Flush());
  replica_.Crash();
  EXPECT_EQ(Claim(11, kStart + 2'000), 3'000);
  EXPECT_EQ(Claim(11, kStart + 5'000), 0);
}

TEST_F(ClaimsTest, AReplicaThatCatchesUpKnowsThem) {
  EXPECT_EQ(Claim(10, kStart), 0);
  Replica behind;
  auto source = replica_.state().OpenSource(
      GroupId(1), *behind.state().DescribeHeld(GroupId(1)));
  ASSERT_OK(source);
  for (;;) {
    const auto chunk = (*source)->Next();
    ASSERT_OK(chunk);
    if (chunk->empty()) break;
    ASSERT_OK(behind.state().InstallChunk(GroupId(1), *chunk));
  }
  ASSERT_OK(behind.state().FinishInstall(GroupId(1), (*source)->position()));
  v1::Command command;
  AddClaim(0, 1, 11, &command);
  const ApplyResult result = behind.Command(1, command, kStart + 1'000);
  v1::ClaimShardsReply reply;
  ASSERT_TRUE(reply.ParseFromString(result.reply));
  EXPECT_THAT(reply.refused_for_ms(), ElementsAre(4'000));
}

TEST_F(ClaimsTest, OnlyThoseThatHoldAreKept) {
  Claims held;
  for (uint32_t i = 0; i < 1'000; ++i) {
    v1::Command command;
    AddClaim(i, 1, i, &command);
    held =
        DecideClaims(held, command.claim_shards(), kStart + i * 1'000).claims;
  }
  EXPECT_EQ(held.size(), 5u);
  const auto decoded = DecodeClaims(EncodeClaims(held));
  ASSERT_OK(decoded);
  EXPECT_EQ(decoded->size(), 5u);
  EXPECT_EQ(decoded->begin()->first, held.begin()->first);
  EXPECT_EQ(decoded->begin()->second.subscription, 995u);
  EXPECT_FALSE(DecodeClaims("\xff").ok());
}

TEST_F(ClaimsTest, TheMetaGroupTakesNone) {
  v1::Command command;
  AddClaim(0, 1, 10, &command);
  EXPECT_FALSE(replica_.Command(0, command, kStart).status.ok());
}

}  // namespace
}  // namespace trireme
