#include "server/router.h"

#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

const Account kAccount{"123456789012", "eu-north-1"};

ErrorReason ReasonFor(absl::string_view name, absl::string_view arn,
                      absl::string_view id = "") {
  return ReasonOf(ResolveStream({name, arn, false, id}, kAccount).status());
}

TEST(ResourceNamesTest, AStreamIsNamedByNameOrArnOrBothIfTheyAgree) {
  const std::string arn = StreamArn(kAccount, "orders");
  EXPECT_EQ(arn, "arn:aws:kinesis:eu-north-1:123456789012:stream/orders");
  EXPECT_EQ(ResolveStream({"orders", ""}, kAccount)->name, "orders");
  EXPECT_EQ(ResolveStream({"", arn}, kAccount)->name, "orders");
  EXPECT_EQ(ResolveStream({"orders", arn}, kAccount)->name, "orders");
  EXPECT_EQ(ReasonFor("other", arn), ErrorReason::kInvalidArgument);
  EXPECT_EQ(ReasonFor("", ""), ErrorReason::kInvalidArgument);
}

TEST(ResourceNamesTest, MalformedAndForeignNamesAreRefused) {
  EXPECT_EQ(ReasonFor("a b", ""), ErrorReason::kValidation);
  EXPECT_EQ(ReasonFor(std::string(129, 'a'), ""), ErrorReason::kValidation);
  EXPECT_EQ(ReasonFor("", "arn:aws:kinesis:eu-north-1:123:stream/x"),
            ErrorReason::kValidation);
  EXPECT_EQ(ReasonFor("", "arn:aws:s3:eu-north-1:123456789012:stream/x"),
            ErrorReason::kValidation);
  EXPECT_EQ(ReasonFor("", "arn:aws:kinesis:eu-north-1:999999999999:stream/x"),
            ErrorReason::kResourceNotFound);
}

