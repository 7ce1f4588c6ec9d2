// Damaged files of the segment log: told from torn tails, reported, put
// aside, and never served.
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/segment_log.h"
#include "tests/sim/fault_disk.h"
#include "tests/unit/log_model.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;

constexpr char kDirectory[] = "log";

// Writes a log batch by batch and remembers what it held after each, then
// looks at damaged copies of it.
class DamagedLogTest : public testing::Test {
 protected:
  DamagedLogTest() { OpenOriginal(); }

  void OpenOriginal() {
    Replay replay;
    original_ = SegmentLog::Open(&original_disk_, kDirectory, options_, &replay)
                    .value();
  }

  void Write(const LogBatch& batch) {
    ASSERT_TRUE(original_->Write(batch).ok());
    original_->Publish(batch);
    LogModel model = history_.back();
    model.Apply(batch);
    history_.push_back(model);
  }

  // Ten batches of one page each, two groups; five segments of two pages.
  void WriteTenBatches() {
    for (LogIndex index = 1; index <= 10; ++index) {
      LogBatch batch;
      batch.hard_states.push_back(MakeHardState(1, index, 2));
      batch.entries.push_back(
          MakeEntry(1, index, index, "one " + std::to_string(index)));
      batch.entries.push_back(
          MakeEntry(2, index, index, "two " + std::to_string(index)));
      Write(batch);
    }
    ASSERT_EQ(Segments(original_disk_).size(), 5u);
  }

  static std::vector<std::string> Segments(sim::FaultDisk& disk,
                                           absl::string_view suffix = ".log") {
    std::vector<std::string> paths;
    const std::vector<std::string> names = *disk.ListDirectory(kDirectory);
    for (const std::string& name : names)
      if (absl::StartsWith(name, "segment-") && absl::EndsWith(name, suffix))
        paths.push_back(std::string(kDirectory) + "/" + name);
    return paths;
  }

  // A fresh copy to be damaged.
  void Copy() {
    log_.reset();
    disk_.CopyFrom(original_disk_);
  }
  void Open() {
    log_.reset();
    auto log = SegmentLog::Open(&disk_, kDirectory, options_, &replay_);
    ASSERT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
  }

  // The number of batches whose effects the replay shows exactly, or -1.
  int BatchesShown() const {
    std::string difference;
    for (int i = static_cast<int>(history_.size()) - 1; i >= 0; --i)
      if (history_[i].Matches(replay_, &difference)) return i;
    return -1;
  }

  // After damage: the entries are those after some batch, every group
  // recovers, and all is readable.
  void ExpectKeptAPrefix() {
    for (const auto& [id, group] : replay_.groups) {
      EXPECT_TRUE(group.hard_state.recovering);
    }
    std::string differences;
    for (LogModel model : history_) {
      // Terms and votes may come from behind the damage; entries whose
      // predecessors were recycled are not kept.
      for (const auto& [id, group] : replay_.groups) {
        if (group.entries.empty()) model.groups()[id].entries.clear();
        model.groups()[id].term = group.hard_state.term;
        model.groups()[id].vote = group.hard_state.vote.value();
      }
      std::string difference;
      if (!model.Matches(replay_, &difference)) {
        differences += difference + "; ";
        continue;
      }
      model.ExpectReadable(*log_);
      return;
    }
    FAIL() << "the entries are not those after any batch: " << replay_.damage
           << " " << differences;
  }

