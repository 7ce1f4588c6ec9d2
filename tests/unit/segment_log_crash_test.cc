// Power failures of the segment log: what Write() said OK to is there, what
// it did not is there as a whole or not at all.
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "storage/segment_log.h"
#include "tests/sim/fault_disk.h"
#include "tests/unit/log_model.h"

namespace trireme {
namespace {

constexpr char kDirectory[] = "log";

class SegmentLogCrashTest : public testing::Test {
 protected:
  absl::Status TryOpen() {
    log_.reset();
    auto log = SegmentLog::Open(&disk_, kDirectory, options_, &replay_);
    if (!log.ok()) return log.status();
    log_ = *std::move(log);
    return absl::OkStatus();
  }
  void Open() {
    const absl::Status status = TryOpen();
    ASSERT_TRUE(status.ok()) << status;
  }

  // Opens and finds exactly `before`, or exactly `after`.
  void ExpectEither(const LogModel& before, const LogModel& after,
                    LogModel* shown) {
    ASSERT_NO_FATAL_FAILURE(Open());
    ASSERT_TRUE(replay_.damage.ok()) << replay_.damage;
    std::string not_before, not_after;
    if (after.Matches(replay_, &not_after)) {
      *shown = after;
    } else {
      ASSERT_TRUE(before.Matches(replay_, &not_before))
          << "before: " << not_before << "; after: " << not_after;
      *shown = before;
    }
    shown->ExpectReadable(*log_);
  }

