// Replicas that lost their disk, or found their log damaged, and come back.
//
// Such a replica has forgotten what it vouched for and whom it voted for. Two
// things may go wrong: entries it helped to commit are outvoted by its empty
// log, and it votes twice in a term. So it is "recovering": it receives
// entries, but neither campaigns nor votes, and nothing it says counts for
// commits, reads or check-quorum. Meanwhile the group elects only with a
// majority of all voters among the others, who together hold everything.
//
// The leader L of term T ends this. On the first word of the replica W in its
// new life (a larger incarnation) L asks for a read round, begun after that
// word, from ALL other voters that are not recovering themselves, who must be
// a majority. When each has echoed it, and L has committed in its own term, L
// takes its commit index as R; when W's match reaches R, L says kRecovered.
// W then votes again, from its vote for L in T on. Why this is safe:
//
//  1. Every committed entry that W's old life vouched for is at or below R.
//     Entries of terms before T are in L's log (leader completeness) before
//     L's no-op, which is committed. Entries of T were committed by L itself,
//     and once L has heard the new life it ignores the old one, so all that
//     the old life's word ever committed in T was committed before R was
//     taken. Later terms: a leader of T' > T that counted the old life was
//     elected by a majority; one of it is among the voters who echoed the
//     round after the old life's end, and was at T' by then, or W, or
//     recovering. Those who echo are a majority themselves, so the first is
//     always true of one of them, and it would have refused with T'.
//  2. W's old life cast no vote that still matters. A vote in a term up to T
//     is no longer repeated: W restarts with its vote for L in T. A vote in a
//     later term T' was asked for by a candidate already at T'; it would have
//     refused the round, unless it is recovering as well, and then it ignores
//     votes given to its own old life (Message::hint_index of vote replies).
//  3. A repeated or late kRecovered names the incarnation it is meant for and
//     its term, so that it never frees a still later life of W.
//
// Taking R later would only make it larger; taking it before the round
// completes would let an old word, still on its way, commit beyond it.
#include <utility>

#include "replication/raft/raft.h"
#include "storage/check.h"

namespace trireme::raft {

void Raft::StartRecovering() {
  CHECK(role_ == Role::kFollower && leader_ == NodeId(),
        "recovering starts before first use");
  hard_state_.recovering = true;
}

// False when the reply is of a life of the replica that has ended.
bool Raft::TrackIncarnation(const Message& message, Progress& progress) {
  if (progress.heard && message.incarnation < progress.incarnation) {
    return false;
  }
  const bool new_life =
      progress.heard && message.incarnation > progress.incarnation;
  const bool starts_recovering = message.recovering && !progress.recovering;
  if (new_life || starts_recovering) {
    progress.Restart(message.incarnation, message.recovering,
                     log_.last_index() + 1);
    if (message.recovering) {
      progress.confirm_round = read_index_.RequestRound();
    }
    send_pending_ = true;
  }
  const bool recovered = progress.recovering && !message.recovering;
  progress.heard = true;
  progress.incarnation = message.incarnation;
  progress.recovering = message.recovering;
  if (recovered) MaybeCommit();  // Its matches count from now on.
  return true;
}

void Raft::MaybeConfirmRecoveries() {
  if (!committed_in_term()) return;
  for (Progress& progress : progress_) {
    if (progress.recovering && progress.recovery_index == 0 &&
        AllOthersConfirmed(progress)) {
      progress.recovery_index = commit_;
    }
  }
}

bool Raft::AllOthersConfirmed(const Progress& recovering) const {
  if (membership().joint()) return false;  // Ask the voters of the new one.
  bool all = true;
  const bool quorum = HasQuorum(membership(), [&](NodeId node) {
    if (node == config_.self) return true;
    if (node == recovering.node) return false;
    const Progress* other = FindProgress(node);
    if (other != nullptr && other->recovering) return false;
    if (other == nullptr || other->acked_round < recovering.confirm_round) {
      all = false;
    }
    return true;
  });
  return all && quorum;
}

// Repeated with each of its replies, as messages get lost.
void Raft::MaybeSendRecovered(const Progress& progress) {
  if (!progress.recovering || progress.recovery_index == 0 ||
      progress.match < progress.recovery_index) {
    return;
  }
  Message recovered = MakeMessage(MessageType::kRecovered, progress.node);
  recovered.commit = progress.recovery_index;
  recovered.hint_index = progress.incarnation;
  messages_.push_back(std::move(recovered));
}

void Raft::HandleRecovered(const Message& message) {
  if (!hard_state_.recovering || message.from != leader_ ||
      message.hint_index != config_.incarnation ||
      log_.persisted_index() < message.commit) {
    return;
  }
  // Durable before any further word of ours leaves (Send), so the leader
  // counts us only when a crash cannot make us forget this vote.
  hard_state_.recovering = false;
  hard_state_.vote = leader_;
}

}  // namespace trireme::raft
