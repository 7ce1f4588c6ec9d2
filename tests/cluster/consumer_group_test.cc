// Consumer groups whose workers are killed and paused, and whose nodes die,
// while shards split and merge: every record is processed, in order, parents
// first.
#include "storage/hash_key.h"
#include "tests/cluster/cluster_test.h"
#include "tests/cluster/group_workers.h"

namespace trireme {
namespace {

constexpr int kLeaseMs = 2'000;

class ConsumerGroupTest : public ClusterTest {
 protected:
  ConsumerGroupTest() : workers_(cluster_, "load", kLeaseMs) {
    options_.shards = 4;
    options_.batchers = 1;
    options_.producers = 1;
    options_.streamers = 1;
    options_.batch_records = 5;
  }

  void SetUp() override {
    ClusterTest::SetUp();
    client_ = cluster_.ClientOfAll();
  }

  void UpdateTo(int target) {
    ASSERT_OK(client_->UpdateShardCount("load", target).status());
    ASSERT_OK(client_->WaitUntilActive("load", absl::Seconds(30)));
  }
  // The workers process so many more.
  void ExpectProcessing(const char* after, size_t records = 500) {
    const size_t before = workers_.TakeAll().size();
    EXPECT_TRUE(Await([&] {
      return workers_.TakeAll().size() > before + records;
    })) << "processing stopped after "
        << after;
  }
  // Each of the first shards, while there are no others.
  void ExpectProcessingOfEachShard(const char* after, size_t records) {
    std::map<std::string, size_t> before;
    for (const Processed& one : workers_.TakeAll()) ++before[one.shard];
    const auto grown = [&] {
      std::map<std::string, size_t> now;
      for (const Processed& one : workers_.TakeAll()) ++now[one.shard];
      size_t count = 0;
      for (const auto& [shard, processed] : now) {
        count += processed > before[shard] + records;
      }
      return count >= static_cast<size_t>(options_.shards);
    };
    EXPECT_TRUE(Await(grown)) << "processing stopped after " << after;
  }
  void CheckProcessing() {
    EXPECT_TRUE(Await([&] {
      return GroupWorkers::IsCaughtUp(*client_, "load");
    })) << "the group does not catch up";
    for (const std::string& worker : workers_.running()) {
      const auto code = workers_.Terminate(worker);
      ASSERT_OK(code.status());
      EXPECT_EQ(*code, 0);
    }
    const auto shards = client_->ListShards("load");
    ASSERT_OK(shards.status());
    const std::vector<Processed> processed = workers_.TakeAll();
    const auto again = CheckProcessed(processed, stored_, *shards);
    ASSERT_OK(again.status());
    std::printf("  %zu processed, %zu of them again\n", processed.size(),
                *again);
  }
  // The longest that a shard stood still, from `since` on.
  absl::Duration LongestPause(int64_t since_ns) const {
    std::map<std::string, int64_t> last;
    int64_t longest = 0;
    for (const Processed& one : workers_.TakeAll()) {
      const auto [at, is_first] = last.try_emplace(one.shard, one.at_ns);
      if (!is_first && one.at_ns > since_ns) {
        longest = std::max(longest, one.at_ns - at->second);
      }
      at->second = one.at_ns;
    }
    return absl::Nanoseconds(longest);
  }
  int64_t LastNanos() const {
    const auto all = workers_.TakeAll();
    return all.empty() ? 0 : all.back().at_ns;
  }

  std::unique_ptr<client::Client> client_;
  GroupWorkers workers_;
};

TEST_F(ConsumerGroupTest, AKilledWorkersShardsGoOnWithTheOthers) {
  Load load(cluster_, options_, &history_);
  workers_.Start("a");
  workers_.Start("b");
  ExpectProcessingOfEachShard("the start", 200);
  const int64_t killed_ns = LastNanos();
  workers_.Kill("a");
  ExpectProcessingOfEachShard("a worker's death", 2'000);
  std::printf("  longest pause of a shard: %.0f ms (to be under %d)\n",
              absl::ToDoubleMilliseconds(LongestPause(killed_ns)),
              2 * kLeaseMs);
  workers_.Start("a");
  workers_.Start("c", /*polls=*/true);
  ExpectProcessingOfEachShard("two have joined", 2'000);
  CheckAll(&load);
  CheckProcessing();
}

TEST_F(ConsumerGroupTest, NothingIsSkippedWhateverDiesWhileShardsChange) {
  Load load(cluster_, options_, &history_);
  for (const char* worker : {"a", "b"}) workers_.Start(worker);
  workers_.Start("p", /*polls=*/true);
  ExpectProcessing("the start");
  workers_.Pause("a");
  UpdateTo(8);
  ExpectProcessing("a split");
  workers_.Kill("b");
  workers_.Start("c");
  UpdateTo(4);
  workers_.Resume("a");
  ExpectProcessing("a merge");
  const absl::StatusOr<int> leader = cluster_.LeaderOf(0, 0);
  ASSERT_OK(leader.status());
  cluster_.Kill(*leader);
  workers_.Pause("p");
  UpdateTo(6);
  ExpectProcessing("the death of the meta group's leader");
  cluster_.Start(*leader);
  workers_.Resume("p");
  workers_.Start("b");
  UpdateTo(3);
  ExpectProcessing("all are back");
  CheckAll(&load);
  CheckProcessing();
}

}  // namespace
}  // namespace trireme