  // The repaired log takes writes, and is whole when opened again.
  void ExpectRepairHolds() {
    const std::map<GroupId, bool> recovering = Recovering();
    LogBatch batch;
    LogModel model;
    for (const auto& [id, group] : replay_.groups) {
      LogHardState state = group.hard_state;
      state.term += 1;
      batch.hard_states.push_back(state);
      LogIndex next = 1;
      for (const auto& entry : group.entries) {
        LogBatch kept;
        kept.entries.push_back(MakeEntry(id.value(), entry.index, entry.term,
                                         **log_->Read(id, entry.index)));
        model.Apply(kept);
        next = entry.index + 1;
      }
      batch.entries.push_back(MakeEntry(id.value(), next, state.term, "new"));
    }
    ASSERT_TRUE(log_->Write(batch).ok());
    log_->Publish(batch);
    model.Apply(batch);
    model.ExpectReadable(*log_);
    disk_.Crash();
    Open();
    EXPECT_TRUE(replay_.damage.ok()) << replay_.damage;
    std::string difference;
    EXPECT_TRUE(model.Matches(replay_, &difference)) << difference;
    model.ExpectReadable(*log_);
    EXPECT_EQ(Recovering(), recovering);
  }
  std::map<GroupId, bool> Recovering() const {
    std::map<GroupId, bool> recovering;
    for (const auto& [id, group] : replay_.groups)
      recovering[id] = group.hard_state.recovering;
    return recovering;
  }

  SegmentLogOptions options_{.segment_bytes = 2 * kBatchAlignment};
  std::mt19937_64 random_{42};
  sim::FaultDisk original_disk_{&random_};
  std::unique_ptr<SegmentLog> original_;
  std::vector<LogModel> history_{LogModel()};

  sim::FaultDisk disk_{&random_};
  Replay replay_;
  std::unique_ptr<SegmentLog> log_;
};

// Whether the byte belongs to a header or a payload of the batch that begins
// at `page`, and not to padding.
bool IsInAFrame(const std::string& content, uint64_t page, uint64_t offset) {
  for (uint64_t at = page;;) {
    const auto header =
        DecodeFrameHeader(absl::string_view(content).substr(at));
    if (!header) return false;
    if (offset < header->payload_offset() + header->payload_bytes)
      return offset >= at;
    if (header->last_of_batch) return false;
    at = header->end();
  }
}

TEST_F(DamagedLogTest, AFlippedBitAnywhereIsDamageOrHarmlessAndNeverServed) {
  WriteTenBatches();
  const std::vector<std::string> segments = Segments(original_disk_);
  int damaged = 0, cut = 0, harmless = 0;
  for (size_t file = 0; file < segments.size(); ++file) {
    const std::string content = original_disk_.Content(segments[file]);
    for (uint64_t at = 0; at < content.size(); ++at) {
      const uint64_t page = at / kBatchAlignment * kBatchAlignment;
      const bool in_a_frame = IsInAFrame(content, page, at);
      // All of the padding would say the same for minutes.
      if (!in_a_frame && at % 8 != 7) continue;
      const bool last = file + 1 == segments.size() && page != 0;
      Copy();
      disk_.FlipBit(segments[file], at, static_cast<int>(at % 8));
      Open();
      const int shown = BatchesShown();
      if (!in_a_frame) {
        ASSERT_TRUE(replay_.damage.ok()) << segments[file] << " " << at;
        ASSERT_EQ(shown, 10) << segments[file] << " " << at;
        ++harmless;
      } else if (last) {
        // Nothing vouches for the last batch: it counts as torn.
        ASSERT_TRUE(replay_.damage.ok()) << replay_.damage;
        ASSERT_EQ(shown, 9) << segments[file] << " " << at;
        ++cut;
      } else {
        ASSERT_TRUE(absl::IsDataLoss(replay_.damage))
            << segments[file] << " " << at;
        ASSERT_NO_FATAL_FAILURE(ExpectKeptAPrefix());
        if (damaged % 37 == 0) {
          ASSERT_NO_FATAL_FAILURE(ExpectRepairHolds());
        }
        ++damaged;
      }
    }
  }
  EXPECT_GT(damaged, 9 * 150);
  EXPECT_GT(cut, 150);
  EXPECT_GT(harmless, 1000);
}

TEST_F(DamagedLogTest, AMarkVouchesForTheLastBatch) {
  WriteTenBatches();
  const std::string path = Segments(original_disk_).back();
  ASSERT_TRUE(original_->Write(LogBatch()).ok());
  original_->Publish(LogBatch());
  Copy();
  disk_.FlipBit(path, kBatchAlignment + 100, 0);
  Open();
  EXPECT_TRUE(absl::IsDataLoss(replay_.damage));
}

