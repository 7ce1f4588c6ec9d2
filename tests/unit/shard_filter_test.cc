#include "server/shard_filter.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kMiddle[] = "170141183460469231731687303715884105728";

// Shard 0 is split into 1 and 2 after an hour, 2 into 3 and 4 after five.
class ShardFilterTest : public ::testing::Test {
 protected:
  ShardFilterTest() {
    node_.CreateActive("s", 1);
    created_ = node_.clock.WallNow();
    Split(absl::Hours(1), "0", kMiddle);
    Split(absl::Hours(4), "2", "250000000000000000000000000000000000000");
  }

  void Split(absl::Duration later, const std::string& shard,
             const std::string& new_start) {
    node_.Advance(later);
    EXPECT_OK(node_.Split("s", shard, new_start));
    node_.lifecycle.RunOnce();
    node_.Settle();
  }
  absl::StatusOr<ListShardsResponse> List(const ListShardsRequest& request) {
    TestNode::Answer<ListShardsResponse> answer;
    node_.broker.ListShards(request, TestNode::kTimeout, answer.Callback());
    return node_.Take(answer);
  }
  // The numbers of all shards the filter shows, by pages of one.
  std::vector<uint32_t> Shown(const ShardFilter& filter) {
    std::vector<uint32_t> shown;
    ListShardsRequest request{{"s"}, "", 1, "", filter, {}};
    std::string token;
    for (;;) {
      const auto page = List(request);
      EXPECT_OK(page);
      if (!page.ok()) return shown;
      for (const Shard* shard : page->shards) {
        shown.push_back(shard->index.value());
      }
      if (page->next_token.empty()) return shown;
      token = page->next_token;
      request = {{}, token, 1, "", {}, {}};
    }
  }
  std::vector<uint32_t> Shown(ShardFilterType type, absl::Duration after) {
    return Shown({type, "", created_ + after});
  }

  TestNode node_;
  absl::Time created_;
};

TEST_F(ShardFilterTest, EachTypeShowsItsShards) {
  EXPECT_THAT(Shown({}), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(Shown({ShardFilterType::kFromTrimHorizon, "", {}}),
              ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(Shown({ShardFilterType::kAtTrimHorizon, "", {}}), ElementsAre(0));
  EXPECT_THAT(Shown({ShardFilterType::kAtLatest, "", {}}),
              ElementsAre(1, 3, 4));
  EXPECT_THAT(
      Shown({ShardFilterType::kAfterShardId, "shardId-000000000002", {}}),
      ElementsAre(3, 4));
  using enum ShardFilterType;
  EXPECT_THAT(Shown(kAtTimestamp, absl::Hours(3)), ElementsAre(1, 2));
  EXPECT_THAT(Shown(kFromTimestamp, absl::Hours(3)), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Shown(kAtTimestamp, absl::Hours(9)), ElementsAre(1, 3, 4));
}

TEST_F(ShardFilterTest, TimesBeforeTheHorizonMeanTheHorizon) {
  using enum ShardFilterType;
  EXPECT_THAT(Shown(kAtTimestamp, -absl::Hours(1)), ElementsAre(0));
  EXPECT_THAT(Shown(kFromTimestamp, -absl::Hours(1)),
              ElementsAre(0, 1, 2, 3, 4));
  node_.Advance(absl::Hours(21));  // Shard 0 was closed 25 hours ago.
  EXPECT_THAT(Shown({kAtTrimHorizon, "", {}}), ElementsAre(1, 2));
  EXPECT_THAT(Shown(kAtTimestamp, absl::ZeroDuration()), ElementsAre(1, 2));
  EXPECT_THAT(Shown({}), ElementsAre(1, 2, 3, 4));
}

TEST_F(ShardFilterTest, WhatDoesNotBelongToATypeIsRefused) {
  using enum ShardFilterType;
  const absl::Time time = created_;
  const std::vector<std::pair<ShardFilter, std::string>> cases = {
      {{kAfterShardId, "", {}}, "AFTER_SHARD_ID needs a ShardId"},
      {{kAtLatest, "0", {}}, "ShardId goes with type AFTER_SHARD_ID only"},
      {{kAtTimestamp, "", {}}, "AT_TIMESTAMP and FROM_TIMESTAMP need"},
      {{kAtTrimHorizon, "", time}, "AT_TIMESTAMP and FROM_TIMESTAMP only"},
      {{kAfterShardId, "?", {}}, "at 'shardFilter.shardId'"}};
  for (const auto& [filter, text] : cases) {
    const auto shards = List({{"s"}, "", 0, "", filter, {}});
    EXPECT_FALSE(shards.ok());
    EXPECT_THAT(shards.status().message(), HasSubstr(text));
  }
}

TEST_F(ShardFilterTest, ANewerStreamOfTheNameIsNotTheOneMeant) {
  EXPECT_OK(List({{"s"}, "", 0, "", {}, created_}));
  const auto shards = List({{"s"}, "", 0, "", {}, created_ - absl::Hours(1)});
  EXPECT_EQ(ReasonOf(shards.status()), ErrorReason::kResourceNotFound);
}

}  // namespace
}  // namespace trireme
