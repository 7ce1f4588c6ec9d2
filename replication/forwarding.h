// Forwarding holds the proposals of this node that some other node must
// append: those on their way to a leader and those that wait for one to be
// known (design.md D8). Every one is answered exactly once.
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

class Forwarding {
 public:
  // `first_request` differs with each start of the node by so much that the
  // numbers of two lives do not meet.
  explicit Forwarding(uint64_t first_request) : next_request_(first_request) {}

  // Keeps the proposal until its outcome comes; returns what to send.
  ForwardedProposal Forward(PendingProposal proposal, NodeId leader,
                            absl::Duration now);
  // No leader is known: TakeParked gives it back.
  void Park(PendingProposal proposal) {
    parked_.push_back(std::move(proposal));
  }
  std::vector<PendingProposal> TakeParked() {
    return std::exchange(parked_, {});
  }
  bool has_parked() const { return !parked_.empty(); }

  // Answers the proposal; one that the peer could not take (kNoLeader: nothing
  // was written) is parked instead, to be routed again. Returns the bytes that
  // left.
  uint64_t OnOutcome(uint64_t request, ProposalOutcome outcome);
  // What was sent to `peer` may be lost: the outcomes are unknown.
  uint64_t OnConnectionLost(NodeId peer);
  // Nothing of these was sent: they are parked.
  void OnNotSent(const std::vector<ForwardedProposal>& proposals);
  // Answers those whose time is up.
  uint64_t Expire(absl::Duration now);

 private:
  struct Sent {
    PendingProposal proposal;
    NodeId leader;
  };

  uint64_t Answer(PendingProposal proposal, ProposalOutcome outcome);

  uint64_t next_request_;
  absl::btree_map<uint64_t, Sent> sent_;  // By request.
  std::vector<PendingProposal> parked_;
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_FORWARDING_H_
