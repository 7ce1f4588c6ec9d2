#include "replication/raft/raft.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/check.h"

namespace trireme::raft {

Raft::Raft(const Config& config, Restored restored)
    : config_(config),
      hard_state_(restored.hard_state),
      log_(restored.base_index, restored.base_term,
           std::move(restored.entries)),
      memberships_(restored.membership.voters.empty()
                       ? Membership{config.voters, {}, {}}
                       : restored.membership),
      handed_out_hard_state_(hard_state_),
      persisted_hard_state_(hard_state_),
      commit_(std::max(restored.base_index, restored.applied)),
      random_state_(config.seed * 0x9E3779B97F4A7C15u + config.self.value()) {
  CHECK(config_.self.value() != 0, "a replica needs a node id");
  CHECK(config_.election_ticks > config_.heartbeat_ticks, "election_ticks");
  CHECK(config_.inflight_messages_max > 0, "inflight_messages_max");
  CHECK(restored.applied <= log_.last_index(),
        "applied entries are missing from the log");
  for (LogIndex i = log_.base_index() + 1; i <= log_.last_index(); ++i) {
    memberships_.OnAppend(log_.EntryAt(i));
  }
  // A state may have been installed whose term was not durable yet.
  hard_state_.vote =
      hard_state_.term < log_.last_term() ? NodeId() : hard_state_.vote;
  hard_state_.term = std::max(hard_state_.term, log_.last_term());
  ResetElectionTimer();
}

// --- inputs ---

void Raft::Tick() {
  if (role_ == Role::kLeader) {
    TickLeader();
  } else {
    TickElection();
  }
}

void Raft::Step(Message message) {
  if (message.to != config_.self || message.from == config_.self) return;
  if (message.term > hard_state_.term) {
    StepHigherTerm(message);
  } else if (message.term < hard_state_.term) {
    StepLowerTerm(message);
    return;
  }
  StepCurrentTerm(message);
}

void Raft::StepHigherTerm(const Message& message) {
  switch (message.type) {
    case MessageType::kPreVote:
      return;  // A question about a term nobody is in yet.
    case MessageType::kPreVoteReply:
      if (!message.reject) return;  // Granted for the term we asked about.
      break;
    case MessageType::kVote:
      // Someone who was cut off must not depose a leader that works; its
      // voters have heard from it (Raft §6, thesis §4.2.3).
      if (!message.transfer && HeardFromLeaderLately()) return;
      break;
    default:
      break;
  }
  const bool from_leader = message.type == MessageType::kAppend ||
                           message.type == MessageType::kHeartbeat ||
                           message.type == MessageType::kSnapshot;
  BecomeFollower(message.term, from_leader ? message.from : NodeId());
}

// The sender is behind. Where it expects an answer it gets the newer term and
// nothing else (raft-notes.md, traps 4 and 8); its answers are of no use.
void Raft::StepLowerTerm(const Message& message) {
  MessageType type = MessageType::kAppendReply;
  switch (message.type) {
    case MessageType::kPreVote:
      type = MessageType::kPreVoteReply;
      break;
    case MessageType::kVote:
      type = MessageType::kVoteReply;
      break;
    case MessageType::kAppend:
    case MessageType::kHeartbeat:
    case MessageType::kSnapshot:
      break;
    default:
      return;
  }
  Message reply = MakeMessage(type, message.from);
  reply.reject = true;
  Send(std::move(reply));
}

void Raft::StepCurrentTerm(Message& message) {
  switch (message.type) {
    case MessageType::kPreVote:
      return HandlePreVote(message);
    case MessageType::kVote:
      return HandleVote(message);
    case MessageType::kPreVoteReply:
    case MessageType::kVoteReply:
      return HandleVoteReply(message);
    case MessageType::kAppend:
      return HandleAppend(message);
    case MessageType::kHeartbeat:
      return HandleHeartbeat(message);
    case MessageType::kSnapshot:
      return HandleSnapshot(message);
    case MessageType::kAppendReply:
      return HandleAppendReply(message);
    case MessageType::kHeartbeatReply:
      return HandleHeartbeatReply(message);
    case MessageType::kTimeoutNow:
      return HandleTimeoutNow(message);
    case MessageType::kRecovered:
      return HandleRecovered(message);
  }
}

absl::StatusOr<LogIndex> Raft::Propose(Payload payload, uint32_t payload_crc) {
  // All checks come before the first change: a refused proposal leaves no
  // trace (raft-notes.md, trap 10).
  if (role_ != Role::kLeader) {
    return absl::UnavailableError("this replica does not lead the group");
  }
  if (transfer_target_ != NodeId()) {
    return absl::UnavailableError(absl::StrCat(
        "leadership is being handed to node ", transfer_target_.value()));
  }
  const size_t bytes = payload ? payload->size() : 0;
  if (uncommitted_bytes_ > 0 &&
      uncommitted_bytes_ + bytes > config_.uncommitted_bytes_max) {
    return absl::ResourceExhaustedError(absl::StrCat(
        uncommitted_bytes_, " bytes are not committed yet; the limit is ",
        config_.uncommitted_bytes_max, "; retry later"));
  }
  Entry entry;
  entry.index = log_.last_index() + 1;
  entry.term = hard_state_.term;
  entry.payload_crc = payload_crc;
  entry.payload_bytes = static_cast<uint32_t>(bytes);
  entry.payload = std::move(payload);
  AppendEntry(std::move(entry));
  uncommitted_bytes_ += bytes;
  send_pending_ = true;
  return log_.last_index();
}

absl::Status Raft::RequestRead(uint64_t context) {
  if (role_ != Role::kLeader) {
    return absl::UnavailableError("this replica does not lead the group");
  }
  read_index_.Request(context, ReadableCommit());
  send_pending_ = true;
  return absl::OkStatus();
}

void Raft::OnPersisted(LogIndex index, Term term) {
  log_.OnPersisted(index, term);
  // The leader's own disk is one of the quorum, not a condition (trap 3).
  if (role_ == Role::kLeader) MaybeCommit();
}

void Raft::OnHardStatePersisted(const HardState& hard_state) {
  CHECK(hard_state.term >= persisted_hard_state_.term,
        "hard states became durable out of order");
  persisted_hard_state_ = hard_state;
  MaybeWin();
}

void Raft::TrimLog(LogIndex index) {
  CHECK(index <= commit_index(), "cannot trim what is not committed");
  log_.Trim(index);
  memberships_.OnTrim(index);
}

void Raft::EvictPayloads(LogIndex index) { log_.EvictPayloads(index); }

// --- outputs ---

bool Raft::HasReady() const {
  return send_pending_ || !messages_.empty() ||
         !messages_after_persist_.empty() || log_.HasUnwritten() ||
         handed_out_hard_state_ != hard_state_ || !reads_.empty() ||
         !failed_reads_.empty() || (snapshot_wanted_ && !installing_);
}

Ready Raft::TakeReady() {
  if (role_ == Role::kLeader && send_pending_) FlushSends();
  send_pending_ = false;
  Ready ready;
  if (handed_out_hard_state_ != hard_state_) {
    handed_out_hard_state_ = hard_state_;
    ready.hard_state = hard_state_;
  }
  ready.entries = log_.TakeUnwritten();
  ready.messages.swap(messages_);
  ready.messages_after_persist.swap(messages_after_persist_);
  ready.reads.swap(reads_);
  ready.failed_reads.swap(failed_reads_);
  if (snapshot_wanted_ && !installing_) {
    installing_ = true;
    ready.snapshot = snapshot_wanted_;
    snapshot_wanted_.reset();
  }
  return ready;
}

LogIndex Raft::commit_index() const {
  return std::min(commit_, log_.persisted_index());
}
Role Raft::role() const { return role_; }
Term Raft::term() const { return hard_state_.term; }
NodeId Raft::leader() const { return leader_; }
bool Raft::recovering() const { return hard_state_.recovering; }
bool Raft::committed_in_term() const {
  return role_ == Role::kLeader && commit_ >= term_start_;
}
LogIndex Raft::base_index() const { return log_.base_index(); }
LogIndex Raft::last_index() const { return log_.last_index(); }
LogIndex Raft::persisted_index() const { return log_.persisted_index(); }
const Entry& Raft::EntryAt(LogIndex index) const { return log_.EntryAt(index); }
Term Raft::TermAt(LogIndex index) const { return log_.TermAt(index); }
const Membership& Raft::MembershipAt(LogIndex index) const {
  return memberships_.At(index);
}
size_t Raft::uncommitted_bytes() const { return uncommitted_bytes_; }

LogIndex Raft::lowest_needed_index() const {
  LogIndex lowest = log_.last_index() + 1;
  for (const Progress& progress : progress_) {
    if (progress.silent_ticks >= config_.election_ticks) continue;
    // One that waits for a snapshot needs what is behind our base.
    lowest = std::min(lowest, std::max(progress.match, log_.base_index()) + 1);
  }
  return lowest;
}

std::vector<PeerStatus> Raft::peers() const {
  std::vector<PeerStatus> peers;
  for (const Progress& progress : progress_) {
    PeerStatus& peer = peers.emplace_back();
    peer.node = progress.node;
    peer.match = progress.match;
    peer.recovering = progress.recovering;
    peer.recently_active = progress.silent_ticks < config_.election_ticks;
    peer.needs_snapshot = progress.state == Progress::State::kSnapshot;
  }
  return peers;
}

void Raft::CheckInvariants() const {
  log_.CheckInvariants();
  CHECK(commit_ <= log_.last_index(), "committed beyond the log");
  CHECK(commit_ >= log_.base_index(), "trimmed beyond the commit index");
  CHECK(log_.last_term() <= hard_state_.term, "an entry of a later term");
  if (role_ != Role::kLeader) {
    CHECK(progress_.empty(), "only leaders track others");
    return;
  }
  CHECK(leader_ == config_.self, "a leader follows itself");
  CHECK(!hard_state_.recovering, "a recovering replica leads");
  CHECK(HardStateDurable(), "a leader's term is not durable");
  CHECK(term_start_ <= log_.last_index(), "a leader lost its no-op");
  for (const Progress& progress : progress_) {
    progress.CheckInvariants(log_.last_index());
  }
}

// --- role changes and shared steps ---

void Raft::BecomeFollower(Term term, NodeId leader) {
  CHECK(term >= hard_state_.term, "terms never decrease (Raft §5.1)");
  if (role_ == Role::kLeader) {
    read_index_.FailAll(&failed_reads_);
    progress_.clear();
    uncommitted_bytes_ = 0;
    transfer_target_ = NodeId();
    send_pending_ = false;
    ResetElectionTimer();
  }
  if (term > hard_state_.term) {
    hard_state_.term = term;
    hard_state_.vote = NodeId();
  }
  role_ = Role::kFollower;
  leader_ = leader;
  votes_.Clear();
}

void Raft::BecomeLeader() {
  role_ = Role::kLeader;
  leader_ = config_.self;
  heartbeat_elapsed_ = 0;
  uncommitted_bytes_ = 0;
  for (LogIndex i = commit_ + 1; i <= log_.last_index(); ++i) {
    uncommitted_bytes_ += log_.EntryAt(i).payload_bytes;
  }
  snapshot_wanted_.reset();  // Nobody is ahead of us.
  UpdateProgressMembers();
  // Entries of earlier terms are committed only through one of our own, so a
  // leader always appends one, even when nothing waits (Raft §8, trap 2).
  Entry noop;
  noop.index = log_.last_index() + 1;
  noop.term = hard_state_.term;
  noop.type = EntryType::kNoop;
  term_start_ = noop.index;
  AppendEntry(std::move(noop));
  send_pending_ = true;
}

// A message of this term from its leader: there is no other one in this term.
void Raft::FollowLeader(NodeId leader) {
  CHECK(role_ != Role::kLeader, "two leaders in one term");
  if (role_ != Role::kFollower || leader_ != leader) {
    BecomeFollower(hard_state_.term, leader);
  }
  election_elapsed_ = 0;
}

Message Raft::MakeMessage(MessageType type, NodeId to) const {
  Message message;
  message.type = type;
  message.from = config_.self;
  message.to = to;
  message.term = hard_state_.term;
  message.incarnation = config_.incarnation;
  message.recovering = hard_state_.recovering;
  return message;
}

void Raft::Send(Message message) {
  if (HardStateDurable()) {
    messages_.push_back(std::move(message));
  } else {
    messages_after_persist_.push_back(std::move(message));
  }
}

void Raft::SendVouching(Message message, LogIndex vouched) {
  if (vouched <= log_.persisted_index()) {
    Send(std::move(message));
  } else {
    messages_after_persist_.push_back(std::move(message));
  }
}

void Raft::AppendEntry(Entry entry) {
  const bool membership_changed = memberships_.OnAppend(entry);
  log_.Append(std::move(entry));
  if (membership_changed && role_ == Role::kLeader) UpdateProgressMembers();
}

void Raft::TruncateLog(LogIndex from) {
  CHECK(from > commit_, "a committed entry would be truncated (trap 11)");
  log_.TruncateFrom(from);
  memberships_.OnTruncate(from);
}

void Raft::AdvanceCommit(LogIndex index) {
  if (index <= commit_) return;
  CHECK(index <= log_.last_index(), "committed beyond the log");
  if (role_ == Role::kLeader) {
    for (LogIndex i = commit_ + 1; i <= index; ++i) {
      uncommitted_bytes_ -= log_.EntryAt(i).payload_bytes;
    }
    send_pending_ = true;
  }
  commit_ = index;
}

}  // namespace trireme::raft
