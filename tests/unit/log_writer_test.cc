#include "replication/log_writer.h"

#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "storage/crc32c.h"
#include "tests/sim/fault_disk.h"

namespace trireme {
namespace {

constexpr uint64_t kSegmentBytes = 4 * kBatchAlignment;

class LogWriterTest : public ::testing::Test {
 protected:
  LogWriterTest() {
    SegmentLogOptions options;
    options.segment_bytes = kSegmentBytes;
    options.spare_segments = 0;
    Replay replay;
    log_ = *SegmentLog::Open(&disk_, "log", options, &replay);
    writer_ = std::make_unique<LogWriter>(log_.get());
    writer_->OnWritten([this](LogWriter::Written written) {
      written_.push_back(std::move(written));
    });
  }

  // One that takes a segment's whole room.
  static LogBatch Batch(LogIndex index) {
    LogBatch batch;
    std::string payload(kSegmentBytes - 2 * kBatchAlignment, 'p');
    batch.entries.push_back({.group = GroupId(1),
                             .index = index,
                             .term = 1,
                             .payload_crc = Crc32c(payload),
                             .payload = MakePayload(std::move(payload))});
    return batch;
  }

  std::mt19937_64 random_{1};
  sim::FaultDisk disk_{&random_};
  std::unique_ptr<SegmentLog> log_;
  std::unique_ptr<LogWriter> writer_;
  std::vector<LogWriter::Written> written_;
};

TEST_F(LogWriterTest, ABatchIsDurableWhenItIsSaidToBeWritten) {
  EXPECT_FALSE(writer_->HasWork());
  EXPECT_FALSE(writer_->RunOnce());
  writer_->Submit(Batch(1));
  EXPECT_TRUE(writer_->HasWork());
  EXPECT_TRUE(writer_->RunOnce());
  EXPECT_FALSE(writer_->HasWork());
  ASSERT_EQ(written_.size(), 1u);
  EXPECT_TRUE(written_[0].status.ok()) << written_[0].status;
  EXPECT_EQ(written_[0].batch.entries[0].index, 1u);

  log_.reset();
  disk_.Crash();
  Replay replay;
  log_ = *SegmentLog::Open(&disk_, "log", {.segment_bytes = kSegmentBytes},
                           &replay);
  EXPECT_EQ(replay.groups[GroupId(1)].entries.size(), 1u);
}

TEST_F(LogWriterTest, AFullDiskGivesTheBatchBackToBeTriedAgain) {
  writer_->Submit(Batch(1));
  writer_->RunOnce();
  disk_.SetFreeBytes(0);
  writer_->Submit(Batch(2));
  writer_->RunOnce();
  ASSERT_EQ(written_.size(), 2u);
  EXPECT_TRUE(absl::IsResourceExhausted(written_[1].status))
      << written_[1].status;
  disk_.SetFreeBytes(1u << 30);
  writer_->Submit(std::move(written_[1].batch));
  writer_->RunOnce();
  ASSERT_EQ(written_.size(), 3u);
  EXPECT_TRUE(written_[2].status.ok()) << written_[2].status;
  EXPECT_EQ(written_[2].batch.entries[0].index, 2u);
}

TEST_F(LogWriterTest, AFailedSyncIsFinal) {
  disk_.FailSync();
  writer_->Submit(Batch(1));
  writer_->RunOnce();
  writer_->Submit(Batch(1));
  writer_->RunOnce();
  ASSERT_EQ(written_.size(), 2u);
  for (const LogWriter::Written& written : written_) {
    EXPECT_FALSE(written.status.ok());
    EXPECT_FALSE(absl::IsResourceExhausted(written.status));
  }
}

TEST_F(LogWriterTest, TheWriterThreadWaitsForWorkUntilItIsStopped) {
  std::thread thread([this] {
    while (writer_->WaitForWork()) writer_->RunOnce();
  });
  writer_->Submit(Batch(1));
  writer_->Stop();
  thread.join();
  // Nobody waits for what was not written: the process ends.
  EXPECT_LE(written_.size(), 1u);
  EXPECT_FALSE(writer_->WaitForWork());
}

using LogWriterDeathTest = LogWriterTest;
TEST_F(LogWriterDeathTest, OneBatchIsWrittenAtATime) {
  writer_->Submit(Batch(1));
  EXPECT_DEATH(writer_->Submit(Batch(2)), "already being written");
}

}  // namespace
}  // namespace trireme
