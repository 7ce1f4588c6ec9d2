#include "replication/raft_group.h"

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "storage/crc32c.h"
#include "storage/entry_payload.h"
#include "storage/errors.h"
#include "storage/record.h"
#include "tests/sim/fault_disk.h"
#include "tests/unit/raft_test_node.h"

namespace trireme {
namespace {

constexpr GroupId kGroup{1};
constexpr uint64_t kEntryBytes = 1000;
constexpr uint64_t kNoLimit = 1u << 30;
constexpr absl::Duration kDeadline = absl::Seconds(10);

using ShardData = std::pair<uint32_t, std::string>;  // Of one record.

// What a record takes in a batch besides its data.
constexpr uint64_t kOverhead = kRecordHeaderBytes + 1;

std::string Encoded(const std::string& data) {
  std::string batch;
  AppendRecord({"k", data}, &batch);
  return batch;
}

// The shard and the data of its records.
std::string Text(const ShardBatch& batch) {
  std::vector<std::string> data;
  RecordBatchReader reader(batch.batch);
  for (RecordView record; reader.Next(&record);) {
    data.emplace_back(record.data);
  }
  EXPECT_TRUE(reader.status().ok()) << reader.status();
  EXPECT_EQ(data.size(), batch.record_count);
  return absl::StrCat(batch.shard.shard.value(), ": ",
                      absl::StrJoin(data, " "));
}

// Of node 2, that leads now.
raft::Message AppendOfNoops(Term term, LogIndex previous, Term previous_term,
                            std::vector<Term> terms, LogIndex commit) {
  raft::Message append = raft::MakeAppend(2, term, previous, previous_term,
                                          std::move(terms), commit);
  for (raft::Entry& entry : append.entries) {
    entry.type = raft::EntryType::kNoop;
  }
  return append;
}

// A group on a real log, alone in its cluster or with two more, whose messages
// the test makes.
class RaftGroupTest : public ::testing::Test {
 protected:
  RaftGroupTest() {
    Replay replay;
    log_ =
        *SegmentLog::Open(&disk_, "log", {.segment_bytes = 1u << 20}, &replay);
  }

  void Start(std::vector<uint32_t> voters, raft::Restored restored = {},
             int64_t stamp_ms = 0) {
    raft::Config config = raft::ThreeNodes();
    config.voters.clear();
    for (const uint32_t voter : voters) config.voters.emplace_back(voter);
    group_ = std::make_unique<RaftGroup>(kGroup, config, std::move(restored),
                                         log_.get(), stamp_ms);
  }
  void StartLeading() {
    Start({1});
    group_->core().Campaign();
    Drain();
  }
  void StartLeadingThree(raft::Restored restored = {}, int64_t stamp_ms = 0) {
    Start({1, 2, 3}, std::move(restored), stamp_ms);
    LeadThree();
  }
  void LeadThree() {
    group_->core().Campaign();
    Drain();
    Step(raft::MakeGrant(2, group_->core().term()));
    ASSERT_EQ(group_->core().role(), raft::Role::kLeader);
  }

  // Persists what the core hands out, as the loop does.
  void Drain() {
    raft::Raft& core = group_->core();
    while (core.HasReady()) {
      raft::Ready ready = core.TakeReady();
      LogBatch batch;
      if (ready.hard_state) {
        batch.hard_states.push_back(
            {kGroup, ready.hard_state->term, ready.hard_state->vote});
      }
      for (const raft::Entry& entry : ready.entries) {
        batch.entries.push_back({kGroup, entry.index, entry.term,
                                 static_cast<uint8_t>(entry.type),
                                 entry.payload_crc, entry.payload});
      }
      if (batch.empty()) continue;
      ASSERT_TRUE(log_->Write(batch).ok());
      log_->Publish(batch);
      if (ready.hard_state) core.OnHardStatePersisted(*ready.hard_state);
      if (!ready.entries.empty()) {
        core.OnPersisted(ready.entries.back().index, ready.entries.back().term);
      }
    }
  }
  void Step(raft::Message message) {
    group_->core().Step(std::move(message));
    Drain();
  }

