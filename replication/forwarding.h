// Forwarding holds the proposals of this node that some other node must
// append: those on their way to a leader and those that wait for one to be
// known (design.md D8). Every one is answered exactly once, and a group's
// proposals keep the order in which this node took them: nothing goes to a new
// leader while older ones may still be taken, or bounced, by another.
//
// Owned by the GroupLoop; loop thread only. Nothing survives a crash.
#ifndef TRIREME_REPLICATION_FORWARDING_H_
#define TRIREME_REPLICATION_FORWARDING_H_

#include <cstdint>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "replication/inbox.h"
#include "replication/transport.h"
#include "storage/ids.h"

namespace trireme {

// A leader in its term: a node that leads again leads in another one.
struct ForwardTarget {
  NodeId leader;  // Value 0: not known.
  Term term = 0;

  friend bool operator==(const ForwardTarget&, const ForwardTarget&) = default;
};

class Forwarding {
 public:
  // `first_request` differs with each start of the node by so much that the
  // numbers of two lives do not meet.
  explicit Forwarding(uint64_t first_request) : next_request_(first_request) {}

  // True when older proposals of the group are parked, or out at another
  // target: this one must be parked behind them.
  bool MustWait(GroupId group, const ForwardTarget& target) const;
  // Keeps the proposal until its outcome comes; returns what to send.
  ForwardedProposal Forward(PendingProposal proposal,
                            const ForwardTarget& target, absl::Duration now);
  // Keeps the proposal until TakeRoutable gives it back.
  void Park(PendingProposal proposal);
  bool HasParked(GroupId group) const { return parked_.contains(group); }
  // All parked proposals of the group in order, or none while older ones are
  // out at another target, or no target is known.
  std::vector<PendingProposal> TakeRoutable(GroupId group,
                                            const ForwardTarget& target);

  // Answers the proposal; one that the peer could not take (kNoLeader: nothing
  // was written) is parked instead, to be routed again.
  void OnOutcome(uint64_t request, ProposalOutcome outcome);
  // What was sent to `peer` may be lost: the outcomes are unknown.
  void OnConnectionLost(NodeId peer);
  // Nothing of these was sent: they are parked.
  void OnNotSent(const std::vector<ForwardedProposal>& proposals);
  // Answers those whose time is up.
  void Expire(absl::Duration now);

 private:
  struct Sent {
    PendingProposal proposal;
    ForwardTarget target;
  };
  // What of a group is out; always at one target.
  struct Out {
    ForwardTarget target;
    uint64_t count = 0;
  };
  using SentMap = absl::btree_map<uint64_t, Sent>;

  PendingProposal TakeSent(SentMap::iterator* sent);

  uint64_t next_request_;
  uint64_t next_order_ = 1;
  SentMap sent_;  // By request.
  absl::btree_map<GroupId, Out> out_;
  // By group, then by the order in which this node took them.
  absl::btree_map<GroupId, absl::btree_map<uint64_t, PendingProposal>> parked_;
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_FORWARDING_H_
