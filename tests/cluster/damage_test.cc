// Bytes that change on a stopped node's disk: found, repaired from the other
// nodes, never served.
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "client/shard_reader.h"
#include "tests/cluster/cluster_test.h"

namespace trireme {
namespace {

namespace fs = std::filesystem;

// Tables without records stay below it.
constexpr size_t kRecordFileBytesMin = 100'000;

class DamageTest : public ClusterTest {
 protected:
  // Turns over one byte in the middle of what is written of the file.
  static void FlipInTheMiddle(const fs::path& path) {
    std::string bytes = ReadFileText(path.string());
    const size_t end = bytes.find_last_not_of('\0') + 1;
    ASSERT_GT(end, 0u) << path;
    // Not in the zeros that fill up a page of the log: they mean nothing.
    const size_t at = bytes.find_first_not_of('\0', end / 2);
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    WriteFileText(path.string(), bytes);
  }

  // Node 0 ends as planned, which flushes; then its table files of at least so
  // many bytes are damaged.
  void FillStopAndFlip(size_t bytes_min) {
    Load load(cluster_, options_, &history_);
    ExpectProgress("the start", 2 * kSomeRecords);
    CheckAll(&load);
    const absl::StatusOr<int> code = cluster_.Terminate(0);
    ASSERT_TRUE(code.ok()) << code.status().ToString();
    int flipped = 0;
    for (const auto& file :
         fs::recursive_directory_iterator(cluster_.data_dir(0) + "/store")) {
      if (file.path().extension() != ".sst") continue;
      if (file.file_size() < bytes_min) continue;
      FlipInTheMiddle(file.path());
      ++flipped;
    }
    ASSERT_GT(flipped, 0);
  }

  std::vector<fs::path> SegmentsOfNode0() const {
    std::vector<fs::path> segments;
    for (const auto& file :
         fs::directory_iterator(cluster_.data_dir(0) + "/log")) {
      if (absl::StartsWith(file.path().filename().string(), "segment-")) {
        segments.push_back(file.path());
      }
    }
    EXPECT_FALSE(segments.empty());
    std::sort(segments.begin(), segments.end());
    return segments;
  }

  // It notices what its log lost while it was down, and is as good as any
  // node afterwards.
  void ExpectNode0Recovers() {
    ExpectProgress("a node's death");
    cluster_.Start(0);
    ASSERT_OK(cluster_.WaitReady());
    EXPECT_TRUE(absl::StrContains(ReadFileText(cluster_.log_path(0)),
                                  "it recovers from its peers"));
    // The repaired node is half of every majority now.
    cluster_.Kill(1);
    ExpectProgress("another node's death");
    cluster_.Start(1);
  }

  // Reading has found it: once the others are well, it stops, and is whole
  // after its next start.
  void ExpectNode0IsReplaced() {
    ASSERT_TRUE(Await([&] { return !cluster_.Ended().empty(); }));
    EXPECT_FALSE(cluster_.running(0));
    EXPECT_TRUE(
        absl::StrContains(ReadFileText(cluster_.log_path(0)), "store.damaged"));
    cluster_.Start(0);
    ExpectEverythingIsRead();
    EXPECT_TRUE(cluster_.Ended().empty());
  }

  // It may refuse to start, or to read; the others go on.
  void ExpectNothingWrongOfNode0() {
    cluster_.Start(0);
    const absl::Status ready = cluster_.WaitReady();
    if (cluster_.running(0)) {
      ASSERT_OK(ready);
      ExpectNothingWrong(0);
      // Who knows all nodes gets everything.
      const absl::StatusOr<StreamRecords> all =
          ReadAll(*cluster_.ClientOfAll(0), options_.stream);
      ASSERT_TRUE(all.ok()) << all.status().ToString();
      ASSERT_OK(history_.Check(*all));
    } else {
      EXPECT_TRUE(absl::StrContains(ready.message(), "/store")) << ready;
      std::printf("  it refuses to start\n");
    }
    if (cluster_.running(0)) cluster_.Kill(0);
    ExpectEverythingIsRead();
  }

  // What a node gives, shard by shard, up to an error: never anything else
  // than what is right.
  void ExpectNothingWrong(int node) {
    const std::unique_ptr<client::Client> client =
        cluster_.ClientOf(node, absl::Seconds(2));
    size_t refused = 0;
    for (const auto& [shard, right] : stored_) {
      client::ShardReader reader(*client, options_.stream, shard,
                                 client::FromTrimHorizon());
      size_t at = 0;
      while (!reader.caught_up()) {
        const auto page = reader.Next();
        if (!page.ok()) {
          ++refused;
          std::printf("  %s: %s\n", shard.c_str(),
                      page.status().ToString().substr(0, 200).c_str());
          break;
        }
        for (const v1::Record& record : page->records()) {
          ASSERT_LT(at, right.size());
          ASSERT_EQ(record.SerializeAsString(), right[at++].SerializeAsString())
              << shard << " at record " << at;
        }
      }
      if (reader.caught_up()) {
        EXPECT_EQ(at, right.size()) << shard;
      }
    }
    std::printf("  reads of %zu of %zu shards were refused\n", refused,
                stored_.size());
  }
};

TEST_F(DamageTest, LogDamagedInTheMiddleIsRecoveredFromThePeers) {
  Load load(cluster_, options_, &history_);
  ExpectProgress("the start", 2 * kSomeRecords);
  cluster_.Kill(0);
  FlipInTheMiddle(SegmentsOfNode0().front());
  ExpectNode0Recovers();
  CheckAll(&load);
}

TEST_F(DamageTest, LogWithoutItsNewestSegmentIsRecoveredFromThePeers) {
  Load load(cluster_, options_, &history_);
  ExpectProgress("the start", 2 * kSomeRecords);
  cluster_.Kill(0);
  fs::remove(SegmentsOfNode0().back());
  ExpectNode0Recovers();
  CheckAll(&load);
}

TEST_F(DamageTest, DamagedRecordsAreNeverServed) {
  FillStopAndFlip(kRecordFileBytesMin);
  ExpectNothingWrongOfNode0();
}

TEST_F(DamageTest, DamagedRecordsAreReplacedByThePeers) {
  FillStopAndFlip(kRecordFileBytesMin);
  cluster_.Kill(1);
  cluster_.Start(0);
  ASSERT_OK(cluster_.WaitReady());
  // Nothing is given up while a peer is missing.
  ExpectNothingWrong(0);
  EXPECT_TRUE(AwaitLogged(0, "cannot be replaced yet"));
  EXPECT_TRUE(cluster_.Ended().empty());
  cluster_.Start(1);
  ExpectNode0IsReplaced();
}

TEST_F(DamageTest, DamagedTablesAreNeverServed) {
  FillStopAndFlip(0);
  ExpectNothingWrongOfNode0();
}

}  // namespace
}  // namespace trireme