  // Answers are gathered in outcomes_, in the order they come.
  void Enqueue(ProposalBody body, absl::Duration deadline = kDeadline) {
    group_->Enqueue({kGroup,
                     std::make_shared<const ProposalBody>(std::move(body)),
                     deadline, [this](ProposalOutcome outcome) {
                       outcomes_.push_back(std::move(outcome));
                     }});
  }
  // A batch of one record each.
  void EnqueueRecords(const std::vector<ShardData>& records,
                      absl::Duration deadline = kDeadline) {
    ProposalBody body;
    for (const auto& [shard, data] : records) {
      body.puts.push_back({{StreamId(1), ShardIndex(shard)}, 1, Encoded(data)});
    }
    Enqueue(std::move(body), deadline);
  }
  // Returns the bytes that left the queue.
  uint64_t Propose(int64_t now_ms = 0, uint64_t bytes_max = kNoLimit) {
    const uint64_t before = group_->waiting_bytes();
    group_->ProposeWaiting(now_ms, kEntryBytes, bytes_max);
    Drain();
    return before - group_->waiting_bytes();
  }

  // The data entries among what is committed now.
  std::vector<ApplyEntry> TakeCommitted(uint64_t bytes_max = kNoLimit) {
    absl::StatusOr<std::vector<ApplyWork>> work =
        group_->TakeCommitted(bytes_max);
    EXPECT_TRUE(work.ok()) << work.status();
    std::vector<ApplyEntry> entries;
    for (ApplyWork& unit : *work) {
      auto* const entry = std::get_if<ApplyEntry>(&unit);
      if (entry != nullptr && entry->entry.has_payload) {
        entries.push_back(std::move(*entry));
      }
    }
    return entries;
  }

  static std::vector<std::string> BatchesOf(const ApplyEntry& entry) {
    std::vector<std::string> texts;
    const auto decoded = DecodePayload(*entry.entry.payload);
    EXPECT_TRUE(decoded.ok()) << decoded.status();
    for (const ShardBatch& batch : decoded->batches) {
      texts.push_back(Text(batch));
    }
    return texts;
  }
  static int64_t StampOf(const ApplyEntry& entry) {
    return DecodePayload(*entry.entry.payload)->stamp_ms;
  }
  static void ExpectPart(const ProposalPart& part, uint32_t batch,
                         uint32_t position) {
    EXPECT_EQ(part.batch, batch);
    EXPECT_EQ(part.position, position);
  }

