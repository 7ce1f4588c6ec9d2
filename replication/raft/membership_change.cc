// Changing who belongs to a group by joint consensus (Raft §6). A membership is
// in force from the moment its entry is in the log (membership.h).
#include <algorithm>
#include <utility>

#include "replication/raft/raft.h"
#include "storage/crc32c.h"

namespace trireme::raft {

absl::StatusOr<LogIndex> Raft::ProposeMembership(std::vector<NodeId> voters,
                                                 std::vector<NodeId> learners) {
  Membership joint;
  joint.voters = std::move(voters);
  joint.outgoing_voters = membership().voters;
  joint.learners = std::move(learners);
  const absl::Status allowed = CheckMembershipChange(joint);
  if (!allowed.ok()) return allowed;
  return AppendMembership(joint);
}

absl::Status Raft::CheckMembershipChange(const Membership& next) const {
  if (role_ != Role::kLeader || transfer_target_ != NodeId()) {
    return absl::FailedPreconditionError(
        "this replica does not lead the group");
  }
  // Two leaders could otherwise each change the last committed membership
  // towards majorities that do not meet (the single-server bug of 2015).
  if (!committed_in_term()) {
    return absl::FailedPreconditionError(
        "the leader has committed nothing in its term yet; retry");
  }
  if (membership().joint() || memberships_.current_index() > commit_) {
    return absl::FailedPreconditionError(
        "another change of membership is under way; retry");
  }
  if (next.voters.empty()) {
    return absl::InvalidArgumentError("a group needs a voter");
  }
  for (NodeId node : next.voters) {
    const auto same = [node](NodeId other) { return other == node; };
    if (std::count_if(next.voters.begin(), next.voters.end(), same) != 1 ||
        std::any_of(next.learners.begin(), next.learners.end(), same)) {
      return absl::InvalidArgumentError("node " + node.ToString() +
                                        " is named twice");
    }
  }
  return absl::OkStatus();
}

LogIndex Raft::AppendMembership(const Membership& membership) {
  Entry entry;
  entry.index = log_.last_index() + 1;
  entry.term = hard_state_.term;
  entry.type = EntryType::kConfig;
  entry.payload = MakePayload(EncodeMembership(membership));
  entry.payload_crc = Crc32c(*entry.payload);
  entry.payload_bytes = static_cast<uint32_t>(entry.payload->size());
  uncommitted_bytes_ += entry.payload_bytes;
  AppendEntry(std::move(entry));
  send_pending_ = true;
  return log_.last_index();
}

// Whoever leads when the joint membership is committed leaves it.
void Raft::MaybeLeaveJoint() {
  if (!membership().joint() || !committed_in_term() ||
      memberships_.current_index() > commit_) {
    return;
  }
  Membership next = membership();
  next.outgoing_voters.clear();
  AppendMembership(next);
}

// After the others were told that the change is committed (FlushSends).
void Raft::MaybeStepDownAsNonVoter() {
  if (membership().IsVoter(config_.self) ||
      memberships_.current_index() > commit_) {
    return;
  }
  BecomeFollower(hard_state_.term, NodeId());
}

}  // namespace trireme::raft
