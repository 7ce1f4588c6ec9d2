// The follower's side of replication: what it takes from a leader of its own
// term, and what it says to that (Raft §5.3, §7).
#include <algorithm>
#include <utility>

#include "replication/raft/raft.h"
#include "storage/check.h"

namespace trireme::raft {

void Raft::HandleAppend(Message& message) {
  FollowLeader(message.from);
  std::vector<Entry>& entries = message.entries;
  const LogIndex last_new = message.log_index + entries.size();
  // What is at or below our base is committed and forgotten: it is skipped,
  // never stored under another index (raft-notes.md, trap 6). We can answer
  // only for the base itself then; its term tells a stale leader apart.
  if (last_new <= log_.base_index()) {
    return AcceptUpTo(message, log_.base_index());
  }
  size_t next = 0;
  if (message.log_index < log_.base_index()) {
    next = log_.base_index() - message.log_index;
    if (entries[next - 1].term != log_.base_term()) return;
  } else if (log_.TermAt(message.log_index) != message.log_term) {
    return RejectAppend(message);
  }
  while (next < entries.size() && entries[next].index <= log_.last_index() &&
         log_.TermAt(entries[next].index) == entries[next].term) {
    ++next;
  }
  if (next < entries.size()) {
    const LogIndex from = entries[next].index;
    if (from <= log_.last_index()) {
      // A leader without a committed entry does not lead any more: we have
      // installed a state from its successors' time and not met their term.
      if (from <= commit_) return;
      TruncateLog(from);
    }
    for (; next < entries.size(); ++next) AppendEntry(std::move(entries[next]));
  }
  // Beyond last_new our log may be another leader's (raft-notes.md, trap 1).
  AdvanceCommit(std::min(message.commit, last_new));
  AcceptUpTo(message, last_new);
}

void Raft::AcceptUpTo(const Message& message, LogIndex match) {
  Message reply = MakeMessage(MessageType::kAppendReply, message.from);
  reply.match = match;
  reply.log_index = match;
  reply.log_term = log_.TermAt(match);
  reply.read_round = message.read_round;
  SendVouching(std::move(reply), match);
}

void Raft::RejectAppend(const Message& message) {
  Message reply = MakeMessage(MessageType::kAppendReply, message.from);
  reply.reject = true;
  reply.log_index = message.log_index;
  reply.hint_index =
      log_.LastIndexOfTermAtMost(message.log_index, message.log_term);
  reply.hint_term = log_.TermAt(reply.hint_index);
  reply.read_round = message.read_round;
  Send(std::move(reply));
}

// A heartbeat's answer vouches for no entry (raft-notes.md, trap 1).
void Raft::HandleHeartbeat(const Message& message) {
  FollowLeader(message.from);
  if (message.commit > commit_ && message.log_term != 0 &&
      log_.TermAt(message.commit) == message.log_term) {
    AdvanceCommit(message.commit);
  }
  Message reply = MakeMessage(MessageType::kHeartbeatReply, message.from);
  reply.read_round = message.read_round;
  Send(std::move(reply));
}

void Raft::HandleSnapshot(const Message& message) {
  FollowLeader(message.from);
  if (message.log_index <= commit_) return AcceptUpTo(message, commit_);
  if (log_.TermAt(message.log_index) == message.log_term) {
    // We hold it after all; what a leader has trimmed is committed.
    AdvanceCommit(message.log_index);
    return AcceptUpTo(message, message.log_index);
  }
  // One at a time; the leader repeats itself (raft-notes.md, trap 16).
  if (installing_) return;
  snapshot_wanted_ =
      Ready::SnapshotRequest{message.from, message.log_index, message.log_term};
}

void Raft::SnapshotInstalled(LogIndex index, Term term, Membership membership) {
  installing_ = false;
  snapshot_wanted_.reset();
  if (index <= commit_index()) return;
  // A state with an entry of a later term comes from that term's time.
  if (term > hard_state_.term || role_ != Role::kFollower) {
    BecomeFollower(std::max(term, hard_state_.term), NodeId());
  }
  if (log_.TermAt(index) == term) {
    log_.MarkDurable(index);
    log_.Trim(index);
  } else {
    CHECK(index > commit_, "the installed state contradicts committed entries");
    log_.ResetTo(index, term);
    memberships_.OnTruncate(0);
    if (!membership.voters.empty()) memberships_.Reset(std::move(membership));
  }
  memberships_.OnTrim(index);
  commit_ = std::max(commit_, index);
  if (leader_ == NodeId()) return;
  Message reply = MakeMessage(MessageType::kAppendReply, leader_);
  reply.match = index;
  reply.log_index = index;
  reply.log_term = term;
  SendVouching(std::move(reply), index);
}

void Raft::SnapshotFailed() {
  installing_ = false;
  snapshot_wanted_.reset();
}

}  // namespace trireme::raft
