#include "storage/segment_log.h"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/sim/fault_disk.h"
#include "tests/unit/log_model.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kSmallSegment = 4 * kBatchAlignment;

// A log, the disk it lies on, and the model of what it must hold.
class SegmentLogTest : public testing::Test {
 protected:
  void Open() {
    log_.reset();
    auto log = SegmentLog::Open(file_system_, directory_, options_, &replay_);
    ASSERT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
  }

  void Write(const LogBatch& batch) {
    ASSERT_TRUE(log_->Write(batch).ok());
    log_->Publish(batch);
    model_.Apply(batch);
  }
  void Append(uint32_t group, LogIndex index, Term term,
              const std::string& payload) {
    LogBatch batch;
    batch.entries.push_back(MakeEntry(group, index, term, payload));
    Write(batch);
  }
  void Trim(uint32_t group, LogIndex index) {
    log_->Trim(GroupId(group), index);
    model_.Trim(GroupId(group), index);
  }

  void ExpectReplayMatches() {
    ASSERT_TRUE(replay_.damage.ok()) << replay_.damage;
    std::string difference;
    ASSERT_TRUE(model_.Matches(replay_, &difference)) << difference;
    model_.ExpectReadable(*log_);
  }

  std::vector<std::string> Files(absl::string_view containing) {
    std::vector<std::string> files = *file_system_->ListDirectory(directory_);
    std::erase_if(files, [&](const std::string& name) {
      return !absl::StrContains(name, containing);
    });
    return files;
  }

  std::mt19937_64 random_{1};
  sim::FaultDisk disk_{&random_};
  FileSystem* file_system_ = &disk_;
  std::string directory_ = "log";
  SegmentLogOptions options_{.segment_bytes = kSmallSegment};
  Replay replay_;
  std::unique_ptr<SegmentLog> log_;
  LogModel model_;
};

TEST_F(SegmentLogTest, AnEmptyDirectoryIsAnEmptyLog) {
  Open();
  EXPECT_TRUE(replay_.damage.ok());
  EXPECT_TRUE(replay_.groups.empty());
  EXPECT_EQ(log_->live_bytes(), 0u);
}

TEST_F(SegmentLogTest, EntriesAndHardStatesComeBack) {
  Open();
  LogBatch batch;
  batch.hard_states.push_back(MakeHardState(3, 7, 2));
  batch.entries.push_back(MakeEntry(3, 1, 7, "first"));
  batch.entries.push_back(MakeEntry(3, 2, 7, ""));
  LogEntry no_payload = MakeEntry(3, 3, 7, "");
  no_payload.payload = nullptr;
  batch.entries.push_back(no_payload);
  Write(batch);
  model_.ExpectReadable(*log_);
  disk_.Crash();
  Open();
  ExpectReplayMatches();
  const ReplayedGroup& group = replay_.groups.at(GroupId(3));
  EXPECT_EQ(group.hard_state.vote, NodeId(2));
  EXPECT_FALSE(group.hard_state.recovering);
  ASSERT_EQ(group.entries.size(), 3u);
  EXPECT_EQ(group.entries[0].type, 7 % 3);
  EXPECT_EQ(group.entries[0].payload_bytes, 5u);
}

TEST_F(SegmentLogTest, GroupsAreInterleavedWithoutTouchingEachOther) {
  Open();
  for (LogIndex index = 1; index <= 20; ++index) {
    LogBatch batch;
    for (uint32_t group = 0; group < 9; ++group)
      batch.entries.push_back(
          MakeEntry(group, index, 1,
                    std::to_string(group) + "/" + std::to_string(index)));
    Write(batch);
  }
  model_.ExpectReadable(*log_);
  Open();
  ExpectReplayMatches();
}

TEST_F(SegmentLogTest, AnEntryWrittenAgainTruncatesTheTail) {
  Open();
  for (LogIndex index = 1; index <= 10; ++index)
    Append(1, index, 1, "old" + std::to_string(index));
  Append(1, 6, 2, "new6");
  EXPECT_TRUE(absl::IsNotFound(log_->Read(GroupId(1), 7).status()));
  model_.ExpectReadable(*log_);
  Open();
  ExpectReplayMatches();
  EXPECT_EQ(replay_.groups.at(GroupId(1)).entries.size(), 6u);
}

TEST_F(SegmentLogTest, ACutTailStaysCut) {
  Open();
  for (LogIndex index = 1; index <= 10; ++index) Append(1, index, 1, "x");
  LogBatch cut;
  cut.cuts.push_back({GroupId(1), 4});
  Write(cut);
  EXPECT_TRUE(absl::IsNotFound(log_->Read(GroupId(1), 5).status()));
  Open();
  ExpectReplayMatches();
}

