// The leader's side of replication: what is sent to whom, and what their
// answers allow (Raft §5.3, §5.4.2). Sending happens when a Ready is taken, so
// that a burst of proposals rides in one message.
#include <algorithm>
#include <utility>

#include "replication/raft/raft.h"
#include "storage/check.h"

namespace trireme::raft {

void Raft::TickLeader() {
  for (Progress& progress : progress_) ++progress.silent_ticks;
  // Check-quorum: a leader that cannot commit steps down, so that clients look
  // elsewhere and others may be elected (thesis §6.2).
  const bool heard = HasQuorum(membership(), [this](NodeId node) {
    if (node == config_.self) return true;
    const Progress* progress = FindProgress(node);
    return progress != nullptr && !progress->recovering &&
           progress->silent_ticks < config_.election_ticks;
  });
  if (!heard) return BecomeFollower(hard_state_.term, NodeId());
  if (transfer_target_ != NodeId() &&
      ++transfer_elapsed_ >= config_.election_ticks) {
    transfer_target_ = NodeId();
  }
  if (++heartbeat_elapsed_ >= config_.heartbeat_ticks) {
    heartbeat_elapsed_ = 0;
    BroadcastHeartbeat();
  }
}

void Raft::BroadcastHeartbeat() {
  for (Progress& progress : progress_) {
    SendHeartbeat(progress);
    // The first request may have been lost; asking again is harmless.
    if (progress.state == Progress::State::kSnapshot) SendSnapshot(progress);
  }
}

void Raft::FlushSends() {
  MaybeLeaveJoint();
  const bool new_round = read_index_.MaybeBeginRound(ReadableCommit());
  for (Progress& progress : progress_) {
    // A round gets a heartbeat of its own even when entries follow: the answer
    // to those waits for the follower's disk, a read must not.
    if (new_round) SendHeartbeat(progress);
    SendAppends(progress);
    // The commit index rides on entries; a follower to which nothing else goes
    // is told at once all the same.
    if (progress.state == Progress::State::kReplicate &&
        progress.commit_sent < commit_ && progress.next > commit_) {
      SendEmptyAppend(progress, commit_);
    }
  }
  // Alone, or with others that are ahead, a quorum may be there already.
  if (new_round) {
    MaybeConfirmReads();
    MaybeConfirmRecoveries();
  }
  MaybeStepDownAsNonVoter();
}

void Raft::SendAppends(Progress& progress) {
  while (!progress.Paused(config_.inflight_messages_max,
                          config_.inflight_bytes_max)) {
    if (progress.next <= log_.base_index()) {
      progress.BecomeSnapshot();
      return SendSnapshot(progress);
    }
    const bool probing = progress.state == Progress::State::kProbe;
    if (progress.next > log_.last_index()) {
      if (!probing) return;
      if (SendEmptyAppend(progress, progress.next - 1)) {
        progress.probe_sent = true;
      }
      return;
    }
    Message append = MakeAppend(progress, progress.next - 1);
    const size_t bytes = AddEntries(progress.next, &append);
    if (probing) {
      progress.probe_sent = true;
    } else {
      progress.next = append.entries.back().index + 1;
      progress.inflight.Add(append.entries.back().index, bytes);
    }
    progress.commit_sent = commit_;
    messages_.push_back(std::move(append));
  }
}

// Asks whether the follower holds the entry at `previous`. False when we have
// forgotten that entry's term ourselves.
bool Raft::SendEmptyAppend(Progress& progress, LogIndex previous) {
  if (previous < log_.base_index()) {
    progress.BecomeSnapshot();
    SendSnapshot(progress);
    return false;
  }
  progress.commit_sent = std::min(commit_, previous);
  messages_.push_back(MakeAppend(progress, previous));
  return true;
}

Message Raft::MakeAppend(const Progress& progress, LogIndex previous) const {
  Message append = MakeMessage(MessageType::kAppend, progress.node);
  append.log_index = previous;
  append.log_term = log_.TermAt(previous);
  append.commit = commit_;
  append.read_round = read_index_.round();
  return append;
}

// Returns the bytes added. At least one entry, however large.
size_t Raft::AddEntries(LogIndex from, Message* message) const {
  size_t bytes = 0;
  LogIndex end = from;
  for (; end <= log_.last_index(); ++end) {
    const size_t more = log_.EntryAt(end).payload_bytes;
    if (end > from && bytes + more > config_.message_bytes_max) break;
    bytes += more;
  }
  message->entries.reserve(end - from);
  for (LogIndex i = from; i < end; ++i) {
    message->entries.push_back(log_.EntryAt(i));
  }
  return bytes;
}

void Raft::SendHeartbeat(Progress& progress) {
  Message heartbeat = MakeMessage(MessageType::kHeartbeat, progress.node);
  // Only what it has vouched for; and named by term, because a replica that
  // was wiped since does not hold it any more.
  const LogIndex commit = std::min(progress.match, commit_);
  if (commit >= log_.base_index()) {
    heartbeat.commit = commit;
    heartbeat.log_index = commit;
    heartbeat.log_term = log_.TermAt(commit);
  }
  heartbeat.read_round = read_index_.round();
  messages_.push_back(std::move(heartbeat));
}

void Raft::SendSnapshot(Progress& progress) {
  Message snapshot = MakeMessage(MessageType::kSnapshot, progress.node);
  snapshot.log_index = log_.base_index();
  snapshot.log_term = log_.base_term();
  messages_.push_back(std::move(snapshot));
}

void Raft::HandleAppendReply(const Message& message) {
  Progress* progress = FindProgress(message.from);
  if (progress == nullptr || !TrackIncarnation(message, *progress)) return;
  progress->silent_ticks = 0;
  progress->acked_round = std::max(progress->acked_round, message.read_round);
  if (message.reject) {
    const LogIndex retry =
        log_.LastIndexOfTermAtMost(message.hint_index, message.hint_term);
    if (progress->OnRejected(message.log_index,
                             std::min(retry, message.hint_index))) {
      send_pending_ = true;
    }
  } else {
    HandleAccepted(message, *progress);
  }
  MaybeConfirmReads();
  MaybeConfirmRecoveries();
  MaybeSendRecovered(*progress);
}

void Raft::HandleAccepted(const Message& message, Progress& progress) {
  // A match is (index, term) so that it can be checked against our own log. A
  // state pulled from a node that has moved on may hold what we do not; that
  // vouches for nothing here. Below our base both sides are committed, hence
  // the same.
  if (message.match > log_.last_index()) return;
  if (message.match >= log_.base_index() &&
      log_.TermAt(message.match) != message.log_term) {
    return;
  }
  const bool news = progress.OnAccepted(message.match);
  const bool found_match = progress.state == Progress::State::kProbe &&
                           message.match == progress.match;
  const bool caught_up = progress.state == Progress::State::kSnapshot &&
                         progress.match >= log_.base_index();
  if (found_match || caught_up) progress.BecomeReplicate();
  if (news || found_match || caught_up) send_pending_ = true;
  if (news) MaybeCommit();
  MaybeFinishTransfer(progress);
}

void Raft::HandleHeartbeatReply(const Message& message) {
  Progress* progress = FindProgress(message.from);
  if (progress == nullptr || !TrackIncarnation(message, *progress)) return;
  progress->silent_ticks = 0;
  progress->acked_round = std::max(progress->acked_round, message.read_round);
  if (progress->state == Progress::State::kProbe) {
    progress->probe_sent = false;  // The probe may have been lost.
    send_pending_ = true;
  } else if (progress->state == Progress::State::kReplicate &&
             progress->match < progress->next - 1 &&
             progress->match == progress->match_at_heartbeat) {
    // Appends are out and nothing has come back since the last heartbeat: ask
    // whether they arrived. A refusal makes us probe from the match.
    SendEmptyAppend(*progress, progress->next - 1);
  }
  progress->match_at_heartbeat = progress->match;
  MaybeConfirmReads();
  MaybeConfirmRecoveries();
  MaybeSendRecovered(*progress);
  MaybeFinishTransfer(*progress);
}

// Raft §5.4.2: a leader counts replicas only for entries of its own term;
// those before it are committed with it (raft-notes.md, trap 2).
void Raft::MaybeCommit() {
  const LogIndex index = QuorumValue(membership(), [this](NodeId node) {
    if (node == config_.self) return log_.persisted_index();
    const Progress* progress = FindProgress(node);
    return progress != nullptr ? progress->CountedMatch() : 0;
  });
  if (index <= commit_ || log_.TermAt(index) != hard_state_.term) return;
  AdvanceCommit(index);
  MaybeConfirmRecoveries();
}

Progress* Raft::FindProgress(NodeId node) {
  for (Progress& progress : progress_) {
    if (progress.node == node) return &progress;
  }
  return nullptr;
}

const Progress* Raft::FindProgress(NodeId node) const {
  return const_cast<Raft*>(this)->FindProgress(node);
}

// Keeps what is known of those who stay.
void Raft::UpdateProgressMembers() {
  const std::vector<NodeId> members = membership().Members();
  std::erase_if(progress_, [&](const Progress& progress) {
    return std::find(members.begin(), members.end(), progress.node) ==
           members.end();
  });
  for (NodeId node : members) {
    if (node == config_.self || FindProgress(node) != nullptr) continue;
    progress_.emplace_back(node, log_.last_index() + 1);
  }
}

std::optional<LogIndex> Raft::ReadableCommit() const {
  if (!committed_in_term()) return std::nullopt;
  return commit_;
}

void Raft::MaybeConfirmReads() {
  const uint64_t round = QuorumValue(membership(), [this](NodeId node) {
    if (node == config_.self) return read_index_.round();
    const Progress* progress = FindProgress(node);
    return progress != nullptr ? progress->CountedRound() : 0;
  });
  read_index_.OnQuorum(round, &reads_);
}

}  // namespace trireme::raft