TEST(ResourceNamesTest, AStreamIdIsItsNumberInAForm) {
  const std::string id = StreamIdToString(StreamId(4'294'967'295));
  EXPECT_EQ(id, "00000000004294967295-000");
  const auto ref = ResolveStream({"", "", false, id}, kAccount);
  ASSERT_OK(ref);
  EXPECT_EQ(ref->name, "");
  EXPECT_EQ(ref->id, StreamId(4'294'967'295));
  EXPECT_EQ(ResolveStream({"n", "", false, id}, kAccount)->name, "n");
  for (const char* malformed :
       {"1", "0000000000000000000x_000", "0000000000000000000X-000",
        "00000000000000000001-0000"}) {
    EXPECT_EQ(ReasonFor("", "", malformed), ErrorReason::kValidation)
        << malformed;
  }
  for (const char* none :
       {"00000000004294967296-000", "0000000000000000000x-000",
        "00000000000000000001-abc"}) {
    EXPECT_EQ(ReasonFor("", "", none), ErrorReason::kResourceNotFound) << none;
  }
}

TEST(RouterTest, AStreamIsFoundByItsIdAndNeverAnotherOfItsName) {
  TestNode node;
  const std::string id = StreamIdToString(node.CreateActive("s", 1)->id);
  const auto describe = [&](const StreamAddress& address) {
    TestNode::Answer<StreamPtr> answer;
    node.broker.DescribeStreamSummary(address, TestNode::kTimeout,
                                      answer.Callback());
    return node.Take(answer);
  };
  ASSERT_OK(describe({"", "", false, id}));
  ASSERT_OK(describe({"s", "", false, id}));
  EXPECT_EQ(ReasonOf(describe({"t", "", false, id}).status()),
            ErrorReason::kInvalidArgument);
  node.Advance(absl::Seconds(1));
  absl::Status deleted = absl::InternalError("not answered");
  node.broker.DeleteStream({{"", "", false, id}}, TestNode::kTimeout,
                           [&](absl::Status status) { deleted = status; });
  node.Settle();
  ASSERT_OK(deleted);
  node.CreateActive("s", 1);
  EXPECT_EQ(ReasonOf(describe({"", "", false, id}).status()),
            ErrorReason::kResourceNotFound);
}

TEST(RouterTest, AKeysHashPicksItsShard) {
  TestNode node;
  const StreamPtr stream = node.CreateActive("s", 4);
  // MD5("a") begins with 0c, MD5("test") with 09: both in the first quarter.
  EXPECT_EQ((*ShardOf(*stream, "a", ""))->index, ShardIndex(0));
  EXPECT_EQ((*ShardOf(*stream, "test", ""))->index, ShardIndex(0));
  // MD5("partitionKey-1") is 159496..., in the second.
  EXPECT_EQ((*ShardOf(*stream, "partitionKey-1", ""))->index, ShardIndex(1));
}

TEST(RouterTest, AnExplicitHashKeyTakesTheKeysPlaceAndBordersAreExact) {
  TestNode node;
  const StreamPtr stream = node.CreateActive("s", 4);
  const auto shard = [&](const std::string& hash) {
    return (*ShardOf(*stream, "a", hash))->index.value();
  };
  EXPECT_EQ(shard("85070591730234615865843651857942052863"), 0u);
  EXPECT_EQ(shard("85070591730234615865843651857942052864"), 1u);
  EXPECT_EQ(shard("340282366920938463463374607431768211455"), 3u);
  const auto beyond =
      ShardOf(*stream, "a", "340282366920938463463374607431768211456");
  EXPECT_EQ(beyond.status().message(),
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: "
            "[0, 2^128-1]. Specified value was "
            "340282366920938463463374607431768211456");
}

TEST(RouterTest, ShardIdsAreTakenInAllTheirSpellings) {
  TestNode node;
  const StreamPtr stream = node.CreateActive("s", 3);
  for (const char* id : {"2", "shardId-2", "shardId-000000000002"}) {
    const auto shard = FindShard(*stream, id, kAccount);
    ASSERT_TRUE(shard.ok()) << id;
    EXPECT_EQ((*shard)->index, ShardIndex(2));
  }
  EXPECT_EQ(
      FindShard(*stream, "shardId-000000000003", kAccount).status().message(),
      "Shard shardId-000000000003 in stream s under account "
      "123456789012 does not exist");
  EXPECT_EQ(FindShard(*stream, "shardId-x", kAccount).status().message(),
            "Could not find shard shardId-x in stream s under account "
            "123456789012.");
}

TEST(RouterTest, AStreamThatIsNotKnownHereIsLookedForAgainAfterABarrier) {
  TestNode node;
  // The stream exists; this node's replica hears of it during the barrier.
  node.replicas.at_barrier = [&](GroupId group) {
    EXPECT_EQ(group, kMetaGroup);
    node.replicas.at_barrier = nullptr;
    auto body = std::make_shared<ProposalBody>();
    body->command = CreateStream("late", 1).SerializeAsString();
    node.replicas.Propose(
        {kMetaGroup, body, absl::Seconds(1), [](ProposalOutcome) {}});
  };
  Router router(kAccount, &node.replica.state().catalog(), &node.replicas,
                &node.read_pool);
  TestNode::Answer<StreamPtr> answer;
  router.Find(StreamRef{"late", {}}, "0", absl::Seconds(1), answer.Callback());
  EXPECT_FALSE(answer.answered());
  const auto found = node.Take(answer);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ((*found)->name, "late");
}

TEST(RouterTest, AStreamThatDoesNotExistIsNotFound) {
  TestNode node;
  Router router(kAccount, &node.replica.state().catalog(), &node.replicas,
                &node.read_pool);
  TestNode::Answer<StreamPtr> answer;
  router.Find(StreamRef{"none", {}}, "0", absl::Seconds(1), answer.Callback());
  const auto found = node.Take(answer);
  EXPECT_EQ(ReasonOf(found.status()), ErrorReason::kResourceNotFound);
  EXPECT_EQ(found.status().message(),
            "Stream none under account 123456789012 not found.");
}

TEST(RouterTest, WithoutALeaderOfTheMetaGroupTheErrorSaysSo) {
  TestNode node;
  node.replicas.barrier_status = MakeError(ErrorReason::kNoLeader, "no leader");
  Router router(kAccount, &node.replica.state().catalog(), &node.replicas,
                &node.read_pool);
  TestNode::Answer<StreamPtr> answer;
  router.Find(StreamRef{"none", {}}, "0", absl::Seconds(1), answer.Callback());
  EXPECT_EQ(ReasonOf(node.Take(answer).status()), ErrorReason::kNoLeader);
}

}  // namespace
}  // namespace trireme