TEST_F(SegmentLogTest, AnEntryBeyondTheEndStartsTheGroupAnew) {
  Open();
  for (LogIndex index = 1; index <= 5; ++index) Append(1, index, 1, "x");
  Append(1, 21, 2, "after the snapshot");
  EXPECT_TRUE(absl::IsNotFound(log_->Read(GroupId(1), 5).status()));
  Open();
  ExpectReplayMatches();
  EXPECT_EQ(replay_.groups.at(GroupId(1)).entries.front().index, 21u);
}

TEST_F(SegmentLogTest, TrimmedEntriesAreNotFound) {
  Open();
  for (LogIndex index = 1; index <= 5; ++index) Append(1, index, 1, "x");
  Trim(1, 3);
  EXPECT_TRUE(absl::IsNotFound(log_->Read(GroupId(1), 3).status()));
  EXPECT_TRUE(log_->Read(GroupId(1), 4).ok());
  EXPECT_TRUE(absl::IsNotFound(log_->Read(GroupId(2), 1).status()));
}

TEST_F(SegmentLogTest, UnpublishedEntriesAreNotFound) {
  Open();
  LogBatch batch;
  batch.entries.push_back(MakeEntry(1, 1, 1, "x"));
  ASSERT_TRUE(log_->Write(batch).ok());
  EXPECT_TRUE(absl::IsNotFound(log_->Read(GroupId(1), 1).status()));
  log_->Publish(batch);
  EXPECT_TRUE(log_->Read(GroupId(1), 1).ok());
}

TEST_F(SegmentLogTest, ADamagedPayloadIsDataLossAndNeverServed) {
  Open();
  Append(1, 1, 1, "the payload");
  const std::string path = directory_ + "/" + Files("segment-").front();
  const size_t offset = disk_.Content(path).find("the payload");
  for (const size_t damaged : {offset + 4, offset - 1, offset - 50}) {
    disk_.FlipBit(path, damaged, 3);
    const absl::Status status = log_->Read(GroupId(1), 1).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(path));
    disk_.FlipBit(path, damaged, 3);
  }
  EXPECT_TRUE(log_->Read(GroupId(1), 1).ok());
}

TEST_F(SegmentLogTest, RollsThroughManySegments) {
  Open();
  for (LogIndex index = 1; index <= 50; ++index)
    Append(1, index, 1, std::string(index * 100, 'a'));
  EXPECT_GT(Files("segment-").size(), 10u);
  EXPECT_GT(log_->live_bytes(), 10 * kSmallSegment);
  model_.ExpectReadable(*log_);
  Open();
  ExpectReplayMatches();
}

TEST_F(SegmentLogTest, FilesNobodyNeedsAreRecycledAndTheRestRemoved) {
  Open();
  for (LogIndex index = 1; index <= 200; ++index) {
    Append(1, index, 1, std::string(3000, 'a'));
    if (index > 40) Trim(1, index - 1);
  }
  // The one being written, what the last roll found unneeded, the spares.
  EXPECT_LE(Files(".log").size(), 2u + options_.spare_segments);
  EXPECT_LE(log_->live_bytes(), 2 * kSmallSegment);
  Open();
  ExpectReplayMatches();
}

TEST_F(SegmentLogTest, OneSlowGroupKeepsItsFiles) {
  Open();
  Append(2, 1, 1, "needed for long");
  for (LogIndex index = 1; index <= 50; ++index) {
    Append(1, index, 1, std::string(3000, 'a'));
    Trim(1, index);
  }
  EXPECT_TRUE(log_->Read(GroupId(2), 1).ok());
  Open();
  ExpectReplayMatches();
}

TEST_F(SegmentLogTest, WhoeverHoldsOnToOldFilesIsFound) {
  Open();
  Append(2, 1, 1, "seldom written to");
  Append(2, 2, 1, "and again");
  EXPECT_TRUE(log_->FindExcess(0).empty());
  for (LogIndex index = 1; index <= 50; ++index)
    Append(1, index, 1, std::string(3000, 'a'));
  Append(2, 3, 1, "of late");
  const auto excess = log_->FindExcess(2 * kSmallSegment);
  ASSERT_EQ(excess.size(), 2u);
  EXPECT_EQ(excess[0].group, GroupId(1));
  EXPECT_GT(excess[0].last, 10u);
  EXPECT_LT(excess[0].last, 50u);
  EXPECT_EQ(excess[1].group, GroupId(2));
  EXPECT_EQ(excess[1].last, 2u);
  for (const auto& [group, last] : excess) Trim(group.value(), last);
  EXPECT_TRUE(log_->FindExcess(2 * kSmallSegment).empty());
  EXPECT_TRUE(log_->FindExcess(uint64_t{1} << 40).empty());
}

