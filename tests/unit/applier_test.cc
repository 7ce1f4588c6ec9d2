#include "replication/applier.h"

#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "storage/entry_payload.h"
#include "storage/errors.h"
#include "storage/record.h"
#include "tests/sim/fault_disk.h"
#include "tests/sim/sim_state.h"

namespace trireme {
namespace {

constexpr GroupId kGroup{0};
constexpr int64_t kStampMs = 1234;

class Observer : public AppliedObserver {
 public:
  void OnApplied(const CommittedEntry& entry, const ApplyResult&) override {
    heard.push_back(absl::StrCat("entry ", entry.index));
  }
  void OnStateReplaced(GroupId group) override {
    heard.push_back(absl::StrCat("replaced ", group.value()));
  }

  std::vector<std::string> heard;
};

class ApplierTest : public ::testing::Test {
 protected:
  // The next entry; `pieces` are numbers of records by shard.
  ApplyEntry Records(const std::vector<std::pair<uint32_t, uint32_t>>& pieces) {
    std::vector<std::string> bytes(pieces.size());
    std::vector<ShardBatch> batches;
    for (size_t i = 0; i < pieces.size(); ++i) {
      const auto& [shard, count] = pieces[i];
      for (uint32_t record = 0; record < count; ++record) {
        const std::string key = absl::StrCat(history_.NewRecord());
        AppendRecord({key, "data"}, &bytes[i]);
      }
      batches.push_back({{StreamId(1), ShardIndex(shard)}, count, bytes[i]});
    }
    return Next(EncodeRecordsPayload(kStampMs, batches));
  }

  ApplyEntry Command(absl::string_view verb, uint32_t shard) {
    return Next(EncodeCommandPayload(
        kStampMs,
        sim::SimCommand(history_.NewRecord(), verb, ShardIndex(shard))));
  }

  void AddWaiter(std::vector<ProposalPart> parts, ApplyEntry* entry) {
    entry->waiters.push_back({std::move(parts), [this](ProposalOutcome done) {
                                outcomes_.push_back(std::move(done));
                              }});
  }

  void Submit(ApplyWork unit) {
    std::vector<ApplyWork> work;
    work.push_back(std::move(unit));
    applier_.Submit(std::move(work));
  }

  sim::Events events_;
  sim::Trace trace_{&events_, false};
  sim::History history_{1, &trace_};
  sim::SimState state_{NodeId(1), 1, &history_};
  Observer observer_;
  std::vector<absl::Status> fatal_;
  Applier applier_{&state_, &observer_, [this](absl::Status status) {
                     fatal_.push_back(std::move(status));
                   }};
  std::vector<ProposalOutcome> outcomes_;

 private:
  ApplyEntry Next(std::string payload) {
    ApplyEntry entry;
    entry.entry = {kGroup, ++last_index_, 1, true,
                   MakePayload(std::move(payload))};
    entry.stamp_ms = kStampMs;
    return entry;
  }

