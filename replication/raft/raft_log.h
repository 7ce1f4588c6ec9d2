// RaftLog is the replica's log in memory: the entries after the base, and how
// far they are on disk.
//
// Owned by Raft. Writes are asynchronous and complete in order: entries are
// handed out (TakeUnwritten), and OnPersisted comes later, perhaps after some
// of them were truncated and others took their place. The list of writes in
// flight tells what such a late notice is still worth (raft-notes.md, trap
// 14): (index, term) alone does not, an entry may be cut and come back.
#ifndef TRIREME_REPLICATION_RAFT_RAFT_LOG_H_
#define TRIREME_REPLICATION_RAFT_RAFT_LOG_H_

#include <deque>
#include <vector>

#include "replication/raft/message.h"
#include "storage/ids.h"

namespace trireme::raft {

class RaftLog {
 public:
  // `entries` are durable and contiguous from base_index + 1.
  RaftLog(LogIndex base_index, Term base_term, std::vector<Entry> entries);

  LogIndex base_index() const { return base_index_; }
  Term base_term() const { return base_term_; }
  LogIndex last_index() const { return base_index_ + entries_.size(); }
  Term last_term() const {
    return entries_.empty() ? base_term_ : entries_.back().term;
  }
  LogIndex persisted_index() const { return persisted_; }

  // 0 below the base and beyond the end.
  Term TermAt(LogIndex index) const {
    if (index == base_index_) return base_term_;
    if (index < base_index_ || index > last_index()) return 0;
    return entries_[index - base_index_ - 1].term;
  }
  const Entry& EntryAt(LogIndex index) const;
  // The last index at or below `index` whose term is at most `term`; the base
  // when there is none above it. Skips a whole diverging term at a time when
  // leader and follower look for where they agree (Raft §5.3, last part).
  LogIndex LastIndexOfTermAtMost(LogIndex index, Term term) const;

  // `entry` follows last_index().
  void Append(Entry entry);
  // Removes entries from `index` on.
  void TruncateFrom(LogIndex index);
  // Forgets entries up to `index`, which is at most last_index().
  void Trim(LogIndex index);
  // The log is empty behind (index, term), both durable by other means.
  void ResetTo(LogIndex index, Term term);
  // (index, term) is in the log and durable by other means.
  void MarkDurable(LogIndex index);
  void EvictPayloads(LogIndex index);

  bool HasUnwritten() const { return handed_out_ < last_index(); }
  // The entries not handed out yet: one write.
  std::vector<Entry> TakeUnwritten();
  void OnPersisted(LogIndex index, Term term);

  void CheckInvariants() const;

 private:
  struct Write {
    LogIndex first = 0;
    LogIndex last = 0;
    Term last_term = 0;
    LogIndex intact = 0;  // Up to here not truncated since.
  };

  LogIndex base_index_;
  Term base_term_;
  std::deque<Entry> entries_;
  LogIndex handed_out_;       // Given to the owner to write.
  LogIndex persisted_;        // Known to be durable.
  LogIndex evicted_;          // Payloads dropped up to here.
  std::deque<Write> writes_;  // In flight, oldest first.
};

}  // namespace trireme::raft

#endif  // TRIREME_REPLICATION_RAFT_RAFT_LOG_H_