TEST_F(SegmentLogTest, HardStatesAndTrimPointsSurviveRecycling) {
  Open();
  LogBatch batch;
  batch.hard_states = {MakeHardState(1, 5, 3), MakeHardState(2, 8, 1)};
  batch.entries.push_back(MakeEntry(2, 1, 8, "x"));
  Write(batch);
  Trim(2, 1);
  for (LogIndex index = 1; index <= 100; ++index) {
    Append(1, index, 5, std::string(3000, 'a'));
    Trim(1, index - 1);
  }
  EXPECT_EQ(Files("segment-00000000000000000001.").size(), 0u);
  disk_.Crash();
  Open();
  ExpectReplayMatches();
  EXPECT_TRUE(replay_.groups.at(GroupId(2)).entries.empty());
}

TEST_F(SegmentLogTest, StaleFramesOfRecycledFilesAreNeverReplayed) {
  Open();
  for (LogIndex index = 1; index <= 60; ++index) {
    Append(1, index, 1, "payload " + std::to_string(index));
    Trim(1, index);
    if (index % 7 == 0) disk_.Crash();
    Open();
    ExpectReplayMatches();
    Trim(1, index);
    // All that replay shows are entries that were not yet durably trimmed.
    EXPECT_LE(replay_.groups[GroupId(1)].entries.size(), 4u);
  }
}

TEST_F(SegmentLogTest, ABatchLargerThanASegmentGetsALargerFile) {
  Open();
  Append(1, 1, 1, "small");
  Append(1, 2, 1, std::string(10 * kSmallSegment + 13, 'b'));
  Append(1, 3, 1, "small again");
  model_.ExpectReadable(*log_);
  disk_.Crash();
  Open();
  ExpectReplayMatches();
  // A file of odd size is no spare.
  Trim(1, 3);
  for (LogIndex index = 4; index < 20; ++index)
    Append(1, index, 1, std::string(3000, 'c'));
  for (const std::string& name : Files(".log"))
    EXPECT_EQ(disk_.Content(directory_ + "/" + name).size(), kSmallSegment);
}

