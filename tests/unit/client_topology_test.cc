#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "client/topology.h"

namespace trireme::client {
namespace {

// A cluster that counts how often it is asked, at times of the test's choice.
class TopologyTest : public ::testing::Test {
 protected:
  std::shared_ptr<const ShardMap> ShardsOf(absl::string_view stream) {
    return topology_.ShardsOf(stream, now_, now_ + timeout_);
  }

  absl::Time now_ = absl::UnixEpoch();
  absl::Duration timeout_ = absl::Seconds(30);
  absl::Status listing_;
  int shards_asked_ = 0;
  int leaders_asked_ = 0;
  absl::Time asked_until_;
  Topology topology_{{
      .list_shards = [this](absl::string_view, absl::Time deadline)
          -> absl::StatusOr<v1::ListShardsResponse> {
        ++shards_asked_;
        asked_until_ = deadline;
        if (!listing_.ok()) return listing_;
        return v1::ListShardsResponse();
      },
      .learn_leaders =
          [this](absl::Time deadline) {
            ++leaders_asked_;
            asked_until_ = deadline;
          },
  }};
};

TEST_F(TopologyTest, ShardsAreAskedForEveryMinuteAndLeadersMoreOften) {
  EXPECT_NE(ShardsOf("s"), nullptr);
  EXPECT_EQ(shards_asked_, 1);
  EXPECT_EQ(leaders_asked_, 1);
  now_ += Topology::kLeadersPeriod - absl::Nanoseconds(1);
  EXPECT_NE(ShardsOf("s"), nullptr);
  EXPECT_EQ(leaders_asked_, 1);
  now_ += absl::Nanoseconds(1);
  EXPECT_NE(ShardsOf("s"), nullptr);
  EXPECT_EQ(leaders_asked_, 2);
  EXPECT_EQ(shards_asked_, 1);
  const auto known = ShardsOf("s");
  EXPECT_FALSE(topology_.IsDue("s", now_, known.get()));
  EXPECT_TRUE(topology_.IsDue("s", now_, nullptr));
  now_ += Topology::kShardsPeriod;
  EXPECT_TRUE(topology_.IsDue("s", now_, known.get()));
  EXPECT_NE(ShardsOf("s"), nullptr);
  EXPECT_EQ(shards_asked_, 2);
}

TEST_F(TopologyTest, LeadersAreAskedForOnceForAllStreams) {
  ShardsOf("a");
  ShardsOf("b");
  leaders_asked_ = 0;
  now_ += Topology::kLeadersPeriod;
  ShardsOf("a");
  ShardsOf("b");
  EXPECT_EQ(leaders_asked_, 1);
}

TEST_F(TopologyTest, WhatIsKnownStaysWhenNobodyTells) {
  const auto known = ShardsOf("s");
  now_ += Topology::kShardsPeriod;
  listing_ = absl::UnavailableError("");
  EXPECT_EQ(ShardsOf("s"), known);
  EXPECT_EQ(ShardsOf("s"), known);
  EXPECT_EQ(shards_asked_, 2) << "not again at once";
  now_ += Topology::kRetryPeriod;
  listing_ = absl::OkStatus();
  EXPECT_NE(ShardsOf("s"), known);
}

TEST_F(TopologyTest, AStreamThatWasNotFoundIsAskedForAgain) {
  ShardsOf("s");
  topology_.Forget("s");
  EXPECT_TRUE(topology_.IsDue("s", now_, nullptr));
  ShardsOf("s");
  EXPECT_EQ(shards_asked_, 2);
}

TEST_F(TopologyTest, AskingTakesHalfOfThePutsTimeAtMost) {
  timeout_ = absl::Milliseconds(200);
  ShardsOf("s");
  EXPECT_EQ(asked_until_, now_ + absl::Milliseconds(100));
  timeout_ = absl::InfiniteDuration();
  ShardsOf("t");
  EXPECT_EQ(asked_until_, now_ + Topology::kAskingMax);
}

TEST_F(TopologyTest, HoldsABoundedNumberOfStreamsAndKeepsThoseInUse) {
  for (int i = 0; i < 1000; ++i) {
    now_ += absl::Milliseconds(1);
    ShardsOf("in use");
    EXPECT_TRUE(topology_.Add(absl::StrCat(i), now_));
  }
  EXPECT_EQ(shards_asked_, 1);
  EXPECT_TRUE(topology_.Add("0", now_)) << "forgotten";
  EXPECT_FALSE(topology_.Add("999", now_));
}

}  // namespace
}  // namespace trireme::client