TEST_F(DamagedLogTest, ABlankNextSegmentVouchesForTheLastBatch) {
  WriteTenBatches();
  const std::string path = Segments(original_disk_).back();
  Copy();
  Open();
  disk_.StopAfter(1);  // Names the next file, and writes nothing.
  EXPECT_FALSE(log_->Write(LogBatch()).ok());
  disk_.Crash();
  ASSERT_EQ(Segments(disk_).size(), 6u);
  disk_.FlipBit(path, kBatchAlignment + 2 * kFrameHeaderBytes, 0);
  Open();
  EXPECT_TRUE(absl::IsDataLoss(replay_.damage));
  EXPECT_THAT(std::string(replay_.damage.message()), HasSubstr(path));
}

TEST_F(DamagedLogTest, TheReportNamesFileAndOffset) {
  WriteTenBatches();
  const std::string path = Segments(original_disk_)[2];
  Copy();
  disk_.FlipBit(path, kBatchAlignment + 20, 0);
  Open();
  EXPECT_THAT(std::string(replay_.damage.message()), HasSubstr(path));
  EXPECT_THAT(std::string(replay_.damage.message()), HasSubstr("offset 4096"));
}

TEST_F(DamagedLogTest, TheNewestReadableTermsAndVotesAreKept) {
  WriteTenBatches();
  Copy();
  disk_.FlipBit(Segments(original_disk_)[1], 20, 0);
  Open();
  EXPECT_TRUE(absl::IsDataLoss(replay_.damage));
  const ReplayedGroup& one = replay_.groups.at(GroupId(1));
  EXPECT_EQ(one.entries.size(), 2u);
  EXPECT_EQ(one.hard_state.term, 10u);
  EXPECT_EQ(one.hard_state.vote, NodeId(2));
  // Group 2 has no hard state, but it has stored an entry of term 10.
  EXPECT_EQ(replay_.groups.at(GroupId(2)).hard_state.term, 10u);
}

TEST_F(DamagedLogTest, DamageIsReportedAgainUntilTheFirstWrite) {
  WriteTenBatches();
  Copy();
  disk_.FlipBit(Segments(original_disk_)[1], kBatchAlignment + 20, 0);
  for (int i = 0; i < 3; ++i) {
    Open();
    EXPECT_TRUE(absl::IsDataLoss(replay_.damage));
    ASSERT_NO_FATAL_FAILURE(ExpectKeptAPrefix());
    disk_.Crash();
  }
  EXPECT_EQ(Segments(disk_, ".damaged").size(), 0u);
  Open();
  ASSERT_NO_FATAL_FAILURE(ExpectRepairHolds());
  // The damaged segment and all later ones are put aside, not deleted.
  EXPECT_EQ(Segments(disk_, ".damaged").size(), 4u);
}

TEST_F(DamagedLogTest, ARepairedLogGoesOnFromSegmentToSegment) {
  WriteTenBatches();
  for (size_t file = 0; file < 5; ++file) {
    Copy();
    const std::string path = Segments(disk_)[file];
    // The second batch of each file, the first of the last one.
    disk_.FlipBit(path, (file < 4 ? kBatchAlignment : 0) + 20, 0);
    Open();
    ASSERT_TRUE(absl::IsDataLoss(replay_.damage));
    LogBatch batch;
    batch.hard_states.push_back(MakeHardState(1, 99, 3));
    ASSERT_TRUE(log_->Write(batch).ok());
    // What was kept is readable before and after Publish().
    for (int published = 0; published < 2; ++published) {
      for (const auto& [id, group] : replay_.groups)
        for (const auto& entry : group.entries)
          EXPECT_TRUE(log_->Read(id, entry.index).ok());
      if (published == 0) log_->Publish(batch);
    }
    for (LogIndex index = 50; index < 80; ++index) {
      batch.entries = {MakeEntry(1, index, 99, "more")};
      ASSERT_TRUE(log_->Write(batch).ok());
      log_->Publish(batch);
      for (const uint32_t group : {1, 2}) log_->Trim(GroupId(group), index - 1);
    }
    EXPECT_EQ(Segments(disk_, ".damaged").size(), 5 - file);
    Open();
    EXPECT_TRUE(replay_.damage.ok()) << replay_.damage;
    EXPECT_TRUE(log_->Read(GroupId(1), 79).ok());
  }
}