  SegmentLogOptions options_{.segment_bytes = 8 * kBatchAlignment};
  std::mt19937_64 random_{3};
  sim::FaultDisk disk_{&random_};
  Replay replay_;
  std::unique_ptr<SegmentLog> log_;
};

TEST_F(SegmentLogCrashTest, ATailTornAtAnyByteIsCutAndOverwritten) {
  Open();
  LogModel before;
  for (LogIndex index = 1; index <= 3; ++index) {
    LogBatch batch;
    batch.entries.push_back(MakeEntry(1, index, 1, "entry"));
    ASSERT_TRUE(log_->Write(batch).ok());
    before.Apply(batch);
  }
  LogBatch last;
  last.hard_states.push_back(MakeHardState(1, 2, 3));
  last.entries.push_back(MakeEntry(1, 2, 2, "overwrites"));
  last.entries.push_back(MakeEntry(2, 1, 1, std::string(200, 'z')));
  last.entries.push_back(MakeEntry(1, 3, 2, "more"));
  ASSERT_TRUE(log_->Write(last).ok());
  LogModel after = before;
  after.Apply(last);

  const std::string path =
      std::string(kDirectory) + "/segment-00000000000000000001.log";
  const uint64_t begin = 3 * kBatchAlignment;
  const uint64_t frames =
      4 * kFrameHeaderBytes + RoundUp(10, 8) + 200 + RoundUp(4, 8);
  sim::FaultDisk whole(&random_);
  whole.CopyFrom(disk_);
  int cuts = 0;
  for (uint64_t torn = begin; torn <= begin + frames; ++torn) {
    for (const char stale : {'\0', '\x5a'}) {
      disk_.CopyFrom(whole);
      disk_.Overwrite(path, torn,
                      std::string(begin + kBatchAlignment - torn, stale));
      LogModel shown;
      ASSERT_NO_FATAL_FAILURE(ExpectEither(before, after, &shown));
      const bool cut = shown.groups()[GroupId(1)].term == 0;
      // The last frame's padding is no part of it.
      EXPECT_EQ(cut, torn < begin + frames - 4) << torn;
      cuts += cut;
      LogBatch next;
      next.entries.push_back(MakeEntry(1, 4, 5, "another"));
      ASSERT_TRUE(log_->Write(next).ok());
      shown.Apply(next);
      ASSERT_NO_FATAL_FAILURE(ExpectEither(shown, shown, &shown));
    }
  }
  EXPECT_GT(cuts, 400);
}

TEST_F(SegmentLogCrashTest, RemainsOfATornBatchNeverCompleteALaterOne) {
  // Two batches of the same shape and number, torn one after the other: the
  // mixture of both must never be taken for a batch. Each frame is a sector.
  int mixtures_possible = 0;
  for (int round = 0; round < 400; ++round) {
    disk_.CopyFrom(sim::FaultDisk(&random_));
    Open();
    ASSERT_TRUE(log_->Write(LogBatch()).ok());
    LogModel model;
    for (const char fill : {'a', 'b', 'c'}) {
      LogBatch batch;
      for (uint32_t group = 0; group < 6; ++group)
        batch.entries.push_back(
            MakeEntry(group, 1, 1, std::string(512 - kFrameHeaderBytes, fill)));
      disk_.FailSync();
      ASSERT_FALSE(log_->Write(batch).ok());
      disk_.Crash();
      LogModel with = model;
      with.Apply(batch);
      LogModel shown;
      ASSERT_NO_FATAL_FAILURE(ExpectEither(model, with, &shown));
      mixtures_possible += replay_.tail_was_cut;
      model = shown;
    }
  }
  EXPECT_GT(mixtures_possible, 100);
}

TEST_F(SegmentLogCrashTest, WhatOpenReportsIsDurable) {
  // After a failed fsync the page cache may hold what the disk does not. A
  // process that starts over must not build on it (fsync-gate).
  int shown_after_failure = 0;
  for (int round = 0; round < 200; ++round) {
    disk_.CopyFrom(sim::FaultDisk(&random_));
    Open();
    LogBatch batch;
    batch.entries.push_back(MakeEntry(1, 1, 1, std::string(9000, 'x')));
    disk_.FailSync();
    ASSERT_FALSE(log_->Write(batch).ok());
    disk_.KillProcess();
    LogModel with;
    with.Apply(batch);
    LogModel shown;
    ASSERT_NO_FATAL_FAILURE(ExpectEither(LogModel(), with, &shown));
    shown_after_failure += !replay_.groups.empty();
    disk_.Crash();
    ASSERT_NO_FATAL_FAILURE(ExpectEither(shown, shown, &shown));
  }
  EXPECT_GT(shown_after_failure, 100);
}

// A fixed workload that rolls, trims and recycles; returns how far it came.
TEST_F(SegmentLogCrashTest, APowerCutAtAnyOperationLosesNothingAcknowledged) {
  options_.segment_bytes = 3 * kBatchAlignment;
  bool finished = false;
  uint64_t operations = 0;
  for (; !finished; ++operations) {
    disk_.CopyFrom(sim::FaultDisk(&random_));
    disk_.StopAfter(operations);
    LogModel before, after;
    if (TryOpen().ok()) {
      finished = true;
      for (LogIndex index = 1; index <= 25 && finished; ++index) {
        LogBatch batch;
        batch.hard_states.push_back(MakeHardState(1, index, 1));
        batch.entries.push_back(
            MakeEntry(1, index, index, std::string(index * 150, 'x')));
        before = after;
        after.Apply(batch);
        finished = log_->Write(batch).ok();
        if (!finished) break;
        log_->Publish(batch);
        if (index % 5 == 0) {
          log_->Trim(GroupId(1), index - 3);
          after.Trim(GroupId(1), index - 3);
        }
        if (index % 2 == 0) log_->PrepareNextSegment().IgnoreError();
        before = after;
      }
    }
    disk_.Crash();
    LogModel shown;
    ASSERT_NO_FATAL_FAILURE(ExpectEither(before, after, &shown))
        << "after " << operations << " operations";
    // And again, cut short while opening.
    disk_.StopAfter(operations % 4);
    TryOpen().IgnoreError();
    disk_.Crash();
    ASSERT_NO_FATAL_FAILURE(ExpectEither(shown, shown, &shown));
  }
  EXPECT_GT(operations, 60u);
}

TEST_F(SegmentLogCrashTest, RandomWorkloadsWithCrashesMatchTheModel) {
  int crashes = 0, kept = 0;
  for (int round = 0; round < 400; ++round) {
    random_.seed(round);
    disk_.CopyFrom(sim::FaultDisk(&random_));
    disk_.SetFreeBytes(64 << 20);
    BatchGenerator generator(&random_);
    options_.segment_bytes = (2 + generator.Below(8)) * kBatchAlignment;
    ASSERT_NO_FATAL_FAILURE(Open());
    LogModel model;
    for (int step = 0; step < 60; ++step) {
      if (generator.Below(5) == 0) {
        const GroupId id(static_cast<uint32_t>(generator.Below(4)));
        GroupModel& group = model.groups()[id];
        const LogIndex to = generator.Below(group.last() + 1);
        log_->Trim(id, to);
        model.Trim(id, to);
        continue;
      }
      const LogBatch batch = generator.Next(model);
      LogModel after = model;
      after.Apply(batch);
      const bool cut_power = generator.Below(8) == 0;
      if (cut_power) disk_.StopAfter(generator.Below(5));
      const bool written = log_->Write(batch).ok();
      ASSERT_TRUE(written || cut_power);
      if (written) {
        log_->Publish(batch);
        model = after;
      }
      if (!cut_power && generator.Below(20) != 0) continue;
      generator.Below(3) == 0 ? disk_.KillProcess() : disk_.Crash();
      LogModel shown;
      ASSERT_NO_FATAL_FAILURE(ExpectEither(model, after, &shown))
          << "round " << round << " step " << step;
      kept += !written && shown.groups() != model.groups();
      ++crashes;
      model = shown;
    }
  }
  EXPECT_GT(crashes, 2000);
  EXPECT_GT(kept, 10);
}

}  // namespace
}  // namespace trireme
