#include "replication/forwarding.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/check.h"
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

// Whether there is a place for each record.
bool Answers(const std::vector<PutPlace>& places,
             const std::vector<PutBatch>& puts) {
  return std::equal(places.begin(), places.end(), puts.begin(), puts.end(),
                    [](const PutPlace& place, const PutBatch& put) {
                      const uint64_t told = place.fates.size() + place.refused;
                      return place.fates.empty()
                                 ? place.refused <= put.record_count
                                 : told == put.record_count;
                    });
}

}  // namespace

bool Forwarding::MustWait(GroupId group, const ForwardTarget& target) const {
  if (parked_.contains(group)) return true;
  const auto out = out_.find(group);
  return out != out_.end() && out->second.target != target;
}

ForwardedProposal Forwarding::Forward(PendingProposal proposal,
                                      const ForwardTarget& target,
                                      absl::Duration now) {
  if (proposal.order == 0) proposal.order = next_order_++;
  ForwardedProposal forwarded;
  forwarded.request = next_request_++;
  forwarded.group = proposal.group;
  forwarded.term = target.term;
  forwarded.body = proposal.body;
  forwarded.timeout = proposal.deadline - now;
  Out& out = out_[proposal.group];
  CHECK(out.count == 0 || out.target == target,
        "a group's proposals are out at two leaders");
  out.target = target;
  ++out.count;
  sent_.emplace(forwarded.request, Sent{std::move(proposal), target});
  return forwarded;
}

void Forwarding::Park(PendingProposal proposal) {
  if (proposal.order == 0) proposal.order = next_order_++;
  const uint64_t order = proposal.order;
  parked_[proposal.group].emplace(order, std::move(proposal));
}

std::vector<PendingProposal> Forwarding::TakeRoutable(
    GroupId group, const ForwardTarget& target) {
  std::vector<PendingProposal> routable;
  const auto parked = parked_.find(group);
  const auto out = out_.find(group);
  if (parked == parked_.end() || target.leader == NodeId() ||
      (out != out_.end() && out->second.target != target)) {
    return routable;
  }
  for (auto& [order, proposal] : parked->second) {
    routable.push_back(std::move(proposal));
  }
  parked_.erase(parked);
  return routable;
}

// Moves the iterator on.
PendingProposal Forwarding::TakeSent(SentMap::iterator* sent) {
  PendingProposal proposal = std::move((*sent)->second.proposal);
  const auto out = out_.find(proposal.group);
  if (--out->second.count == 0) out_.erase(out);
  *sent = sent_.erase(*sent);
  return proposal;
}

void Forwarding::OnOutcome(uint64_t request, ProposalOutcome outcome) {
  auto sent = sent_.find(request);
  if (sent == sent_.end()) return;  // Given up already.
  PendingProposal proposal = TakeSent(&sent);
  if (outcome.status.ok() && !Answers(outcome.places, proposal.body->puts)) {
    outcome = Unknown(proposal.group, "the leader's answer was malformed");
  }
  if (ReasonOf(outcome.status) == ErrorReason::kNoLeader) {
    return Park(std::move(proposal));
  }
  proposal.done(std::move(outcome));
}

void Forwarding::OnConnectionLost(NodeId peer) {
  for (auto sent = sent_.begin(); sent != sent_.end();) {
    if (sent->second.target.leader != peer) {
      ++sent;
      continue;
    }
    PendingProposal proposal = TakeSent(&sent);
    ProposalOutcome outcome =
        Unknown(proposal.group, "the connection to the leader was lost");
    proposal.done(std::move(outcome));
  }
}

void Forwarding::OnNotSent(const std::vector<ForwardedProposal>& proposals) {
  for (const ForwardedProposal& forwarded : proposals) {
    auto sent = sent_.find(forwarded.request);
    if (sent != sent_.end()) Park(TakeSent(&sent));
  }
}

void Forwarding::Expire(absl::Duration now) {
  for (auto sent = sent_.begin(); sent != sent_.end();) {
    if (sent->second.proposal.deadline > now) {
      ++sent;
      continue;
    }
    PendingProposal proposal = TakeSent(&sent);
    ProposalOutcome outcome = Unknown(proposal.group, "the time ran out");
    proposal.done(std::move(outcome));
  }
  for (auto group = parked_.begin(); group != parked_.end();) {
    for (auto at = group->second.begin(); at != group->second.end();) {
      if (at->second.deadline > now) {
        ++at;
        continue;
      }
      PendingProposal proposal = std::move(at->second);
      at = group->second.erase(at);
      ProposalOutcome outcome;
      outcome.status = MakeError(
          ErrorReason::kNoLeader,
          absl::StrCat("group ", proposal.group.value(),
                       " has no leader that this node can reach; nothing was "
                       "written"));
      proposal.done(std::move(outcome));
    }
    group = group->second.empty() ? parked_.erase(group) : std::next(group);
  }
}

}  // namespace trireme
