#include "tests/sim/raft_replica.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/check.h"

namespace trireme::sim {
namespace {

using raft::Entry;
using raft::HardState;
using raft::Message;
using raft::MessageType;
using raft::Ready;

}  // namespace

Term RaftDisk::TermAt(LogIndex index) const {
  if (index == base_index) return base_term;
  if (entries.empty() || index < entries.front().index ||
      index > entries.back().index) {
    return 0;
  }
  return entries[index - entries.front().index].term;
}

void RaftDisk::Append(const Entry& entry) {
  if (!entries.empty() && (entry.index > entries.back().index + 1 ||
                           entry.index < entries.front().index)) {
    entries.clear();
  }
  while (!entries.empty() && entries.back().index >= entry.index) {
    entries.pop_back();
  }
  entries.push_back(entry);
}

raft::Restored RaftDisk::Restore() const {
  raft::Restored restored;
  restored.hard_state = hard_state;
  restored.base_index = base_index;
  restored.base_term = base_term;
  restored.applied = applied;
  restored.membership = base_membership;
  for (const Entry& entry : entries) {
    if (entry.index <= base_index) continue;
    if (entry.index != base_index + restored.entries.size() + 1) break;
    restored.entries.push_back(entry);
  }
  return restored;
}

RaftReplica::RaftReplica(raft::Config config, RaftChecker* checker)
    : config_(std::move(config)), checker_(checker) {}

void RaftReplica::Start() {
  raft::Restored restored = disk_.Restore();
  hashes_.resize(disk_.base_index + 1);
  for (const Entry& entry : restored.entries) {
    hashes_.push_back(ChainHash(hashes_.back(), entry));
  }
  applied_ = last_commit_ = disk_.applied;
  ++config_.seed;  // Another life, other dice.
  core_ = std::make_unique<raft::Raft>(config_, std::move(restored));
  if (disk_.damaged) core_->StartRecovering();
  Observe();
}

void RaftReplica::Observe() {
  core_->CheckInvariants();
  const LogIndex commit = core_->commit_index();
  if (commit < last_commit_) {
    checker_->Fail(absl::StrCat("node ", node().value(), " commit index ",
                                last_commit_, " went back to ", commit));
  }
  last_commit_ = commit;
  if (core_->role() == raft::Role::kLeader) checker_->OnLeader(node(), *core_);
  while (applied_ < commit) {
    ++applied_;
    checker_->OnCommitted(node(), applied_, core_->TermAt(applied_),
                          HashAt(applied_), core_->term());
  }
}

Ready RaftReplica::TakeReady() {
  Ready ready = core_->TakeReady();
  for (const Entry& entry : ready.entries) {
    if (entry.index <= applied_) {
      checker_->Fail(absl::StrCat("node ", node().value(), " replaces entry ",
                                  entry.index, ", which it has applied"));
    }
    hashes_.resize(entry.index);
    hashes_.push_back(ChainHash(hashes_.back(), entry));
    checker_->OnAppended(node(), entry.index, entry.term, hashes_.back());
  }
  for (const Message& message : ready.messages) CheckLeaving(message);
  if (ready.hard_state || !ready.entries.empty() ||
      !ready.messages_after_persist.empty()) {
    Write& write = writes_.emplace_back();
    write.hard_state = ready.hard_state;
    write.entries = std::move(ready.entries);
    write.messages = std::move(ready.messages_after_persist);
  }
  return ready;
}

void RaftReplica::RecordHardState(const HardState& hard_state) {
  disk_.hard_state = hard_state;
  if (hard_state.recovering) disk_.damaged = false;
}

std::optional<HardState> RaftReplica::PersistHardState() {
  Write& write = writes_.front();
  if (!write.hard_state || write.hard_state_done) return std::nullopt;
  write.hard_state_done = true;
  RecordHardState(*write.hard_state);
  return write.hard_state;
}

RaftReplica::Persisted RaftReplica::PersistWrite() {
  Persisted persisted;
  persisted.hard_state = PersistHardState();
  Write write = std::move(writes_.front());
  writes_.pop_front();
  for (const Entry& entry : write.entries) disk_.Append(entry);
  if (!write.entries.empty()) {
    persisted.last_index = write.entries.back().index;
    persisted.last_term = write.entries.back().term;
  }
  for (const Message& message : write.messages) CheckLeaving(message);
  persisted.messages = std::move(write.messages);
  return persisted;
}

size_t RaftReplica::pending_steps() const {
  size_t steps = 0;
  for (const Write& write : writes_) {
    steps += write.entries.size();
    steps += write.hard_state && !write.hard_state_done ? 1 : 0;
  }
  return steps;
}

void RaftReplica::Crash(size_t steps) {
  for (const Write& write : writes_) {
    if (write.hard_state && !write.hard_state_done && steps > 0) {
      --steps;
      RecordHardState(*write.hard_state);
    }
    for (size_t i = 0; i < write.entries.size() && steps > 0; ++i, --steps) {
      disk_.Append(write.entries[i]);
    }
    if (steps == 0) break;
  }
  writes_.clear();
  core_.reset();
}

void RaftReplica::Wipe() {
  CHECK(!up());
  disk_ = RaftDisk();
  disk_.hard_state.recovering = true;
  hashes_ = {0};
  ++config_.incarnation;
}

void RaftReplica::Damage(LogIndex index) {
  CHECK(!up());
  // The state machine is intact; the log begins again behind it.
  while (!disk_.entries.empty() && disk_.entries.back().index >= index) {
    disk_.entries.pop_back();
  }
  const LogIndex last =
      disk_.entries.empty() ? disk_.base_index : disk_.entries.back().index;
  if (last < disk_.applied) {
    disk_.entries.clear();
    disk_.base_index = disk_.applied;
    disk_.base_term = disk_.applied_term;
    disk_.base_membership = disk_.applied_membership;
  }
  disk_.hard_state = HardState();
  disk_.damaged = true;
  ++config_.incarnation;
}

void RaftReplica::FlushUpTo(LogIndex index) {
  index = std::min(index, applied_);
  if (index <= disk_.applied) return;
  disk_.applied = index;
  disk_.applied_term = core_->TermAt(index);
  disk_.applied_membership = core_->MembershipAt(index);
}

void RaftReplica::Trim(LogIndex index) {
  index = std::min(index, disk_.applied);
  if (index <= core_->base_index()) return;
  disk_.base_term = core_->TermAt(index);
  disk_.base_index = index;
  disk_.base_membership = core_->MembershipAt(index);
  while (!disk_.entries.empty() && disk_.entries.front().index <= index) {
    disk_.entries.pop_front();
  }
  core_->TrimLog(index);
}

bool RaftReplica::Pull(const RaftReplica& source,
                       const Ready::SnapshotRequest& request) {
  if (!source.up() || source.applied_ < request.index) return false;
  const LogIndex index = source.applied_;
  const Term term = source.core().TermAt(index);
  if (index <= core_->commit_index()) {
    core_->SnapshotInstalled(index, term);
    return true;
  }
  const uint64_t hash = source.HashAt(index);
  const bool agrees = core_->TermAt(index) == term;
  disk_.applied = disk_.base_index = index;
  disk_.applied_term = disk_.base_term = term;
  disk_.applied_membership = disk_.base_membership =
      source.core().MembershipAt(index);
  if (hashes_.size() <= index || !agrees) {
    hashes_.resize(index + 1);
    hashes_[index] = hash;
  }
  applied_ = index;
  if (!agrees) {
    // The owner's log starts anew behind the state, and what was being
    // written of the old one is void, with all that vouches for it.
    disk_.entries.clear();
    for (Write& write : writes_) {
      write.entries.clear();
      std::erase_if(write.messages, [](const Message& message) {
        return message.type == MessageType::kAppendReply && !message.reject;
      });
    }
  }
  core_->SnapshotInstalled(index, term, disk_.base_membership);
  return true;
}

// What a message claims must be on the disk of its sender when it leaves.
void RaftReplica::CheckLeaving(const Message& message) {
  if (!check_messages_) return;
  const HardState& durable = disk_.hard_state;
  const auto fail = [&](absl::string_view what) {
    checker_->Fail(
        absl::StrCat("node ", node().value(), " sent a message of type ",
                     static_cast<int>(message.type), " and term ", message.term,
                     ": ", what, " not durable (term ", durable.term, ", vote ",
                     durable.vote.value(), ")"));
  };
  const bool asked =
      message.type == MessageType::kPreVote ||
      (message.type == MessageType::kPreVoteReply && !message.reject);
  if (!asked && message.term > durable.term) return fail("the term is");
  // A later term is durable: the earlier one's vote and log may be gone.
  if (message.term < durable.term) return;
  switch (message.type) {
    case MessageType::kVote:
      if (durable.vote != node()) return fail("its vote is");
      [[fallthrough]];
    case MessageType::kPreVote:
      // With an entry of that term on disk the term has a leader: the request
      // is out of date, and the log it spoke of may be gone.
      if (disk_.last_term() >= message.term) break;
      if (message.log_index >= disk_.base_index &&
          disk_.TermAt(message.log_index) != message.log_term) {
        return fail("its position is");
      }
      break;
    case MessageType::kVoteReply:
      if (!message.reject && durable.vote != message.to) fail("its vote is");
      if (!message.reject && !whole()) fail("it is recovering; its vote is");
      break;
    case MessageType::kAppendReply:
      if (!message.reject && message.match > disk_.base_index &&
          disk_.TermAt(message.match) != message.log_term) {
        fail(absl::StrCat("entry ", message.match, " is"));
      }
      break;
    default:
      break;
  }
}

}  // namespace trireme::sim
