#include "replication/raft/quorum.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "absl/container/inlined_vector.h"

namespace trireme::raft {
namespace {

uint64_t MajorityValue(const std::vector<NodeId>& voters,
                       absl::FunctionRef<uint64_t(NodeId)> value) {
  // An absent half of a joint membership restricts nothing.
  if (voters.empty()) return std::numeric_limits<uint64_t>::max();
  absl::InlinedVector<uint64_t, 8> values;
  for (NodeId voter : voters) values.push_back(value(voter));
  std::sort(values.begin(), values.end(), std::greater<>());
  return values[MajorityOf(values.size()) - 1];
}

}  // namespace

uint64_t QuorumValue(const Membership& membership,
                     absl::FunctionRef<uint64_t(NodeId)> value) {
  return std::min(MajorityValue(membership.voters, value),
                  MajorityValue(membership.outgoing_voters, value));
}

bool HasQuorum(const Membership& membership,
               absl::FunctionRef<bool(NodeId)> counts) {
  return QuorumValue(membership, [&](NodeId node) -> uint64_t {
           return counts(node) ? 1 : 0;
         }) == 1;
}

void VoteTally::Record(NodeId node, bool granted) {
  if (Find(node) == nullptr) answers_.push_back({node, granted});
}

const VoteTally::Answer* VoteTally::Find(NodeId node) const {
  for (const Answer& answer : answers_) {
    if (answer.node == node) return &answer;
  }
  return nullptr;
}

VoteResult VoteTally::Result(const Membership& membership) const {
  const bool won = HasQuorum(membership, [this](NodeId node) {
    const Answer* answer = Find(node);
    return answer != nullptr && answer->granted;
  });
  if (won) return VoteResult::kWon;
  const bool can_win = HasQuorum(membership, [this](NodeId node) {
    const Answer* answer = Find(node);
    return answer == nullptr || answer->granted;
  });
  return can_win ? VoteResult::kPending : VoteResult::kLost;
}

}  // namespace trireme::raft
