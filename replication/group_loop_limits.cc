// GroupLoop: what passes at a rate. Only the leader of a group comes here, for
// all that the cluster asks of the group.
#include <utility>

#include "replication/group_loop.h"

namespace trireme {

void GroupLoop::AnswerCharges(PendingProposal proposal) {
  const absl::Duration wait =
      rate_ledger_.Take(proposal.body->charges, clock_->MonotonicNow());
  ProposalOutcome outcome;
  if (wait > absl::ZeroDuration()) outcome.status = RateExceeded(wait);
  proposal.done(std::move(outcome));
}

// False when all of it was refused.
bool GroupLoop::LimitPuts(PendingProposal* proposal) {
  std::optional<PutCut> cut =
      shard_rates_->Take(*proposal->body, clock_->MonotonicNow());
  if (!cut.has_value()) return true;
  if (cut->body->puts.empty()) {
    Refuse(std::move(*proposal), RateExceeded(cut->wait));
    return false;
  }
  proposal->body = std::move(cut->body);
  proposal->done = [cut = *std::move(cut), done = std::move(proposal->done)](
                       ProposalOutcome outcome) mutable {
    done(cut.Complete(std::move(outcome)));
  };
  return true;
}

}  // namespace trireme