  std::mt19937_64 random_{1};
  sim::FaultDisk disk_{&random_};
  std::unique_ptr<SegmentLog> log_;
  std::unique_ptr<RaftGroup> group_;
  std::vector<ProposalOutcome> outcomes_;
};

// --- packing ---

TEST_F(RaftGroupTest, WhatWaitsBecomesOneEntryInTheOrderOfEachShard) {
  StartLeading();
  EnqueueRecords({{2, "a"}, {1, "bb"}});
  EnqueueRecords({{1, "c"}, {2, "d"}, {1, "e"}});
  constexpr uint64_t kBytes = 6 + 5 * kOverhead;
  EXPECT_EQ(group_->waiting_bytes(), kBytes);
  EXPECT_EQ(Propose(), kBytes);
  EXPECT_FALSE(group_->has_waiting());
  EXPECT_EQ(group_->waiting_bytes(), 0u);

  const std::vector<ApplyEntry> entries = TakeCommitted();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(BatchesOf(entries[0]),
            (std::vector<std::string>{"1: bb c e", "2: a d"}));
  // Each proposer's parts, in the order of its batches.
  ASSERT_EQ(entries[0].waiters.size(), 2u);
  const std::vector<ProposalPart>& first = entries[0].waiters[0].parts;
  ASSERT_EQ(first.size(), 2u);
  ExpectPart(first[0], 1, 0);
  ExpectPart(first[1], 0, 0);
  const std::vector<ProposalPart>& second = entries[0].waiters[1].parts;
  ASSERT_EQ(second.size(), 3u);
  ExpectPart(second[0], 0, 1);
  ExpectPart(second[1], 1, 1);
  ExpectPart(second[2], 0, 2);
}

TEST_F(RaftGroupTest, ACommandIsAnEntryOfItsOwn) {
  StartLeading();
  EnqueueRecords({{1, "a"}});
  Enqueue({.command = "command"});
  EnqueueRecords({{1, "b"}});
  Propose();
  const std::vector<ApplyEntry> entries = TakeCommitted();
  // It takes its turn beside the records' stream.
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(BatchesOf(entries[0]), std::vector<std::string>{"1: a b"});
  EXPECT_EQ(DecodePayload(*entries[1].entry.payload)->command, "command");
  ASSERT_EQ(entries[1].waiters.size(), 1u);
  EXPECT_TRUE(entries[1].waiters[0].parts.empty());
}

TEST_F(RaftGroupTest, WhatTheNextWriteCannotTakeWaits) {
  StartLeading();
  for (const char* data : {"a", "b", "c"}) {
    EnqueueRecords({{1, std::string(kEntryBytes / 2, *data)}});
  }
  EXPECT_EQ(Propose(0, kEntryBytes), 2 * (kEntryBytes / 2 + kOverhead));
  EXPECT_EQ(TakeCommitted().size(), 2u);
  EXPECT_TRUE(group_->has_waiting());
}

TEST_F(RaftGroupTest, EntriesAreBoundedAndALargerProposalGoesAlone) {
  StartLeading();
  const std::string half(kEntryBytes / 2 - kOverhead, 'h');
  const std::string large(2 * kEntryBytes, 'l');
  for (const std::string& batch : {half, half, half, large, half}) {
    EnqueueRecords({{1, batch}});
  }
  Propose();
  std::vector<size_t> proposers;
  for (const ApplyEntry& entry : TakeCommitted()) {
    proposers.push_back(entry.waiters.size());
  }
  EXPECT_EQ(proposers, (std::vector<size_t>{2, 1, 1, 1}));
}

TEST_F(RaftGroupTest, AnEntryHasNoMoreRecordsThanItHasPositions) {
  StartLeading();
  for (int i = 0; i < 2; ++i) {
    ProposalBody body;
    PutBatch& put = body.puts.emplace_back();
    put.record_count = kEntryPositionsMax / 2 + 1;
    for (uint32_t j = 0; j < put.record_count; ++j) put.batch += Encoded("");
    Enqueue(std::move(body));
  }
  group_->ProposeWaiting(0, kNoLimit, kNoLimit);
  Drain();
  EXPECT_EQ(TakeCommitted().size(), 2u);
}

TEST_F(RaftGroupTest, NothingIsPackedWithoutTheLead) {
  Start({1, 2, 3});
  EnqueueRecords({{1, "first"}});
  EnqueueRecords({{1, "second"}});
  EXPECT_EQ(Propose(), 0u);
  const std::vector<PendingProposal> taken = group_->TakeWaiting();
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].body->puts[0].batch, Encoded("first"));
  EXPECT_EQ(taken[1].body->puts[0].batch, Encoded("second"));
  EXPECT_FALSE(group_->has_waiting());
  EXPECT_EQ(group_->waiting_bytes(), 0u);
  EXPECT_TRUE(outcomes_.empty());
}

// --- stamps ---

TEST_F(RaftGroupTest, StampsFollowTheClockAndNeverGoBack) {
  StartLeading();
  std::vector<int64_t> stamps;
  for (const int64_t now_ms : {1000, 900, 1001}) {
    EnqueueRecords({{1, "a"}});
    Propose(now_ms);
    for (const ApplyEntry& entry : TakeCommitted()) {
      EXPECT_EQ(entry.stamp_ms, StampOf(entry));
      stamps.push_back(entry.stamp_ms);
    }
  }
  EXPECT_EQ(stamps, (std::vector<int64_t>{1000, 1000, 1001}));
}