TEST_F(DamagedLogTest, AMissingSegmentIsDamage) {
  WriteTenBatches();
  for (const std::string& segment : Segments(original_disk_)) {
    Copy();
    ASSERT_TRUE(disk_.RemoveFile(segment).ok());
    Open();
    EXPECT_TRUE(absl::IsDataLoss(replay_.damage)) << segment;
    ASSERT_NO_FATAL_FAILURE(ExpectKeptAPrefix());
    ASSERT_NO_FATAL_FAILURE(ExpectRepairHolds());
  }
}

TEST_F(DamagedLogTest, ALogWithoutItsNewestSegmentsSaysWhatIsMissing) {
  WriteTenBatches();
  const std::vector<std::string> segments = Segments(original_disk_);
  for (size_t kept = 0; kept < segments.size(); ++kept) {
    Copy();
    for (size_t file = kept; file < segments.size(); ++file)
      ASSERT_TRUE(disk_.RemoveFile(segments[file]).ok());
    // Reported until the repair is durable.
    for (int i = 0; i < 2; ++i) {
      Open();
      EXPECT_THAT(std::string(replay_.damage.message()),
                  HasSubstr("ends with segment " + std::to_string(kept)));
      EXPECT_THAT(std::string(replay_.damage.message()),
                  HasSubstr("synced in segment 5"));
      disk_.Crash();
    }
    Open();
    ASSERT_NO_FATAL_FAILURE(ExpectKeptAPrefix());
    ASSERT_NO_FATAL_FAILURE(ExpectRepairHolds());
    // The repair's own segment may not go missing either.
    ASSERT_TRUE(disk_.RemoveFile(Segments(disk_).back()).ok());
    Open();
    EXPECT_TRUE(absl::IsDataLoss(replay_.damage)) << kept;
  }
}

TEST_F(DamagedLogTest, ASegmentThatWasNeverWrittenMayGo) {
  WriteTenBatches();
  Copy();
  Open();
  disk_.StopAfter(1);  // Names the next file, and writes nothing.
  EXPECT_FALSE(log_->Write(LogBatch()).ok());
  disk_.Crash();
  ASSERT_TRUE(disk_.RemoveFile(Segments(disk_).back()).ok());
  Open();
  EXPECT_TRUE(replay_.damage.ok()) << replay_.damage;
  EXPECT_EQ(BatchesShown(), 10);
}

TEST_F(DamagedLogTest, ALogOfBeforeItsNewestSegmentWasRecordedOpens) {
  WriteTenBatches();
  Copy();
  ASSERT_TRUE(disk_.RemoveFile("log/newest-segment").ok());
  Open();
  EXPECT_TRUE(replay_.damage.ok()) << replay_.damage;
  EXPECT_EQ(BatchesShown(), 10);
  // And it is recorded from then on.
  ASSERT_TRUE(disk_.RemoveFile(Segments(disk_).back()).ok());
  Open();
  EXPECT_TRUE(absl::IsDataLoss(replay_.damage));
}

