// GroupLoop: where proposals and reads go.
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/group_loop.h"
#include "storage/errors.h"

namespace trireme {

void GroupLoop::Propose(Proposal proposal) {
  PendingProposal pending{proposal.group, std::move(proposal.body),
                          clock_->MonotonicNow() + proposal.timeout,
                          std::move(proposal.done)};
  absl::Status refusal;
  if (pending.group.value() >= options_.group_count) {
    refusal = MakeError(
        ErrorReason::kInternalFailure,
        absl::StrCat("there is no replication group ", pending.group.value()));
  } else {
    refusal = AdmitTo(&pending);
  }
  if (refusal.ok()) return inbox_.Push(std::move(pending));
  ProposalOutcome outcome;
  outcome.status = std::move(refusal);
  pending.done(std::move(outcome));
}

absl::Status GroupLoop::AdmitTo(PendingProposal* pending) {
  absl::StatusOr<WaitingPlace> place = inbox_.Admit(pending->body);
  if (place.ok()) pending->place = *std::move(place);
  return place.status();
}

void GroupLoop::ReadBarrier(Barrier barrier) {
  if (barrier.group.value() >= options_.group_count) {
    return barrier.done(MakeError(ErrorReason::kInternalFailure,
                                  "there is no such replication group"));
  }
  inbox_.Push(PendingBarrier{barrier.group,
                             clock_->MonotonicNow() + barrier.timeout,
                             std::move(barrier.done)});
}

NodeId GroupLoop::LeaderOf(GroupId group) const {
  if (group.value() >= leaders_.size()) return NodeId();
  return NodeId(leaders_[group.value()].load(std::memory_order_relaxed));
}

ForwardTarget GroupLoop::TargetOf(const RaftGroup& group) const {
  const raft::Raft& core = group.core();
  if (core.role() == raft::Role::kLeader) return {options_.self, core.term()};
  // One that stepped down does not know its successor yet.
  if (core.leader() == options_.self) return {};
  return {core.leader(), core.term()};
}

void GroupLoop::Route(PendingProposal proposal) {
  RaftGroup& group = *FindGroup(proposal.group)->raft;
  TakeBackIfDeposed(group);
  const ForwardTarget target = TargetOf(group);
  if (target.leader == NodeId() ||
      forwarding_.MustWait(proposal.group, target)) {
    return forwarding_.Park(std::move(proposal));
  }
  Send(std::move(proposal), target);
}

void GroupLoop::Send(PendingProposal proposal, const ForwardTarget& target) {
  if (target.leader == options_.self) return Enqueue(std::move(proposal));
  OutboxFor(target.leader)
      .proposals.push_back(forwarding_.Forward(std::move(proposal), target,
                                               clock_->MonotonicNow()));
}

void GroupLoop::Enqueue(PendingProposal proposal) {
  if (!proposal.body->charges.empty()) {
    return AnswerCharges(std::move(proposal));
  }
  Group& group = *FindGroup(proposal.group);
  if (!proposal.body->puts.empty() && !group.takes_puts) {
    return Refuse(
        std::move(proposal),
        MakeError(ErrorReason::kDiskFull,
                  absl::StrCat("group ", proposal.group.value(),
                               " takes no records: less than ",
                               options_.disk_free_bytes_min,
                               " bytes are free on the disk of node ",
                               options_.self.value(),
                               ", its leader, or of too many of its replicas; "
                               "reads go on")));
  }
  if (shard_rates_.has_value() && !LimitPuts(&proposal)) return;
  group.raft->Enqueue(std::move(proposal));
}

// What waits to be packed goes elsewhere when this replica does not lead any
// more, ahead of all that is taken after it.
void GroupLoop::TakeBackIfDeposed(RaftGroup& group) {
  if (group.core().role() == raft::Role::kLeader) return;
  for (PendingProposal& proposal : group.TakeWaiting()) {
    Reroute(std::move(proposal));
  }
}

void GroupLoop::Reroute(PendingProposal proposal) {
  if (!proposal.forwarded) return forwarding_.Park(std::move(proposal));
  // One hop only: its own node asks whoever it learns of next.
  Refuse(std::move(proposal),
         MakeError(ErrorReason::kNoLeader, "not the leader any more"));
}

void GroupLoop::RouteParked() {
  for (Group& group : groups_) {
    const GroupId id = group.raft->id();
    if (!forwarding_.HasParked(id)) continue;
    const ForwardTarget target = TargetOf(*group.raft);
    for (PendingProposal& proposal : forwarding_.TakeRoutable(id, target)) {
      Send(std::move(proposal), target);
    }
  }
}

void GroupLoop::Refuse(PendingProposal proposal, absl::Status status) {
  ProposalOutcome outcome;
  outcome.status = std::move(status);
  proposal.done(std::move(outcome));
}

void GroupLoop::OnForwardedProposal(NodeId from, ForwardedProposal forwarded) {
  const uint64_t request = forwarded.request;
  Group* const group = FindGroup(forwarded.group);
  PendingProposal pending{
      forwarded.group, std::move(forwarded.body),
      clock_->MonotonicNow() + forwarded.timeout,
      [this, from, request](ProposalOutcome outcome) {
        inbox_.Push(OutcomeForPeer{from, {request, std::move(outcome)}});
      },
      /*forwarded=*/true};
  absl::Status refusal;
  if (group == nullptr ||
      TargetOf(*group->raft) != ForwardTarget{options_.self, forwarded.term}) {
    // One hop only: the sender asks whoever it learns of next.
    refusal = MakeError(ErrorReason::kNoLeader, "not the leader");
  } else {
    refusal = AdmitTo(&pending);
  }
  if (refusal.ok()) return Enqueue(std::move(pending));
  ForwardedOutcome answer{request, {}};
  answer.outcome.status = std::move(refusal);
  OutboxFor(from).outcomes.push_back(std::move(answer));
}

void GroupLoop::OnForwardedRead(NodeId from, const ForwardedRead& read) {
  Group* const group = FindGroup(read.group);
  if (group == nullptr) return;
  const uint64_t context = next_read_++;
  reads_[context] = {from, read.request};
  const absl::Status status = group->raft->core().RequestRead(context);
  if (!status.ok()) AnswerRead(read.group, context, status);
}

void GroupLoop::AskReads(Group& group) {
  raft::Raft& core = group.raft->core();
  const NodeId leader = core.leader();
  if (leader == NodeId()) return;
  const std::optional<uint64_t> question =
      group.barriers->TakeQuestion(clock_->MonotonicNow(), next_read_);
  if (!question.has_value()) return;
  ++next_read_;
  if (leader != options_.self) {
    OutboxFor(leader).reads.push_back({*question, group.raft->id()});
    return;
  }
  reads_[*question] = {options_.self, *question};
  const absl::Status status = core.RequestRead(*question);
  if (!status.ok()) AnswerRead(group.raft->id(), *question, status);
}

void GroupLoop::AnswerRead(GroupId id, uint64_t context,
                           absl::StatusOr<LogIndex> index) {
  const auto it = reads_.find(context);
  if (it == reads_.end()) return;
  const ReadOrigin origin = it->second;
  reads_.erase(it);
  if (origin.node != options_.self) {
    OutboxFor(origin.node)
        .read_indexes.push_back({origin.question, id, std::move(index)});
    return;
  }
  ReadBarriers& barriers = *FindGroup(id)->barriers;
  if (index.ok()) {
    barriers.OnIndex(origin.question, *index);
  } else {
    barriers.OnFailed(origin.question);
  }
}

}  // namespace trireme