TEST_F(RaftGroupTest, ANewLeadersStampsGoOnFromThoseOfItsLog) {
  Start({1, 2, 3}, {}, /*stamp_ms=*/50);
  raft::Message append = raft::MakeAppend(2, 1, 0, 0, {1, 1});
  const std::string payload = EncodeCommandPayload(5000, "ahead");
  append.entries[0].payload = MakePayload(payload);
  append.entries[0].payload_crc = Crc32c(payload);
  append.entries[0].payload_bytes = static_cast<uint32_t>(payload.size());
  append.entries[1].type = raft::EntryType::kNoop;
  Step(append);
  LeadThree();
  EnqueueRecords({{1, "a"}});
  Propose(/*now_ms=*/1000);
  Step(raft::MakeAccept(2, 2, 4, 2));
  const std::vector<ApplyEntry> entries = TakeCommitted();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(StampOf(entries[1]), 5000);
}

// --- answers ---

TEST_F(RaftGroupTest, ACommittedEntryIsHandedOutOnceWithItsProposers) {
  StartLeadingThree();
  EnqueueRecords({{1, "a"}});
  Propose();
  EXPECT_TRUE(TakeCommitted().empty());
  Step(raft::MakeAccept(2, 1, 2, 1));
  EXPECT_EQ(TakeCommitted().size(), 1u);
  EXPECT_EQ(group_->handed_index(), 2u);
  EXPECT_TRUE(TakeCommitted().empty());
}

TEST_F(RaftGroupTest, EntriesAreHandedOutUpToAboutSoManyBytes) {
  StartLeading();
  for (int i = 0; i < 3; ++i) {
    EnqueueRecords({{1, std::string(kEntryBytes, 'a')}});
  }
  Propose();
  EXPECT_EQ(TakeCommitted(kEntryBytes).size(), 1u);
  EXPECT_EQ(TakeCommitted(kEntryBytes + 100).size(), 2u);
}

TEST_F(RaftGroupTest, NothingIsHandedOutWhileAStateIsPulled) {
  StartLeading();
  EnqueueRecords({{1, "a"}});
  Propose();
  group_->installing = true;
  EXPECT_TRUE(TakeCommitted().empty());
  group_->installing = false;
  EXPECT_EQ(TakeCommitted().size(), 1u);
}

TEST_F(RaftGroupTest, AProposalThatWaitsTooLongWasNotWritten) {
  Start({1, 2, 3});
  EnqueueRecords({{1, "early"}}, absl::Seconds(1));
  EnqueueRecords({{1, "late"}}, absl::Seconds(2));
  group_->Expire(absl::Milliseconds(999));
  EXPECT_EQ(group_->waiting_bytes(), 9 + 2 * kOverhead);
  group_->Expire(absl::Seconds(1));
  ASSERT_EQ(outcomes_.size(), 1u);
  EXPECT_EQ(ReasonOf(outcomes_[0].status), ErrorReason::kNoLeader);
  EXPECT_EQ(group_->waiting_bytes(), 4 + kOverhead);
  EXPECT_EQ(group_->TakeWaiting()[0].body->puts[0].batch, Encoded("late"));
}

TEST_F(RaftGroupTest, AnEntryThatIsNotCommittedInTimeHasAnUnknownOutcome) {
  StartLeadingThree();
  EnqueueRecords({{1, "a"}});
  Propose();
  group_->Expire(kDeadline);
  ASSERT_EQ(outcomes_.size(), 1u);
  EXPECT_EQ(ReasonOf(outcomes_[0].status), ErrorReason::kOutcomeUnknown);
  // When it is committed after all, nobody is answered again.
  group_->Expire(2 * kDeadline);
  Step(raft::MakeAccept(2, 1, 2, 1));
  std::vector<ApplyEntry> entries = TakeCommitted();
  ASSERT_EQ(entries.size(), 1u);
  for (EntryWaiter& waiter : entries[0].waiters) waiter.Answer({});
  EXPECT_EQ(outcomes_.size(), 1u);
}

TEST_F(RaftGroupTest, AnEntryWhosePlaceAnotherTookWasNotWritten) {
  StartLeadingThree();
  EnqueueRecords({{1, "ours"}});
  Propose();
  Step(AppendOfNoops(2, 0, 0, {2, 2}, /*commit=*/2));
  TakeCommitted();
  ASSERT_EQ(outcomes_.size(), 1u);
  EXPECT_EQ(ReasonOf(outcomes_[0].status), ErrorReason::kNoLeader);
}

