#include "server/autoscaler.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// A hundredth of the product's, so that a test can afford the load.
ScalingRules SmallRules() {
  ScalingRules rules;
  rules.split_bytes_per_second = 5 * 1024;
  rules.merge_bytes_per_second = 1280;
  return rules;
}

class AutoscalerTest : public ::testing::Test {
 protected:
  AutoscalerTest()
      : autoscaler_(SmallRules(), &node_.replica.state().catalog(),
                    &node_.replicas, &meter_, &node_.timers, &node_.clock) {
    node_.observers.Add(&meter_);
    v1::Command command;
    v1::CreateStreamCommand& create = *command.mutable_create_stream();
    create.set_name("s");
    create.set_shard_count(4);
    create.set_retention_hours(24);
    create.set_record_bytes_max(1 << 20);
    create.set_mode(static_cast<uint32_t>(StreamMode::kOnDemand));
    node_.replicas.Propose(ProposalOfCommand(
        kMetaGroup, command.SerializeAsString(), TestNode::kTimeout,
        [](const ProposalOutcome& outcome) { EXPECT_OK(outcome.status); }));
    node_.Settle();
    autoscaler_.RunOnce();
  }

  StreamPtr Found() {
    return node_.replica.state().catalog().Find(absl::string_view("s"));
  }
  // A record of 1 KiB by each of these keys, every second.
  void Load(int seconds, const std::vector<std::string>& keys) {
    const std::string data(1000, 'x');
    for (int i = 0; i < seconds; ++i) {
      std::vector<PutEntry> records;
      for (const std::string& key : keys) records.push_back({data, key, ""});
      if (!records.empty()) {
        EXPECT_OK(node_.PutAll("s", records));
      }
      node_.Advance(absl::Seconds(1));
      autoscaler_.RunOnce();
      node_.Settle();
    }
  }
  // Keys that hash into one eighth of the first shard's range: a part that a
  // split in the middle would not touch.
  static std::vector<std::string> HotKeys(size_t count) {
    std::vector<std::string> keys;
    const HashKey end = DivideHashKeySpace(32)[0].end;
    for (int i = 0; keys.size() < count; ++i) {
      const std::string key = absl::StrCat("key", i);
      if (HashPartitionKey(key) <= end) keys.push_back(key);
    }
    return keys;
  }
  // The most that an open shard has of these keys.
  size_t MostOf(const std::vector<std::string>& keys) {
    std::map<ShardIndex, size_t> count;
    for (const std::string& key : keys)
      ++count[Found()->ShardFor(HashPartitionKey(key)).index];
    size_t most = 0;
    for (const auto& [shard, keys_of_it] : count)
      most = std::max(most, keys_of_it);
    return most;
  }

  TestNode node_;
  LoadMeter meter_;
  Autoscaler autoscaler_;
};

TEST_F(AutoscalerTest, AHotShardIsFoundAndRelieved) {
  const auto keys = HotKeys(16);
  ASSERT_EQ(MostOf(keys), 16u);
  Load(59, keys);
  EXPECT_EQ(Found()->open.size(), 4u);
  Load(8 * 60, keys);
  // 16 KiB/s where 5 are too many: no shard has more than five keys now.
  EXPECT_LE(MostOf(keys), 5u);
  EXPECT_LE(Found()->open.size(), 12u);
  EXPECT_EQ(Found()->status, StreamStatus::kActive);
  const auto& decisions = Found()->scaling_decisions;
  ASSERT_THAT(decisions, SizeIs(Found()->open.size() - 4));
  EXPECT_EQ(decisions[0].action, ScalingAction::kSplitShard);
  EXPECT_THAT(decisions[0].shards, ::testing::ElementsAre(ShardIndex(0)));
  EXPECT_THAT(decisions[0].reason, HasSubstr("16 KiB/s"));
  // What is quiet again shrinks to where it began.
  Load(80 * 60, {});
  EXPECT_EQ(Found()->open.size(), 4u);
  EXPECT_EQ(Found()->scaling_decisions.back().action,
            ScalingAction::kMergeShards);
}

TEST_F(AutoscalerTest, OneHotKeyIsNotSplitAgainAndAgain) {
  Load(5 * 60, std::vector<std::string>(10, HotKeys(1)[0]));
  EXPECT_EQ(Found()->open.size(), 4u);
}

TEST_F(AutoscalerTest, AProvisionedStreamIsLeftAlone) {
  node_.CreateActive("p", 1);
  const std::string data(1000, 'x');
  const auto keys = HotKeys(10);
  for (int i = 0; i < 150; ++i) {
    std::vector<PutEntry> records;
    for (const std::string& key : keys) records.push_back({data, key, ""});
    ASSERT_OK(node_.PutAll("p", records));
    node_.Advance(absl::Seconds(1));
    autoscaler_.RunOnce();
    node_.Settle();
  }
  EXPECT_EQ(
      node_.replica.state().catalog().Find(absl::string_view("p"))->open.size(),
      1u);
}

TEST_F(AutoscalerTest, OnlyTheMetaGroupsLeaderScales) {
  node_.replicas.leader = NodeId(2);
  Load(150, HotKeys(16));
  EXPECT_EQ(Found()->open.size(), 4u);
}

}  // namespace
}  // namespace trireme
