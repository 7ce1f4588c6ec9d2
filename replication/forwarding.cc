#include "replication/forwarding.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/errors.h"

namespace trireme {
namespace {

ProposalOutcome Unknown(GroupId group, absl::string_view why) {
  ProposalOutcome outcome;
  outcome.status = MakeError(
      ErrorReason::kOutcomeUnknown,
      absl::StrCat(why, " before it confirmed the write to group ",
                   group.value(), "; it may or may not have taken place"));
  return outcome;
}

}  // namespace

ForwardedProposal Forwarding::Forward(PendingProposal proposal, NodeId leader,
                                      absl::Duration now) {
  ForwardedProposal forwarded;
  forwarded.request = next_request_++;
  forwarded.group = proposal.group;
  forwarded.body = proposal.body;
  forwarded.timeout = proposal.deadline - now;
  sent_.emplace(forwarded.request, Sent{std::move(proposal), leader});
  return forwarded;
}

uint64_t Forwarding::OnOutcome(uint64_t request, ProposalOutcome outcome) {
  const auto it = sent_.find(request);
  if (it == sent_.end()) return 0;  // Given up already.
  PendingProposal proposal = std::move(it->second.proposal);
  sent_.erase(it);
  if (ReasonOf(outcome.status) == ErrorReason::kNoLeader) {
    parked_.push_back(std::move(proposal));
    return 0;
  }
  return Answer(std::move(proposal), std::move(outcome));
}

uint64_t Forwarding::OnConnectionLost(NodeId peer) {
  uint64_t left = 0;
  for (auto it = sent_.begin(); it != sent_.end();) {
    if (it->second.leader != peer) {
      ++it;
      continue;
    }
    PendingProposal proposal = std::move(it->second.proposal);
    it = sent_.erase(it);
    ProposalOutcome outcome =
        Unknown(proposal.group, "the connection to the leader was lost");
    left += Answer(std::move(proposal), std::move(outcome));
  }
  return left;
}

void Forwarding::OnNotSent(const std::vector<ForwardedProposal>& proposals) {
  for (const ForwardedProposal& forwarded : proposals) {
    const auto it = sent_.find(forwarded.request);
    if (it == sent_.end()) continue;
    parked_.push_back(std::move(it->second.proposal));
    sent_.erase(it);
  }
}

uint64_t Forwarding::Expire(absl::Duration now) {
  uint64_t left = 0;
  for (auto it = sent_.begin(); it != sent_.end();) {
    if (it->second.proposal.deadline > now) {
      ++it;
      continue;
    }
    PendingProposal proposal = std::move(it->second.proposal);
    it = sent_.erase(it);
    ProposalOutcome outcome = Unknown(proposal.group, "the time ran out");
    left += Answer(std::move(proposal), std::move(outcome));
  }
  for (PendingProposal& proposal : TakeParked()) {
    if (proposal.deadline > now) {
      parked_.push_back(std::move(proposal));
      continue;
    }
    ProposalOutcome outcome;
    outcome.status = MakeError(
        ErrorReason::kNoLeader,
        absl::StrCat("group ", proposal.group.value(),
                     " has no leader that this node can reach; nothing was "
                     "written"));
    left += Answer(std::move(proposal), std::move(outcome));
  }
  return left;
}

uint64_t Forwarding::Answer(PendingProposal proposal, ProposalOutcome outcome) {
  const uint64_t bytes = proposal.body->bytes();
  proposal.done(std::move(outcome));
  return bytes;
}

}  // namespace trireme
