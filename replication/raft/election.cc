// Who leads: timeouts, pre-votes, votes, and handing leadership over.
// Raft §5.2 and §5.4.1; pre-vote: thesis §9.6; transfer: thesis §3.10.
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/raft/raft.h"
#include "storage/check.h"

namespace trireme::raft {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
uint64_t NextRandom(uint64_t* state) {
  uint64_t z = (*state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace

void Raft::TickElection() {
  if (++election_elapsed_ < election_timeout_) return;
  leader_ = NodeId();
  Campaign();
  ResetElectionTimer();
}

void Raft::ResetElectionTimer() {
  election_elapsed_ = 0;
  election_timeout_ =
      config_.election_ticks +
      static_cast<int>(NextRandom(&random_state_) % config_.election_ticks);
}

// A replica that lost entries it had vouched for must not lead: it could win
// without what it helped to commit (recovery.cc). One that is removed by an
// entry not yet committed may have to: perhaps it alone holds that entry, and
// nobody else can win against its longer log (thesis §4.2.2).
bool Raft::MayCampaign() const {
  if (role_ == Role::kLeader || hard_state_.recovering) return false;
  if (membership().IsVoter(config_.self)) return true;
  const LogIndex changed = memberships_.current_index();
  return changed > commit_ &&
         memberships_.At(changed - 1).IsVoter(config_.self);
}

void Raft::Campaign() {
  if (!MayCampaign()) return;
  if (config_.pre_vote) {
    StartPreElection();
  } else {
    StartElection(/*transfer=*/false);
  }
}

void Raft::StartPreElection() {
  role_ = Role::kPreCandidate;
  leader_ = NodeId();
  votes_.Clear();
  votes_.Record(config_.self, true);
  for (NodeId node : membership().Members()) {
    if (node == config_.self || !membership().IsVoter(node)) continue;
    Message request = MakeMessage(MessageType::kPreVote, node);
    request.term = hard_state_.term + 1;
    request.log_index = log_.persisted_index();
    request.log_term = log_.TermAt(request.log_index);
    // Depends on nothing that is not durable, and promises nothing.
    messages_.push_back(std::move(request));
  }
  MaybeWin();
}

void Raft::StartElection(bool transfer) {
  BecomeFollower(hard_state_.term + 1, NodeId());
  role_ = Role::kCandidate;
  hard_state_.vote = config_.self;
  // Our own vote counts when it is durable (OnHardStatePersisted), also when
  // we are the only voter (raft-notes.md, trap 5).
  for (NodeId node : membership().Members()) {
    if (node == config_.self || !membership().IsVoter(node)) continue;
    Message request = MakeMessage(MessageType::kVote, node);
    // What we would lose in a crash is not ours to boast of (trap 18).
    request.log_index = log_.persisted_index();
    request.log_term = log_.TermAt(request.log_index);
    request.transfer = transfer;
    Send(std::move(request));
  }
}

void Raft::MaybeWin() {
  if (role_ == Role::kPreCandidate) {
    switch (votes_.Result(membership())) {
      case VoteResult::kWon:
        return StartElection(/*transfer=*/false);
      case VoteResult::kLost:
        return BecomeFollower(hard_state_.term, NodeId());
      case VoteResult::kPending:
        return;
    }
  }
  // A leader's messages leave at once, so its term and vote must be durable
  // whatever the others say.
  if (role_ != Role::kCandidate || !HardStateDurable()) return;
  votes_.Record(config_.self, true);
  switch (votes_.Result(membership())) {
    case VoteResult::kWon:
      return BecomeLeader();
    case VoteResult::kLost:
      return BecomeFollower(hard_state_.term, NodeId());
    case VoteResult::kPending:
      return;
  }
}

// A leader hears from itself: it steps down within an election timeout when
// a quorum falls silent (TickLeader).
bool Raft::HeardFromLeaderLately() const {
  if (role_ == Role::kLeader) return true;
  return leader_ != NodeId() && election_elapsed_ < config_.election_ticks;
}

// Compared with everything we accepted, durable or not: an acceptance of
// entries still being written may already be queued behind them and will
// leave. A candidate that lacks those entries must not get our vote, or a
// leader that counts the acceptance could commit what the candidate lacks.
bool Raft::IsUpToDate(const Message& request) const {
  return request.log_term > log_.last_term() ||
         (request.log_term == log_.last_term() &&
          request.log_index >= log_.last_index());
}

// Granted by log and term; whether we think the candidate a voter does not
// matter, our membership may be the older one (raft-notes.md, trap 12).
void Raft::HandlePreVote(const Message& message) {
  Message reply = MakeMessage(MessageType::kPreVoteReply, message.from);
  reply.hint_index = message.incarnation;
  reply.reject = hard_state_.recovering || message.term <= hard_state_.term ||
                 !IsUpToDate(message) ||
                 (!message.transfer && HeardFromLeaderLately());
  // A grant is for the term asked about; a refusal tells our own, so that a
  // candidate that is behind learns it (raft-notes.md, trap 8).
  if (!reply.reject) reply.term = message.term;
  Send(std::move(reply));
}

void Raft::HandleVote(const Message& message) {
  // Step passes this on in a later term when a leader was heard lately.
  if (message.term > hard_state_.term) return;
  Message reply = MakeMessage(MessageType::kVoteReply, message.from);
  reply.hint_index = message.incarnation;
  const bool free = hard_state_.vote == message.from ||
                    (hard_state_.vote == NodeId() && leader_ == NodeId());
  reply.reject = hard_state_.recovering || !free || !IsUpToDate(message);
  if (!reply.reject) {
    hard_state_.vote = message.from;
    ResetElectionTimer();
  }
  Send(std::move(reply));
}

void Raft::HandleVoteReply(const Message& message) {
  // A vote for an earlier life of ours, before our disk was lost, is not ours:
  // its giver may have started anew as well and vote again in that term.
  if (message.hint_index != config_.incarnation) return;
  if (message.type == MessageType::kPreVoteReply) {
    const bool current = message.reject ? message.term == hard_state_.term
                                        : message.term == hard_state_.term + 1;
    if (role_ != Role::kPreCandidate || !current) return;
  } else if (role_ != Role::kCandidate) {
    return;
  }
  votes_.Record(message.from, !message.reject);
  MaybeWin();
}

absl::Status Raft::TransferLeadership(NodeId target) {
  if (role_ != Role::kLeader) {
    return absl::FailedPreconditionError(
        "this replica does not lead the group");
  }
  if (transfer_target_ != NodeId()) {
    return absl::FailedPreconditionError(
        absl::StrCat("leadership is already being handed to node ",
                     transfer_target_.value()));
  }
  const Progress* progress = FindProgress(target);
  if (progress == nullptr || !membership().IsVoter(target)) {
    return absl::FailedPreconditionError(
        absl::StrCat("node ", target.value(), " is not another voter"));
  }
  if (progress->recovering) {
    return absl::FailedPreconditionError(
        absl::StrCat("node ", target.value(), " is recovering its log"));
  }
  transfer_target_ = target;
  transfer_elapsed_ = 0;
  send_pending_ = true;
  MaybeFinishTransfer(*progress);
  return absl::OkStatus();
}

// The target campaigns only with everything we have (raft-notes.md, trap 19).
// Repeated with its replies, as messages get lost.
void Raft::MaybeFinishTransfer(const Progress& progress) {
  if (progress.node != transfer_target_ || progress.recovering ||
      progress.match != log_.last_index()) {
    return;
  }
  messages_.push_back(MakeMessage(MessageType::kTimeoutNow, progress.node));
}

void Raft::HandleTimeoutNow(const Message& message) {
  if (message.from != leader_ || !MayCampaign()) return;
  // No pre-vote: the leader itself asked, its voters need not be sounded.
  StartElection(/*transfer=*/true);
  ResetElectionTimer();
}

}  // namespace trireme::raft
