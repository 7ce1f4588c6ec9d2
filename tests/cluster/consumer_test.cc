// Registered consumers over the whole cluster: whoever subscribes, at whichever
// node, one subscription a consumer and shard is active.
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "client/error.h"
#include "client/subscriber.h"
#include "tests/cluster/cluster_test.h"

namespace trireme {
namespace {

constexpr char kShard[] = "shardId-000000000000";
constexpr char kInUse[] = "ResourceInUseException";

// A subscriber at one node, and what became of it.
class Follower {
 public:
  Follower(std::unique_ptr<client::Client> client, const std::string& arn)
      : client_(std::move(client)) {
    client::SubscriberOptions options;
    options.consumer_arn = arn;
    options.shard_id = kShard;
    options.from = client::FromTrimHorizon();
    options.on_event = [this](const v1::SubscribeToShardEvent& event) {
      absl::MutexLock lock(&mu_);
      ++events_;
      records_ += static_cast<size_t>(event.records_size());
    };
    options.on_interruption = [this](const absl::Status& status) {
      absl::MutexLock lock(&mu_);
      reasons_.push_back(client::Reason(status));
    };
    options.on_end = [this](const absl::Status& status) {
      absl::MutexLock lock(&mu_);
      end_ = client::Reason(status);
    };
    subscriber_ = std::make_unique<client::Subscriber>(*client_, options);
  }

  size_t events() {
    absl::MutexLock lock(&mu_);
    return events_;
  }
  size_t records() {
    absl::MutexLock lock(&mu_);
    return records_;
  }
  // Why it could not begin, or was interrupted, each time.
  std::vector<std::string> reasons() {
    absl::MutexLock lock(&mu_);
    return reasons_;
  }
  std::string end() {  // Why it ended; empty while it goes on.
    absl::MutexLock lock(&mu_);
    return end_;
  }

 private:
  const std::unique_ptr<client::Client> client_;
  absl::Mutex mu_;
  size_t events_ ABSL_GUARDED_BY(mu_) = 0;
  size_t records_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<std::string> reasons_ ABSL_GUARDED_BY(mu_);
  std::string end_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<client::Subscriber> subscriber_;  // Last.
};

class ConsumerTest : public ClusterTest {
 protected:
  ConsumerTest() { options_.shards = 1; }

  void SetUp() override {
    ClusterTest::SetUp();
    client_ = cluster_.ClientOfAll();
    const auto made = client_->RegisterStreamConsumer(options_.stream, "c");
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    arn_ = made->consumer_arn();
  }
  std::unique_ptr<Follower> FollowAt(int node) {
    return std::make_unique<Follower>(cluster_.ClientOf(node), arn_);
  }
  void Put() {
    v1::PutRecordRequest request;
    request.set_stream_name(options_.stream);
    request.set_partition_key("k");
    request.set_data("d");
    const auto put = client_->PutRecord(request);
    ASSERT_TRUE(put.ok()) << put.status().ToString();
  }
  int LeaderOfShard() {
    const auto shards = client_->ListShards(options_.stream);
    EXPECT_TRUE(shards.ok()) << shards.status().ToString();
    const absl::StatusOr<int> leader =
        cluster_.LeaderOf(shards->at(0).replication_group(), 0);
    EXPECT_TRUE(leader.ok()) << leader.status().ToString();
    return leader.value_or(0);
  }

  std::unique_ptr<client::Client> client_;
  std::string arn_;
};

TEST_F(ConsumerTest,
       ASubscriptionIsTakenOverThroughAnotherNodeAfterFiveSeconds) {
  const absl::Time begun = absl::Now();
  const auto first = FollowAt(0);
  ASSERT_TRUE(Await([&] { return first->events() > 0; }));
  const auto second = FollowAt(1);
  ASSERT_TRUE(Await([&] { return second->events() > 0; }));
  const absl::Duration taken = absl::Now() - begun;
  std::printf("  taken over after %.2f s\n", absl::ToDoubleSeconds(taken));
  EXPECT_GE(taken, absl::Seconds(5));
  const std::vector<std::string> refusals = second->reasons();
  EXPECT_GE(refusals.size(), 3u);
  for (const std::string& reason : refusals) EXPECT_EQ(reason, kInUse);
  ASSERT_TRUE(Await([&] { return !first->end().empty(); }));
  EXPECT_EQ(first->end(), kInUse);
  // The records are the new one's alone.
  const size_t before = first->records();
  Put();
  ASSERT_TRUE(Await([&] { return second->records() > 0; }));
  EXPECT_EQ(first->records(), before);
}

TEST_F(ConsumerTest, TheRuleSurvivesTheDeathOfTheShardsLeader) {
  const int leader = LeaderOfShard();
  const int a = (leader + 1) % ClusterProcess::kNodes;
  const int b = (leader + 2) % ClusterProcess::kNodes;
  const auto first = FollowAt(a);
  ASSERT_TRUE(Await([&] { return first->events() > 0; }));
  cluster_.Kill(leader);
  // Whoever leads now knows when the shard was claimed.
  const auto second = FollowAt(b);
  ASSERT_TRUE(Await([&] { return second->events() > 0; }));
  ASSERT_TRUE(Await([&] { return !first->end().empty(); }));
  EXPECT_EQ(first->end(), kInUse);
  cluster_.Start(leader);
  ASSERT_OK(cluster_.WaitReady());
  const auto third = FollowAt(leader);
  ASSERT_TRUE(Await([&] { return third->events() > 0; }));
  ASSERT_TRUE(Await([&] { return !second->end().empty(); }));
  EXPECT_EQ(second->end(), kInUse);
  EXPECT_EQ(third->end(), "");
}

TEST_F(ConsumerTest, DeregisteringThroughOneNodeEndsThemAtAnother) {
  const auto follower = FollowAt(2);
  ASSERT_TRUE(Await([&] { return follower->events() > 0; }));
  ASSERT_OK(cluster_.ClientOf(0)->DeregisterStreamConsumer("", arn_));
  ASSERT_TRUE(Await([&] { return !follower->end().empty(); }));
  EXPECT_EQ(follower->end(), "ResourceNotFoundException");
  const auto late = FollowAt(1);
  ASSERT_TRUE(Await([&] { return !late->end().empty(); }));
  EXPECT_EQ(late->end(), "ResourceNotFoundException");
}

// They are in the catalogue: all nodes may die.
TEST_F(ConsumerTest, ConsumersOutliveTheDeathOfAllNodes) {
  for (int node = 0; node < ClusterProcess::kNodes; ++node) cluster_.Kill(node);
  cluster_.StartAll();
  ASSERT_OK(cluster_.WaitReady());
  for (int node = 0; node < ClusterProcess::kNodes; ++node) {
    const auto listed =
        cluster_.ClientOf(node)->ListStreamConsumers(options_.stream);
    ASSERT_TRUE(listed.ok()) << listed.status().ToString();
    ASSERT_EQ(listed->size(), 1u);
    EXPECT_EQ(listed->at(0).consumer_arn(), arn_);
  }
  const auto follower = FollowAt(0);
  EXPECT_TRUE(Await([&] { return follower->events() > 0; }));
}

}  // namespace
}  // namespace trireme