  LogIndex last_index_ = 0;
};

TEST_F(ApplierTest, EachProposerHearsWhereItsRecordsStand) {
  ApplyEntry entry = Records({{1, 3}, {2, 2}});
  AddWaiter({{0, 0}}, &entry);
  AddWaiter({{1, 0}, {0, 2}}, &entry);
  Submit(std::move(entry));
  EXPECT_TRUE(applier_.RunOnce());
  ASSERT_EQ(outcomes_.size(), 2u);
  for (const ProposalOutcome& outcome : outcomes_) {
    EXPECT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_EQ(outcome.stamp_ms, kStampMs);
  }
  ASSERT_EQ(outcomes_[0].places.size(), 1u);
  EXPECT_EQ(outcomes_[0].places[0].first, MakeCounter(1, 0));
  ASSERT_EQ(outcomes_[1].places.size(), 2u);
  EXPECT_EQ(outcomes_[1].places[0].first, MakeCounter(1, 0));
  EXPECT_EQ(outcomes_[1].places[1].first, MakeCounter(1, 2));
}

TEST_F(ApplierTest, AShardThatRefusesRefusesForItselfOnly) {
  Submit(Command("seal", 1));
  ApplyEntry entry = Records({{1, 1}, {2, 1}});
  AddWaiter({{0, 0}, {1, 0}}, &entry);
  Submit(std::move(entry));
  EXPECT_TRUE(applier_.RunOnce());
  ASSERT_EQ(outcomes_.size(), 1u);
  EXPECT_TRUE(outcomes_[0].status.ok()) << outcomes_[0].status;
  ASSERT_EQ(outcomes_[0].places.size(), 2u);
  EXPECT_EQ(ReasonOf(outcomes_[0].places[0].status), ErrorReason::kShardSealed);
  EXPECT_TRUE(outcomes_[0].places[1].status.ok());
}

TEST_F(ApplierTest, ACommandsReplyAndErrorReachItsProposer) {
  ApplyEntry seal = Command("seal", 1);
  AddWaiter({}, &seal);
  ApplyEntry again = Command("seal", 1);
  AddWaiter({}, &again);
  Submit(std::move(seal));
  Submit(std::move(again));
  EXPECT_TRUE(applier_.RunOnce());
  ASSERT_EQ(outcomes_.size(), 2u);
  EXPECT_TRUE(outcomes_[0].status.ok()) << outcomes_[0].status;
  EXPECT_EQ(outcomes_[0].reply, "did 1");
  EXPECT_EQ(ReasonOf(outcomes_[1].status), ErrorReason::kResourceInUse);
}

TEST_F(ApplierTest, ACallbackRunsWhenAllBeforeItIsApplied) {
  LogIndex applied = 0;
  Submit(Records({{1, 1}}));
  Submit(ApplyCallback{[&] { applied = state_.Applied(kGroup).index; }});
  Submit(Records({{1, 1}}));
  EXPECT_TRUE(applier_.RunOnce());
  EXPECT_EQ(applied, 1u);
  EXPECT_EQ(state_.Applied(kGroup).index, 2u);
}

TEST_F(ApplierTest, TheObserverHearsOfEverythingInOrder) {
  Submit(Records({{1, 1}}));
  Submit(ApplyReplacement{kGroup});
  Submit(Command("note", 1));
  while (applier_.RunOnce()) {
  }
  EXPECT_EQ(observer_.heard,
            (std::vector<std::string>{"entry 1", "replaced 0", "entry 2"}));
}

TEST_F(ApplierTest, BytesAreQueuedUntilTheyAreApplied) {
  ApplyEntry entry = Records({{1, 5}});
  const uint64_t bytes = entry.entry.payload->size();
  Submit(std::move(entry));
  Submit(ApplyReplacement{kGroup});
  EXPECT_EQ(applier_.queued_bytes(), bytes);
  EXPECT_TRUE(applier_.HasWork());
  applier_.RunOnce();
  EXPECT_EQ(applier_.queued_bytes(), 0u);
  EXPECT_FALSE(applier_.HasWork());
  EXPECT_FALSE(applier_.RunOnce());
}

// The entry is committed, so "failed" would be wrong, and it is not readable
// here, so "done" would be too.
TEST_F(ApplierTest, AfterABrokenStateNobodyGetsAnAnswer) {
  ApplyEntry first = Records({{1, 1}});
  AddWaiter({{0, 0}}, &first);
  ApplyEntry second = Records({{1, 1}});
  AddWaiter({{0, 0}}, &second);
  state_.FailNextApply();
  Submit(std::move(first));
  Submit(std::move(second));
  Submit(ApplyReplacement{kGroup});
  applier_.RunOnce();
  Submit(Command("note", 1));
  applier_.RunOnce();
  ASSERT_EQ(fatal_.size(), 1u);
  EXPECT_TRUE(absl::IsDataLoss(fatal_[0])) << fatal_[0];
  EXPECT_TRUE(outcomes_.empty());
  EXPECT_TRUE(observer_.heard.empty());
}

// On a disk that is full from the start.
class StalledApplierTest : public ApplierTest {
 protected:
  StalledApplierTest() {
    disk_.SetFreeBytes(0);
    state_.LieOn(&disk_);
    state_.HoldAtMost(4);
    while (state_.Applied(kGroup).index < 4) {
      Submit(Command("note", 1));
      applier_.RunOnce();
    }
    observer_.heard.clear();
  }

