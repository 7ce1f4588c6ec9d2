// Majorities, of one voter set or of both halves of a joint membership (Raft
// §6): what a leader may commit, who has won, who is still heard. Pure
// functions of a Membership and of one value per voter.
#ifndef TRIREME_REPLICATION_RAFT_QUORUM_H_
#define TRIREME_REPLICATION_RAFT_QUORUM_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "replication/raft/membership.h"
#include "storage/ids.h"

namespace trireme::raft {

constexpr size_t MajorityOf(size_t voters) { return voters / 2 + 1; }

// The largest value that a majority of each voter set has reached. With
// `value` = persisted match this is the index that may be committed.
uint64_t QuorumValue(const Membership& membership,
                     absl::FunctionRef<uint64_t(NodeId)> value);

// True when the voters for which `counts` holds are a majority of each set.
bool HasQuorum(const Membership& membership,
               absl::FunctionRef<bool(NodeId)> counts);

enum class VoteResult : uint8_t { kPending, kWon, kLost };

// The answers of one election or pre-election.
class VoteTally {
 public:
  void Clear() { answers_.clear(); }
  // The first answer of a node stands: a later one is a duplicate.
  void Record(NodeId node, bool granted);
  VoteResult Result(const Membership& membership) const;

 private:
  struct Answer {
    NodeId node;
    bool granted = false;
  };
  const Answer* Find(NodeId node) const;

  std::vector<Answer> answers_;
};

}  // namespace trireme::raft

#endif  // TRIREME_REPLICATION_RAFT_QUORUM_H_