TEST_F(DamagedLogTest, ATruncatedSegmentIsDamage) {
  WriteTenBatches();
  const std::vector<std::string> segments = Segments(original_disk_);
  for (const std::string& segment : segments) {
    for (const uint64_t size : {0, 1, 4095, 4096, 4200, 8191}) {
      // Only padding is missing, and another segment follows.
      if (size > 4400 && segment != segments.back()) continue;
      Copy();
      disk_.Truncate(segment, size);
      Open();
      if (segment == segments.back() && size == 4096 * (size / 4096) &&
          replay_.damage.ok())
        ADD_FAILURE() << "not noticed: " << segment << " of " << size;
      EXPECT_TRUE(absl::IsDataLoss(replay_.damage)) << segment << " " << size;
      ASSERT_NO_FATAL_FAILURE(ExpectKeptAPrefix());
      ASSERT_NO_FATAL_FAILURE(ExpectRepairHolds());
    }
  }
}

TEST_F(DamagedLogTest, AZeroedSegmentIsDamage) {
  WriteTenBatches();
  for (const std::string& segment : Segments(original_disk_)) {
    Copy();
    disk_.Overwrite(segment, 0, std::string(options_.segment_bytes, '\0'));
    Open();
    EXPECT_TRUE(absl::IsDataLoss(replay_.damage)) << segment;
    ASSERT_NO_FATAL_FAILURE(ExpectKeptAPrefix());
    ASSERT_NO_FATAL_FAILURE(ExpectRepairHolds());
  }
}

TEST_F(DamagedLogTest, SwappedSegmentsAreDamage) {
  WriteTenBatches();
  const std::vector<std::string> segments = Segments(original_disk_);
  Copy();
  const std::string one = disk_.Content(segments[1]);
  disk_.Overwrite(segments[1], 0, disk_.Content(segments[2]));
  disk_.Overwrite(segments[2], 0, one);
  Open();
  EXPECT_TRUE(absl::IsDataLoss(replay_.damage));
  ASSERT_NO_FATAL_FAILURE(ExpectKeptAPrefix());
}

TEST_F(DamagedLogTest, DamageInARepairedLogIsFoundAgain) {
  WriteTenBatches();
  Copy();
  disk_.FlipBit(Segments(disk_)[3], 20, 0);
  Open();
  ASSERT_NO_FATAL_FAILURE(ExpectRepairHolds());
  disk_.FlipBit(Segments(disk_)[1], 20, 0);
  Open();
  EXPECT_TRUE(absl::IsDataLoss(replay_.damage));
  ASSERT_NO_FATAL_FAILURE(ExpectKeptAPrefix());
  ASSERT_NO_FATAL_FAILURE(ExpectRepairHolds());
}

TEST_F(DamagedLogTest, ACrashAtAnyMomentOfTheRepairIsHarmless) {
  WriteTenBatches();
  const std::string path = Segments(original_disk_)[1];
  bool finished = false;
  for (int operations = 0; !finished; ++operations) {
    for (int round = 0; round < 5; ++round) {
      Copy();
      disk_.FlipBit(path, kBatchAlignment + 20, 0);
      Open();
      ASSERT_TRUE(absl::IsDataLoss(replay_.damage));
      LogBatch batch;
      batch.hard_states.push_back(MakeHardState(1, 99, 3));
      batch.hard_states.back().recovering = true;
      disk_.StopAfter(operations);
      finished = log_->Write(batch).ok();
      disk_.Crash();
      Open();
      // Either the damage is still known, or the repair holds the batch.
      if (replay_.damage.ok()) {
        EXPECT_EQ(replay_.groups.at(GroupId(1)).hard_state.term, 99u);
        EXPECT_TRUE(replay_.groups.at(GroupId(1)).hard_state.recovering);
        EXPECT_EQ(Segments(disk_, ".damaged").size(), 4u);
      } else {
        EXPECT_FALSE(finished);
      }
      EXPECT_EQ(replay_.groups.at(GroupId(1)).entries.size(), 3u);
      EXPECT_EQ(replay_.groups.at(GroupId(2)).entries.size(), 3u);
      ASSERT_NO_FATAL_FAILURE(ExpectRepairHolds());
    }
  }
}