  // A record, and a reader who waits for it.
  void SubmitBoth(absl::Duration deadline) {
    ApplyEntry entry = Records({{1, 1}});
    AddWaiter({{0, 0}}, &entry);
    entry.waiters[0].deadline = deadline;
    Submit(std::move(entry));
    SubmitReader(kGroup, deadline);
    applier_.RunOnce();
  }
  void SubmitReader(GroupId group, absl::Duration deadline) {
    Submit(ApplyBarrier{
        group,
        [this](absl::Status status) { read_.push_back(std::move(status)); },
        deadline});
  }
  void FreeDisk() {
    disk_.SetFreeBytes(1 << 20);
    applier_.OnTick(absl::ZeroDuration());
    while (applier_.RunOnce()) continue;
  }

  std::mt19937_64 random_{1};
  sim::FaultDisk disk_{&random_};
  std::vector<absl::Status> read_;
};

TEST_F(StalledApplierTest, OnlyReadersBehindNothingOfTheirGroupGoOn) {
  constexpr GroupId kOther(kGroup.value() + 1);
  SubmitBoth(absl::Seconds(9));
  SubmitReader(kOther, absl::Seconds(9));
  EXPECT_EQ(read_.size(), 1u);
  // Its state was replaced, but the observer has not heard of it.
  Submit(ApplyReplacement{kOther});
  SubmitReader(kOther, absl::Seconds(9));
  EXPECT_EQ(read_.size(), 1u);
  FreeDisk();
  EXPECT_EQ(read_.size(), 3u);
  for (const absl::Status& read : read_) EXPECT_TRUE(read.ok()) << read;
}

TEST_F(StalledApplierTest, AnEntryThatFindsNoSpaceWaitsAndNothingOvertakesIt) {
  SubmitBoth(absl::Seconds(9));
  EXPECT_TRUE(applier_.waits_for_space());
  // It is tried again only when told so, and in vain.
  EXPECT_FALSE(applier_.HasWork());
  EXPECT_FALSE(applier_.RunOnce());
  applier_.OnTick(absl::Seconds(1));
  EXPECT_TRUE(applier_.HasWork());
  EXPECT_FALSE(applier_.RunOnce());
  EXPECT_TRUE(applier_.waits_for_space());
  EXPECT_TRUE(observer_.heard.empty());
  EXPECT_TRUE(outcomes_.empty());
  EXPECT_TRUE(read_.empty());
  EXPECT_GT(applier_.queued_bytes(), 0u);

  FreeDisk();
  EXPECT_FALSE(applier_.waits_for_space());
  EXPECT_EQ(observer_.heard, std::vector<std::string>{"entry 5"});
  ASSERT_EQ(outcomes_.size(), 1u);
  EXPECT_TRUE(outcomes_[0].status.ok()) << outcomes_[0].status;
  ASSERT_EQ(read_.size(), 1u);
  EXPECT_TRUE(read_[0].ok()) << read_[0];
  EXPECT_EQ(applier_.queued_bytes(), 0u);
  EXPECT_TRUE(fatal_.empty());
}

TEST_F(StalledApplierTest, WhoWaitsBeyondHisDeadlineIsToldSoOnce) {
  SubmitBoth(absl::Seconds(9));
  applier_.OnTick(absl::Seconds(9));
  ASSERT_EQ(outcomes_.size(), 1u);
  EXPECT_EQ(ReasonOf(outcomes_[0].status), ErrorReason::kOutcomeUnknown);
  ASSERT_EQ(read_.size(), 1u);
  EXPECT_EQ(ReasonOf(read_[0]), ErrorReason::kDiskFull);
  applier_.RunOnce();
  applier_.OnTick(absl::Seconds(10));
  FreeDisk();
  EXPECT_EQ(observer_.heard, std::vector<std::string>{"entry 5"});
  EXPECT_EQ(outcomes_.size(), 1u);
  EXPECT_EQ(read_.size(), 1u);
}

TEST_F(ApplierTest, TheApplierThreadWaitsForWorkUntilItIsStopped) {
  absl::Notification applied;
  std::thread thread([this] {
    while (applier_.WaitForWork()) applier_.RunOnce();
  });
  Submit(Records({{1, 1}}));
  Submit(ApplyCallback{[&] { applied.Notify(); }});
  applied.WaitForNotification();
  applier_.Stop();
  thread.join();
  EXPECT_EQ(observer_.heard.size(), 1u);
}

}  // namespace
}  // namespace trireme
