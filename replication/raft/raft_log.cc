#include "replication/raft/raft_log.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "storage/check.h"

namespace trireme::raft {

RaftLog::RaftLog(LogIndex base_index, Term base_term,
                 std::vector<Entry> entries)
    : base_index_(base_index),
      base_term_(base_term),
      handed_out_(base_index),
      persisted_(base_index),
      evicted_(base_index) {
  for (Entry& entry : entries) {
    // A state installed over a diverging log leaves that log's tail on disk
    // until something is written over it. An older term cannot follow the
    // base: the tail is not ours any more.
    if (entry.term < last_term()) break;
    Append(std::move(entry));
  }
  handed_out_ = persisted_ = last_index();
}

const Entry& RaftLog::EntryAt(LogIndex index) const {
  CHECK(index > base_index_ && index <= last_index(),
        "no entry " + std::to_string(index));
  return entries_[index - base_index_ - 1];
}

LogIndex RaftLog::LastIndexOfTermAtMost(LogIndex index, Term term) const {
  index = std::min(index, last_index());
  while (index > base_index_ && TermAt(index) > term) --index;
  return std::max(index, base_index_);
}

void RaftLog::Append(Entry entry) {
  CHECK(entry.index == last_index() + 1, "the log would have a gap");
  CHECK(entry.term >= last_term(), "terms would decrease in the log");
  entries_.push_back(std::move(entry));
}

void RaftLog::TruncateFrom(LogIndex index) {
  CHECK(index > base_index_, "cannot truncate below the base");
  if (index > last_index()) return;
  entries_.erase(entries_.begin() + (index - base_index_ - 1), entries_.end());
  handed_out_ = std::min(handed_out_, index - 1);
  persisted_ = std::min(persisted_, index - 1);
  evicted_ = std::min(evicted_, index - 1);
  for (Write& write : writes_) {
    write.intact = std::min(write.intact, index - 1);
  }
}

void RaftLog::Trim(LogIndex index) {
  if (index <= base_index_) return;
  CHECK(index <= persisted_, "cannot trim what is not durable");
  base_term_ = TermAt(index);
  entries_.erase(entries_.begin(), entries_.begin() + (index - base_index_));
  base_index_ = index;
  evicted_ = std::max(evicted_, index);
}

void RaftLog::ResetTo(LogIndex index, Term term) {
  entries_.clear();
  base_index_ = handed_out_ = persisted_ = evicted_ = index;
  base_term_ = term;
  writes_.clear();  // Whatever they bring to the disk is not this log.
}

void RaftLog::MarkDurable(LogIndex index) {
  CHECK(index <= last_index(), "beyond the log");
  persisted_ = std::max(persisted_, index);
  handed_out_ = std::max(handed_out_, index);
}

void RaftLog::EvictPayloads(LogIndex index) {
  index = std::min(index, persisted_);
  for (; evicted_ < index; ++evicted_) {
    Entry& entry = entries_[evicted_ - base_index_];
    // Memberships are tiny, and the core itself reads them.
    if (entry.type != EntryType::kConfig) entry.payload = nullptr;
  }
}

std::vector<Entry> RaftLog::TakeUnwritten() {
  std::vector<Entry> unwritten;
  if (!HasUnwritten()) return unwritten;
  unwritten.assign(entries_.begin() + (handed_out_ - base_index_),
                   entries_.end());
  writes_.push_back({handed_out_ + 1, last_index(), last_term(), last_index()});
  handed_out_ = last_index();
  return unwritten;
}

void RaftLog::OnPersisted(LogIndex index, Term term) {
  for (size_t i = 0; i < writes_.size(); ++i) {
    const Write& write = writes_[i];
    const bool whole = index == write.last && term == write.last_term;
    const bool part = index >= write.first && index < write.last &&
                      index <= write.intact && TermAt(index) == term;
    if (!whole && !part) continue;
    persisted_ = std::max(persisted_, std::min(index, write.intact));
    // Writes complete in order: those before this one are durable too.
    writes_.erase(writes_.begin(), writes_.begin() + i + (whole ? 1 : 0));
    return;
  }
}

void RaftLog::CheckInvariants() const {
  CHECK(base_index_ <= persisted_, "persisted below base");
  CHECK(persisted_ <= handed_out_, "persisted what was never handed out");
  CHECK(handed_out_ <= last_index(), "handed out beyond the end");
  if (entries_.empty()) return;
  CHECK(entries_.front().index == base_index_ + 1, "base");
  CHECK(entries_.back().index == last_index(), "last");
  CHECK(entries_.front().term >= base_term_, "base term");
}

}  // namespace trireme::raft