TEST_F(DamagedLogTest, ATrimBeforeTheRepairIsRespected) {
  WriteTenBatches();
  Copy();
  disk_.FlipBit(Segments(disk_)[1], kBatchAlignment + 20, 0);
  Open();
  log_->Trim(GroupId(1), 3);
  LogBatch batch;
  batch.hard_states.push_back(MakeHardState(1, 99, 3));
  ASSERT_TRUE(log_->Write(batch).ok());
  log_->Trim(GroupId(2), 3);
  log_->Publish(batch);
  EXPECT_TRUE(absl::IsNotFound(log_->Read(GroupId(2), 3).status()));
  Open();
  EXPECT_TRUE(replay_.damage.ok()) << replay_.damage;
  EXPECT_TRUE(replay_.groups.at(GroupId(1)).entries.empty());
}

TEST_F(DamagedLogTest, EntriesWithoutTheirPredecessorsStayDropped) {
  const auto write = [&](uint32_t group, LogIndex index, Term term) {
    LogBatch batch;
    batch.entries.push_back(MakeEntry(group, index, term, "x"));
    Write(batch);
  };
  // Two batches a segment. Overwriting group 1 from its start makes the first
  // segment unneeded; group 2 keeps the second.
  write(1, 1, 1), write(1, 2, 1);
  write(1, 3, 1), write(2, 1, 1);
  write(1, 1, 2), write(1, 2, 2);
  write(1, 3, 2), write(1, 4, 2);
  ASSERT_EQ(Segments(original_disk_).size(), 4u);
  write(1, 5, 2);  // Takes the first file for the fifth segment.
  write(1, 6, 2);
  write(1, 7, 2);
  Copy();
  ASSERT_TRUE(absl::EndsWith(Segments(disk_)[0], "2.log"));
  disk_.FlipBit(Segments(disk_)[1], 20, 0);
  Open();
  EXPECT_TRUE(absl::IsDataLoss(replay_.damage));
  EXPECT_TRUE(replay_.groups.at(GroupId(1)).entries.empty());
  EXPECT_EQ(replay_.groups.at(GroupId(2)).entries.size(), 1u);
  LogBatch batch;
  batch.hard_states.push_back(MakeHardState(1, 9, 1));
  ASSERT_TRUE(log_->Write(batch).ok());
  Open();
  EXPECT_TRUE(replay_.damage.ok()) << replay_.damage;
  EXPECT_TRUE(replay_.groups.at(GroupId(1)).entries.empty());
  EXPECT_EQ(replay_.groups.at(GroupId(2)).entries.size(), 1u);
}

TEST_F(DamagedLogTest, RandomDamageToARandomLogIsNeverServed) {
  int found = 0;
  for (int round = 0; round < 300; ++round) {
    random_.seed(1000 + round);
    const std::vector<std::string> old =
        *original_disk_.ListDirectory(kDirectory);
    for (const std::string& name : old)
      ASSERT_TRUE(
          original_disk_.RemoveFile(std::string(kDirectory) + "/" + name).ok());
    history_ = {LogModel()};
    options_.segment_bytes = 6 * kBatchAlignment;
    OpenOriginal();
    BatchGenerator generator(&random_);
    for (int i = 0; i < 12; ++i) Write(generator.Next(history_.back()));
    Copy();
    const std::vector<std::string> segments = Segments(disk_);
    for (uint64_t faults = 1 + generator.Below(3); faults > 0; --faults) {
      const std::string& path = segments[generator.Below(segments.size())];
      std::string noise(1 + generator.Below(700), '\0');
      for (char& c : noise) c = static_cast<char>(random_());
      disk_.Overwrite(
          path, generator.Below(disk_.Content(path).size() - noise.size()),
          noise);
    }
    Open();
    if (replay_.damage.ok()) {
      EXPECT_GE(BatchesShown(), 11) << "round " << round;
    } else {
      ASSERT_NO_FATAL_FAILURE(ExpectKeptAPrefix()) << "round " << round;
      ++found;
    }
    ASSERT_NO_FATAL_FAILURE(ExpectRepairHolds()) << "round " << round;
  }
  EXPECT_GT(found, 50);
}

}  // namespace
}  // namespace trireme
