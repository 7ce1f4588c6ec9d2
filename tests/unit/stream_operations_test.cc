#include "server/stream_operations.h"

#include "gmock/gmock.h"
#include "server/limits.h"
#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;

TEST(StreamsTest, CreatingChecksNamesCountsAndLimits) {
  TestNode node;
  EXPECT_EQ(ReasonOf(node.Create("a b", 1)), ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(node.Create("", 1)), ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(node.Create("s", 0)), ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(node.Create("s", 10'001)), ErrorReason::kLimitExceeded);
  ASSERT_OK(node.Create("s", 1));
  const absl::Status again = node.Create("s", 1);
  EXPECT_EQ(ReasonOf(again), ErrorReason::kResourceInUse);
  EXPECT_EQ(again.message(),
            "Stream s under account 000000000000 already exists.");
  node.replicas.leader = NodeId(2);  // From here on they stay CREATING.
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK(node.Create("c" + std::to_string(i), 1));
  }
  EXPECT_EQ(ReasonOf(node.Create("c5", 1)), ErrorReason::kLimitExceeded);
}

TEST(StreamsTest, AStreamMayAllowLargerRecords) {
  TestNode node;
  EXPECT_EQ(ReasonOf(node.Create("s", 1, 1023)), ErrorReason::kValidation);
  EXPECT_EQ(ReasonOf(node.Create("s", 1, 10'241)), ErrorReason::kValidation);
  ASSERT_OK(node.Create("s", 1, 2048));
  EXPECT_OK(node.Put("s", "k", std::string((2 << 20) - 1, 'x')));
  const auto larger = node.Put("s", "k", std::string(2 << 20, 'x'));
  EXPECT_THAT(std::string(larger.status().message()),
              HasSubstr("the limit of stream s is 2097152"));
}

TEST(StreamsTest, DeletingTwiceSaysInWhatStateItIs) {
  TestNode node;
  node.CreateActive("s", 1);
  node.replicas.leader = NodeId(2);  // It stays DELETING.
  absl::Status status;
  for (int i = 0; i < 2; ++i) {
    node.broker.DeleteStream({{"s"}}, TestNode::kTimeout,
                             [&](absl::Status got) { status = got; });
    node.Settle();
  }
  EXPECT_EQ(ReasonOf(status), ErrorReason::kResourceInUse);
  EXPECT_EQ(status.message(),
            "Stream s under account 000000000000 not ACTIVE, instead in state "
            "DELETING");
}

TEST(StreamsTest, ADescriptionPagesThroughTheShards) {
  TestNode node;
  node.CreateActive("s", 150);
  const auto describe = [&](int limit, const std::string& after) {
    TestNode::Answer<DescribeStreamResponse> answer;
    node.broker.DescribeStream({{"s", ""}, limit, after}, TestNode::kTimeout,
                               answer.Callback());
    return node.Take(answer);
  };
  const auto first = describe(0, "");
  ASSERT_OK(first);
  EXPECT_EQ(first->shards.size(), 100u);
  EXPECT_TRUE(first->has_more_shards);
  const auto second =
      describe(10'000, ShardIdToString(first->shards.back()->index));
  EXPECT_EQ(second->shards.size(), 50u);
  EXPECT_FALSE(second->has_more_shards);
  EXPECT_EQ(describe(7, "")->shards.size(), 7u);
  EXPECT_EQ(ReasonOf(describe(10'001, "").status()), ErrorReason::kValidation);
}

TEST(StreamsTest, ADescriptionIsFresh) {
  TestNode node;
  node.CreateActive("s", 1);
  const int before = node.replicas.barriers;
  TestNode::Answer<StreamPtr> answer;
  node.broker.DescribeStreamSummary({"s", ""}, TestNode::kTimeout,
                                    answer.Callback());
  EXPECT_EQ(node.replicas.barriers, before + 1);
  EXPECT_OK(node.Take(answer));
}

TEST(StreamsTest, ListsGoOnWhereTheirTokenSays) {
  TestNode node;
  for (const char* name : {"c", "a", "b"}) node.CreateActive(name, 1);
  const auto list = [&](int limit, const std::string& after,
                        const std::string& token) {
    TestNode::Answer<ListStreamsResponse> answer;
    node.broker.ListStreams({limit, after, token}, TestNode::kTimeout,
                            answer.Callback());
    return node.Take(answer);
  };
  const auto first = list(2, "", "");
  ASSERT_OK(first);
  ASSERT_EQ(first->streams.size(), 2u);
  EXPECT_EQ(first->streams[1]->name, "b");
  EXPECT_TRUE(first->has_more_streams);
  const auto second = list(2, "", first->next_token);
  ASSERT_EQ(second->streams.size(), 1u);
  EXPECT_EQ(second->streams[0]->name, "c");
  EXPECT_FALSE(second->has_more_streams);
  EXPECT_EQ(second->next_token, "");
  EXPECT_EQ(list(0, "a", "")->streams.size(), 2u);
  node.clock.Advance(absl::Seconds(301));
  EXPECT_EQ(ReasonOf(list(2, "", first->next_token).status()),
            ErrorReason::kExpiredNextToken);
}

TEST(StreamsTest, ShardsAreListedByNameOrTokenButNotBoth) {
  TestNode node;
  node.CreateActive("s", 5);
  const auto list = [&](const std::string& name, const std::string& token,
                        int max) {
    TestNode::Answer<ListShardsResponse> answer;
    node.broker.ListShards({{name, ""}, token, max, ""}, TestNode::kTimeout,
                           answer.Callback());
    return node.Take(answer);
  };
  const auto first = list("s", "", 3);
  ASSERT_OK(first);
  EXPECT_EQ(first->shards.size(), 3u);
  const auto second = list("", first->next_token, 3);
  ASSERT_OK(second);
  ASSERT_EQ(second->shards.size(), 2u);
  EXPECT_EQ(second->shards[0]->index, ShardIndex(3));
  EXPECT_EQ(second->next_token, "");
  EXPECT_EQ(list("", "", 3).status().message(),
            "Either NextToken or StreamName should be provided.");
  EXPECT_EQ(list("s", first->next_token, 3).status().message(),
            "NextToken and StreamName cannot be provided together.");
}

// --- The cluster ---

}  // namespace
}  // namespace trireme
