// Disks that are full to the last byte: the cluster writes on without one, and
// without all it refuses writes, reads on, and recovers by itself.
#include <array>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "client/error.h"
#include "tests/cluster/cluster_test.h"
#include "tests/cluster/small_disk.h"

namespace trireme {
namespace {

constexpr uint64_t kDiskBytes = 1200u << 20;

class FullDiskTest : public ClusterTest {
 protected:
  void SetUp() override {
    for (int node = 0; node < ClusterProcess::kNodes; ++node) {
      auto disk = SmallDisk::Mount(cluster_.data_dir(node), kDiskBytes);
      if (!disk.ok()) GTEST_SKIP() << disk.status().message();
      disks_[node] = *std::move(disk);
    }
    options_.data_bytes = 8000;
    ClusterTest::SetUp();
  }

  bool LeadsNothing(int node, int asked) {
    for (uint32_t group = 0; group < 9; ++group) {
      const absl::StatusOr<int> leader = cluster_.LeaderOf(group, asked);
      if (!leader.ok() || *leader == node) return false;
    }
    return true;
  }
  void ExpectAllRun() { EXPECT_TRUE(cluster_.Ended().empty()); }
  absl::Status PutOne(int node) {
    const uint64_t id = history_.Invoke(100, "one", 10);
    v1::PutRecordRequest request;
    request.set_stream_name(options_.stream);
    request.set_partition_key(history_.key(id));
    request.set_data(history_.data(id));
    history_.Sent(id);
    const auto response =
        cluster_.ClientOf(node, absl::Seconds(2))->PutRecord(request);
    if (response.ok()) {
      history_.Acked(id, {response->shard_id(), response->sequence_number()});
    } else {
      history_.Refused(id);
    }
    return response.status();
  }

  std::array<std::unique_ptr<SmallDisk>, ClusterProcess::kNodes> disks_;
};

TEST_F(FullDiskTest, OneFullZoneStopsNobody) {
  Load load(cluster_, options_, &history_);
  // More than half of what is flushed at a time: what the log still has room
  // for makes up the rest, so that a flush meets the full disk.
  ASSERT_TRUE(Await([&] {
    return history_.acked_count() * options_.data_bytes > 90'000'000;
  }));
  disks_[0]->Fill();
  ExpectProgress("a disk was full");
  EXPECT_TRUE(Await([&] { return LeadsNothing(0, 1); }));
  EXPECT_TRUE(AwaitLogged(0, "store: waits for space"));
  disks_[0]->Fill();  // What was deleted since.
  ExpectProgress("a flush had found no space");
  ExpectAllRun();
  disks_[0]->Empty();
  EXPECT_TRUE(AwaitLogged(0, "store: has space again"));
  CheckAll(&load);
  // It is half of every majority again.
  cluster_.Kill(1);
  ASSERT_OK(cluster_.WaitReady());
  ASSERT_OK(PutOne(0));
}

TEST_F(FullDiskTest, AStartThatWaitsForSpaceCanBeEnded) {
  ASSERT_EQ(cluster_.Terminate(0).value_or(-1), 0);
  ASSERT_TRUE(std::filesystem::remove(cluster_.data_dir(0) + "/store/reserve"));
  disks_[0]->Fill();
  cluster_.Start(0);
  EXPECT_TRUE(AwaitLogged(0, "store: waits for space"));
  EXPECT_EQ(cluster_.Terminate(0).value_or(-1), 0);
  disks_[0]->Empty();
  cluster_.Start(0);
  ASSERT_OK(cluster_.WaitReady());
}

TEST_F(FullDiskTest, FullDisksEverywhereRefuseWritesReadOnAndRecover) {
  Load load(cluster_, options_, &history_);
  ExpectProgress("the start");
  for (auto& disk : disks_) disk->Fill();
  EXPECT_TRUE(Await([&] { return history_.refused_count() > 100; }));
  load.Stop();
  for (int node = 0; node < ClusterProcess::kNodes; ++node) {
    const absl::Status refused = PutOne(node);
    EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted) << refused;
    EXPECT_EQ(client::Reason(refused), "DiskFull") << refused;
    EXPECT_TRUE(client::RetryDelay(refused).has_value()) << refused;
  }
  ExpectEverythingIsRead();

  // Starting needs no space: after a crash, a planned stop, a crash of all.
  for (auto& disk : disks_) disk->Fill();
  cluster_.Kill(0);
  cluster_.Start(0);
  ExpectEverythingIsRead();
  const absl::StatusOr<int> code = cluster_.Terminate(1);
  ASSERT_TRUE(code.ok()) << code.status().ToString();
  EXPECT_EQ(*code, 0);
  disks_[1]->Fill();  // What the table it could not finish had taken.
  EXPECT_EQ(disks_[1]->free_bytes(), 0u);
  cluster_.Start(1);
  ExpectEverythingIsRead();
  for (int node = 0; node < ClusterProcess::kNodes; ++node) cluster_.Kill(node);
  cluster_.StartAll();
  ExpectEverythingIsRead();
  EXPECT_EQ(client::Reason(PutOne(0)), "DiskFull");
  ExpectAllRun();

  for (auto& disk : disks_) disk->Empty();
  EXPECT_TRUE(Await([&] { return PutOne(0).ok(); }));
  ExpectEverythingIsRead();
  ExpectAllRun();
}

}  // namespace
}  // namespace trireme