TEST_F(RaftGroupTest, AnEntryThatTheNextLeaderCommitsAnswersItsProposer) {
  StartLeadingThree();
  EnqueueRecords({{1, "ours"}});
  Propose();
  Step(AppendOfNoops(2, 2, 1, {2}, /*commit=*/3));
  const std::vector<ApplyEntry> entries = TakeCommitted();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].waiters.size(), 1u);
  EXPECT_TRUE(outcomes_.empty());
}

TEST_F(RaftGroupTest, AnInstalledStateLeavesWhatItMayHoldUnknown) {
  StartLeadingThree();
  EnqueueRecords({{1, "within"}});
  Propose();
  EnqueueRecords({{1, "beyond"}});
  Propose();
  group_->core().SnapshotInstalled(2, 1);
  group_->OnStateInstalled({.index = 2, .term = 1, .stamp_ms = 7000});
  EXPECT_EQ(group_->handed_index(), 2u);
  ASSERT_EQ(outcomes_.size(), 1u);
  EXPECT_EQ(ReasonOf(outcomes_[0].status), ErrorReason::kOutcomeUnknown);
}

// --- memory ---

TEST_F(RaftGroupTest, EvictedPayloadsAreReadBackFromTheLog) {
  StartLeading();
  EnqueueRecords({{1, "evicted"}});
  Propose();
  TakeCommitted();
  group_->Bound(/*durable=*/0, /*cached_bytes_max=*/0, kNoLimit);
  const raft::Entry& entry = group_->core().EntryAt(2);
  ASSERT_EQ(entry.payload, nullptr);
  raft::Message message;
  message.entries.push_back(entry);
  ASSERT_TRUE(group_->FillPayloads(message).ok());
  ASSERT_NE(message.entries[0].payload, nullptr);
  EXPECT_EQ(Crc32c(*message.entries[0].payload), entry.payload_crc);
}

TEST_F(RaftGroupTest, PayloadsThatWaitForTheApplierDoNotStayInMemory) {
  StartLeading();
  for (int i = 0; i < 10; ++i) {
    EnqueueRecords({{1, absl::StrCat("data", i)}});
    Propose();
  }
  // The applier stands still: nothing is handed out, nothing is durable.
  group_->Bound(/*durable=*/0, /*cached_bytes_max=*/0, kNoLimit);
  const raft::Raft& core = group_->core();
  for (LogIndex i = core.base_index() + 1; i <= core.last_index(); ++i) {
    EXPECT_EQ(core.EntryAt(i).payload, nullptr) << i;
  }
  const std::vector<ApplyEntry> entries = TakeCommitted();
  ASSERT_EQ(entries.size(), 10u);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(BatchesOf(entries[i]),
              std::vector<std::string>{absl::StrCat("1: data", i)});
  }
}

TEST_F(RaftGroupTest, TheLogIsTrimmedOnlyBelowWhatIsDurable) {
  StartLeading();
  for (int i = 0; i < 4; ++i) {
    EnqueueRecords({{1, "a"}});
    Propose();
  }
  TakeCommitted();
  EXPECT_EQ(group_->Bound(/*durable=*/3, 0, 0), 3u);
  EXPECT_EQ(group_->core().base_index(), 3u);
}

TEST_F(RaftGroupTest, WhatHoldsOnToOldFilesIsTrimmedHoweverLittleItIs) {
  StartLeading();
  for (int i = 0; i < 4; ++i) {
    EnqueueRecords({{1, "a"}});
    Propose();
  }
  TakeCommitted();
  constexpr uint64_t kMuch = 1 << 20;
  EXPECT_EQ(group_->Bound(/*durable=*/3, kMuch, kMuch, /*excess=*/2), 2u);
  EXPECT_EQ(group_->Bound(/*durable=*/3, kMuch, kMuch, /*excess=*/4), 3u);
  const LogIndex last = group_->core().last_index();
  EXPECT_EQ(group_->Bound(last, kMuch, kMuch, last), last);
  EXPECT_EQ(group_->core().base_index(), last);
  EXPECT_EQ(group_->core().last_index(), last);
}

}  // namespace
}  // namespace trireme