TEST_F(SegmentLogTest, AFullDiskRefusesABatchAndTheLogGoesOn) {
  Open();
  disk_.SetFreeBytes(0);
  LogIndex index = 1;
  absl::Status status;
  LogBatch batch;
  while (true) {
    batch.entries = {MakeEntry(1, index, 1, std::string(3000, 'a'))};
    status = log_->Write(batch);
    if (!status.ok()) break;
    log_->Publish(batch);
    model_.Apply(batch);
    ASSERT_LT(++index, 100u);
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_GT(index, 4u);
  model_.ExpectReadable(*log_);
  // Also when it is opened with a full disk.
  disk_.Crash();
  Open();
  ExpectReplayMatches();
  EXPECT_TRUE(absl::IsResourceExhausted(log_->Write(batch)));
  EXPECT_TRUE(absl::IsResourceExhausted(log_->PrepareNextSegment()));
  // Space returns.
  disk_.SetFreeBytes(1 << 20);
  Write(batch);
  Open();
  ExpectReplayMatches();
}

TEST_F(SegmentLogTest, AnUnusedDirectoryOpensOnAFullDisk) {
  disk_.SetFreeBytes(0);
  Open();
  EXPECT_TRUE(absl::IsResourceExhausted(log_->Write(LogBatch())));
  disk_.SetFreeBytes(1 << 20);
  Append(1, 1, 1, "x");
  Open();
  ExpectReplayMatches();
}

TEST_F(SegmentLogTest, AReadySegmentIsUsedWhenTheDiskIsFull) {
  Open();
  ASSERT_TRUE(log_->PrepareNextSegment().ok());
  for (LogIndex index = 1; index <= 4; ++index)
    Append(1, index, 1, std::string(3000, 'a'));
  ASSERT_TRUE(log_->PrepareNextSegment().ok());
  disk_.SetFreeBytes(0);
  for (LogIndex index = 5; index <= 8; ++index)
    Append(1, index, 1, std::string(3000, 'a'));
}

TEST_F(SegmentLogTest, AFailedSyncIsFinal) {
  Open();
  Append(1, 1, 1, "x");
  LogBatch batch;
  batch.entries.push_back(MakeEntry(1, 2, 1, "y"));
  disk_.FailSync();
  const absl::Status status = log_->Write(batch);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(log_->Write(batch), status);
  EXPECT_EQ(log_->Write(LogBatch()), status);
  EXPECT_EQ(log_->PrepareNextSegment(), status);
  EXPECT_TRUE(log_->Read(GroupId(1), 1).ok());
}

TEST_F(SegmentLogTest, AFailedWriteIsFinalAndNotTakenForAFullDisk) {
  Open();
  Append(1, 1, 1, "x");
  disk_.FailWrite();
  const absl::Status status = log_->Write(LogBatch());
  EXPECT_FALSE(status.ok());
  EXPECT_FALSE(absl::IsResourceExhausted(status));
  EXPECT_EQ(log_->Write(LogBatch()), status);
}

TEST_F(SegmentLogTest, EachWriteIsOneSync) {
  Open();
  for (LogIndex index = 1; index <= 30; ++index) {
    Append(1, index, 1, std::string(1000, 'x'));
    EXPECT_EQ(log_->syncs(), index);
  }
  EXPECT_EQ(log_->bytes_written(), 30 * kBatchAlignment);
}

TEST_F(SegmentLogTest, ANewerFormatIsRefused) {
  Open();
  Append(1, 1, 1, "x");
  const std::string path = directory_ + "/" + Files("segment-").front();
  const std::string content = disk_.Content(path);
  auto header = DecodeFrameHeader(content);
  std::string payload =
      content.substr(kFrameHeaderBytes, header->payload_bytes);
  payload[0] = 9;
  header->payload_crc = Crc32c(payload);
  std::string bytes(kFrameHeaderBytes, '\0');
  EncodeFrameHeader(*header, bytes.data());
  disk_.Overwrite(path, 0, bytes + payload);
  const absl::Status status =
      SegmentLog::Open(&disk_, directory_, options_, &replay_).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
}

TEST_F(SegmentLogTest, AChangedSegmentSizeKeepsTheLog) {
  Open();
  for (LogIndex index = 1; index <= 10; ++index)
    Append(1, index, 1, std::string(3000, 'a'));
  for (const uint64_t pages : {8, 2, 16}) {
    options_.segment_bytes = pages * kBatchAlignment;
    Open();
    ExpectReplayMatches();
    for (int i = 0; i < 20; ++i)
      Append(1, model_.groups()[GroupId(1)].last() + 1, 1,
             std::string(3000, 'a'));
  }
  Open();
  ExpectReplayMatches();
}

TEST_F(SegmentLogTest, ReadsRunBesideAWrite) {
  Open();
  Append(1, 1, 1, "the first");
  for (LogIndex index = 2; index <= 200; ++index) {
    LogBatch batch;
    batch.entries.push_back(MakeEntry(1, index, 1, std::string(2000, 'x')));
    absl::Status status;
    std::thread writer([&] { status = log_->Write(batch); });
    const absl::StatusOr<Payload> payload = log_->Read(GroupId(1), index - 1);
    ASSERT_TRUE(payload.ok()) << payload.status();
    log_->Trim(GroupId(1), index > 10 ? index - 10 : 0);
    writer.join();
    ASSERT_TRUE(status.ok());
    log_->Publish(batch);
  }
}

// The same log on the machine's own file system.
class SegmentLogOnDiskTest : public SegmentLogTest {
 protected:
  SegmentLogOnDiskTest() {
    std::string pattern = testing::TempDir() + "/segment_log_XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    file_system_ = PosixFileSystem::Get();
  }
  ~SegmentLogOnDiskTest() override {
    log_.reset();
    std::filesystem::remove_all(directory_);
  }
};

TEST_F(SegmentLogOnDiskTest, RandomBatchesComeBack) {
  options_.segment_bytes = 16 * kBatchAlignment;
  BatchGenerator generator(&random_);
  Open();
  for (int i = 0; i < 150; ++i) {
    Write(generator.Next(model_));
    if (i % 10 == 0)
      for (auto& [id, group] : model_.groups())
        Trim(id.value(), group.last() - std::min<LogIndex>(5, group.last()));
    if (i % 50 == 49) {
      Open();
      ExpectReplayMatches();
    }
  }
}

TEST_F(SegmentLogOnDiskTest, SixtyFourMebibytesInOneEntryComeBack) {
  options_.segment_bytes = 1 << 20;
  Open();
  Append(1, 1, 1, "before");
  Append(1, 2, 1, std::string(64 << 20, 'q'));
  Append(1, 3, 1, "after");
  Open();
  ExpectReplayMatches();
}

TEST_F(SegmentLogOnDiskTest, ABatchOfManySmallEntriesComesBack) {
  Open();
  LogBatch batch;
  for (LogIndex index = 1; index <= 5000; ++index)
    batch.entries.push_back(MakeEntry(1, index, 1, std::to_string(index)));
  Write(batch);
  Open();
  ExpectReplayMatches();
}

}  // namespace
}  // namespace trireme
