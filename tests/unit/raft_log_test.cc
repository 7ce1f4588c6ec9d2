#include "replication/raft/raft_log.h"

#include <gtest/gtest.h>

namespace trireme::raft {
namespace {

Entry At(LogIndex index, Term term) {
  Entry entry;
  entry.index = index;
  entry.term = term;
  return entry;
}

void Append(RaftLog* log, LogIndex first, LogIndex last, Term term) {
  for (LogIndex i = first; i <= last; ++i) log->Append(At(i, term));
}

RaftLog Restored(LogIndex last, Term term) {
  std::vector<Entry> entries;
  for (LogIndex i = 1; i <= last; ++i) entries.push_back(At(i, term));
  return RaftLog(0, 0, std::move(entries));
}

TEST(RaftLogTest, IsPersistedAsFarAsItWasRestored) {
  const RaftLog log = Restored(4, 1);
  EXPECT_EQ(log.persisted_index(), 4u);
  EXPECT_EQ(log.last_term(), 1u);
  EXPECT_EQ(log.TermAt(4), 1u);
  EXPECT_EQ(log.TermAt(5), 0u);
  EXPECT_FALSE(log.HasUnwritten());
}

TEST(RaftLogTest, HandsEachEntryOutOnce) {
  RaftLog log = Restored(1, 1);
  Append(&log, 2, 3, 1);
  EXPECT_EQ(log.TakeUnwritten().size(), 2u);
  EXPECT_FALSE(log.HasUnwritten());
  Append(&log, 4, 4, 1);
  EXPECT_EQ(log.TakeUnwritten().front().index, 4u);
  EXPECT_EQ(log.persisted_index(), 1u);
  log.OnPersisted(3, 1);
  EXPECT_EQ(log.persisted_index(), 3u);
}

TEST(RaftLogTest, ALaterNoticeSpeaksForEarlierWrites) {
  RaftLog log = Restored(1, 1);
  Append(&log, 2, 3, 1);
  log.TakeUnwritten();
  Append(&log, 4, 6, 1);
  log.TakeUnwritten();
  log.OnPersisted(5, 1);  // A part of the second write.
  EXPECT_EQ(log.persisted_index(), 5u);
  log.OnPersisted(3, 1);
  EXPECT_EQ(log.persisted_index(), 5u);
  log.OnPersisted(6, 1);
  EXPECT_EQ(log.persisted_index(), 6u);
}

TEST(RaftLogTest, ALateNoticeDoesNotSpeakForTruncatedEntries) {
  RaftLog log = Restored(4, 1);
  Append(&log, 5, 10, 2);
  log.TakeUnwritten();
  log.TruncateFrom(8);
  Append(&log, 8, 9, 3);
  log.TakeUnwritten();
  log.OnPersisted(10, 2);
  EXPECT_EQ(log.persisted_index(), 7u);
  log.OnPersisted(9, 3);
  EXPECT_EQ(log.persisted_index(), 9u);
}

// An entry may be cut and come back under a later leader. Its first write is
// undone on disk by the one that cut it, so that first notice must not count.
TEST(RaftLogTest, ALateNoticeDoesNotSpeakForEntriesThatCameBack) {
  RaftLog log = Restored(4, 1);
  Append(&log, 5, 10, 2);
  log.TakeUnwritten();
  log.TruncateFrom(8);
  Append(&log, 8, 9, 3);
  log.TakeUnwritten();
  log.TruncateFrom(8);
  Append(&log, 8, 10, 2);
  log.TakeUnwritten();
  EXPECT_EQ(log.TermAt(10), 2u);
  log.OnPersisted(10, 2);
  EXPECT_EQ(log.persisted_index(), 7u);
  log.OnPersisted(9, 3);
  EXPECT_EQ(log.persisted_index(), 7u);
  log.OnPersisted(10, 2);
  EXPECT_EQ(log.persisted_index(), 10u);
}

TEST(RaftLogTest, KeepsTheTermOfItsBaseWhenTrimmed) {
  RaftLog log = Restored(10, 3);
  log.Trim(6);
  EXPECT_EQ(log.base_index(), 6u);
  EXPECT_EQ(log.TermAt(6), 3u);
  EXPECT_EQ(log.TermAt(5), 0u);
  EXPECT_EQ(log.EntryAt(7).index, 7u);
  log.Trim(10);
  EXPECT_EQ(log.last_index(), 10u);
  EXPECT_EQ(log.last_term(), 3u);
  log.CheckInvariants();
}

TEST(RaftLogTest, DropsALeftoverTailThatCannotFollowItsBase) {
  const RaftLog log(10, 5, {At(11, 4), At(12, 4)});
  EXPECT_EQ(log.last_index(), 10u);
}

TEST(RaftLogTest, ForgetsWritesInFlightWhenItBeginsAnew) {
  RaftLog log = Restored(4, 1);
  Append(&log, 5, 10, 2);
  log.TakeUnwritten();
  log.ResetTo(7, 3);
  log.OnPersisted(10, 2);
  EXPECT_EQ(log.persisted_index(), 7u);
  EXPECT_EQ(log.last_index(), 7u);
  log.CheckInvariants();
}

TEST(RaftLogTest, EvictsPayloadsOnlyOfWhatIsPersisted) {
  RaftLog log(0, 0, {});
  for (LogIndex i = 1; i <= 4; ++i) {
    Entry entry = At(i, 1);
    entry.payload = MakePayload("x");
    log.Append(std::move(entry));
  }
  log.TakeUnwritten();
  log.EvictPayloads(4);
  EXPECT_NE(log.EntryAt(1).payload, nullptr);
  log.OnPersisted(4, 1);
  log.EvictPayloads(3);
  EXPECT_EQ(log.EntryAt(3).payload, nullptr);
  EXPECT_NE(log.EntryAt(4).payload, nullptr);
}

TEST(RaftLogTest, SkipsADivergingTermAtATime) {
  RaftLog log = Restored(3, 1);
  Append(&log, 4, 6, 2);
  Append(&log, 7, 9, 4);
  EXPECT_EQ(log.LastIndexOfTermAtMost(9, 4), 9u);
  EXPECT_EQ(log.LastIndexOfTermAtMost(9, 3), 6u);
  EXPECT_EQ(log.LastIndexOfTermAtMost(5, 1), 3u);
  EXPECT_EQ(log.LastIndexOfTermAtMost(5, 0), 0u);
}

}  // namespace
}  // namespace trireme::raft
