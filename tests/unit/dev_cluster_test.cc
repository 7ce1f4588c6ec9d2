#include "server/dev_cluster.h"

#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "storage/entry_payload.h"
#include "storage/record.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

// A three-zone cluster in a temporary folder.
class DevClusterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() /
                 absl::StrCat("trireme-dev-cluster-test-", getpid());
    std::filesystem::remove_all(directory_);
    Open();
  }
  void TearDown() override {
    cluster_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Open() {
    DevClusterOptions options;
    options.data_directory = directory_;
    auto cluster = DevCluster::Open(options, {});
    ASSERT_TRUE(cluster.ok()) << cluster.status();
    cluster_ = *std::move(cluster);
    cluster_->Start();
  }

  ProposalOutcome Propose(int node, GroupId group, ProposalBody body) {
    std::promise<ProposalOutcome> outcome;
    cluster_->node(node).loop().Propose(
        {group, std::make_shared<const ProposalBody>(std::move(body)),
         absl::Seconds(20), [&](ProposalOutcome done) {
           outcome.set_value(std::move(done));
         }});
    return outcome.get_future().get();
  }

  ProposalOutcome ProposeCommand(int node, GroupId group,
                                 const v1::Command& command) {
    ProposalBody body;
    body.command = command.SerializeAsString();
    return Propose(node, group, std::move(body));
  }

  // A shard open in group 1.
  void OpenShard() {
    v1::Command command;
    command.mutable_open_shards()->set_stream_id(7);
    command.mutable_open_shards()->set_retention_hours(24);
    v1::ShardToOpen* const shard = command.mutable_open_shards()->add_shards();
    shard->set_shard(0);
    shard->set_created_s(1700000000);
    const ProposalOutcome opened = ProposeCommand(0, GroupId(1), command);
    ASSERT_TRUE(opened.status.ok()) << opened.status;
  }

  Counter Put(int node, const std::string& data) {
    ProposalBody body;
    PutBatch& put = body.puts.emplace_back();
    put.shard = kShard;
    put.record_count = 1;
    AppendRecord({"key", data}, &put.batch);
    const ProposalOutcome outcome = Propose(node, GroupId(1), std::move(body));
    EXPECT_TRUE(outcome.status.ok()) << outcome.status;
    if (outcome.places.size() != 1) return 0;
    EXPECT_TRUE(outcome.places[0].status.ok()) << outcome.places[0].status;
    return outcome.places[0].first;
  }

  absl::Status WaitForBarrier(int node) {
    std::promise<absl::Status> done;
    cluster_->node(node).loop().ReadBarrier(
        {GroupId(1), absl::Seconds(20),
         [&](absl::Status status) { done.set_value(status); }});
    return done.get_future().get();
  }

  std::vector<std::string> ReadAll(int node) {
    std::vector<std::string> records;
    const auto blocks = cluster_->node(node).state().shard_log().Read(
        GroupId(1), kShard, 0, 1u << 20, 0);
    EXPECT_TRUE(blocks.ok()) << blocks.status();
    if (!blocks.ok()) return records;
    for (const Block& block : *blocks) {
      RecordBatchReader reader(block.batch);
      for (RecordView view; reader.Next(&view);) {
        records.emplace_back(view.data);
      }
    }
    return records;
  }

  static constexpr ShardKey kShard{StreamId(7), ShardIndex(0)};
  std::string directory_;
  std::unique_ptr<DevCluster> cluster_;
};

TEST_F(DevClusterTest, AnyNodeTakesAPutAndAnyNodeReadsItBack) {
  OpenShard();
  std::vector<std::string> sent;
  Counter last = 0;
  for (int i = 0; i < 30; ++i) {
    sent.push_back(absl::StrCat("record ", i));
    const Counter counter = Put(i % 3, sent.back());
    EXPECT_GT(counter, last);
    last = counter;
  }
  for (int node = 0; node < DevCluster::kNodes; ++node) {
    ASSERT_TRUE(WaitForBarrier(node).ok());
    EXPECT_EQ(ReadAll(node), sent) << "node " << node;
  }
}

TEST_F(DevClusterTest, ARestartKeepsWhatWasAcknowledged) {
  OpenShard();
  std::vector<std::string> sent;
  for (int i = 0; i < 20; ++i) {
    sent.push_back(absl::StrCat("record ", i));
    Put(0, sent.back());
  }
  cluster_.reset();
  Open();
  sent.push_back("after the restart");
  Put(1, sent.back());
  ASSERT_TRUE(WaitForBarrier(2).ok());
  EXPECT_EQ(ReadAll(2), sent);
}

TEST_F(DevClusterTest, ANodeWithAnEmptiedDiskCatchesUp) {
  OpenShard();
  std::vector<std::string> sent;
  for (int i = 0; i < 20; ++i) {
    sent.push_back(absl::StrCat("record ", i));
    Put(0, sent.back());
  }
  cluster_.reset();
  std::filesystem::remove_all(directory_ + "/zone-c");
  Open();
  ASSERT_TRUE(WaitForBarrier(2).ok());
  EXPECT_EQ(ReadAll(2), sent);
}

}  // namespace
}  // namespace trireme
