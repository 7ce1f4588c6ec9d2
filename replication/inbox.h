// Inbox is where everything for a node's loop arrives: proposals, envelopes
// from peers, "written", "installed". A bounded queue of many writers and one
// reader; what arrives during one turn is taken whole by the next.
//
// Owned by a GroupLoop. Thread-safe. Nothing survives a crash.
#ifndef TRIREME_REPLICATION_INBOX_H_
#define TRIREME_REPLICATION_INBOX_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "replication/fair_room.h"
#include "replication/log_writer.h"
#include "replication/proposal.h"
#include "replication/transport.h"
#include "storage/ids.h"
#include "storage/monotonic_event.h"
#include "storage/replicated_state.h"

namespace trireme {

// The room that a proposal takes among those that wait, part by part of its
// shards; given back when destroyed.
class WaitingPlace {
 public:
  WaitingPlace() = default;
  WaitingPlace(WaitingPlace&& other) noexcept { *this = std::move(other); }
  WaitingPlace& operator=(WaitingPlace&& other) noexcept {
    std::swap(room_, other.room_);
    std::swap(body_, other.body_);
    return *this;
  }
  ~WaitingPlace();

 private:
  friend class Inbox;
  WaitingPlace(FairRoom* room, std::shared_ptr<const ProposalBody> body)
      : room_(room), body_(std::move(body)) {}

  FairRoom* room_ = nullptr;
  std::shared_ptr<const ProposalBody> body_;
};

// A proposal on its way through a node, with the moment it is given up.
struct PendingProposal {
  GroupId group;
  std::shared_ptr<const ProposalBody> body;
  absl::Duration deadline;  // Monotonic.
  ProposalDone done;
  bool forwarded = false;  // A peer's; it goes no further than this node.
  uint64_t order = 0;      // Given by Forwarding; 0: not yet.
  // Until it is packed into an entry, or answered.
  WaitingPlace place = {};
};
struct PendingBarrier {
  GroupId group;
  absl::Duration deadline;  // Monotonic.
  BarrierDone done;
};
// An entry that a peer forwarded was applied here.
struct OutcomeForPeer {
  NodeId peer;
  ForwardedOutcome outcome;
};
struct ConnectionLostTo {
  NodeId peer;
};
// The applier has run dry for a group that waits to pull its state.
struct ReadyToPull {
  GroupId group;
  NodeId from;
};
struct StatePulled {
  GroupId group;
  absl::StatusOr<AppliedPosition> position;
};
struct DrainRequested {};

using InboxEvent =
    std::variant<PendingProposal, PendingBarrier, Envelope, LogWriter::Written,
                 OutcomeForPeer, ConnectionLostTo, ReadyToPull, StatePulled,
                 DrainRequested>;

class Inbox {
 public:
  explicit Inbox(uint64_t waiting_bytes_max) : room_(waiting_bytes_max) {}

  void Push(InboxEvent event);

  // A place for the proposal. Overloaded when there is no room left, or one of
  // its shards has its part of it. The inbox must outlive the place.
  absl::StatusOr<WaitingPlace> Admit(std::shared_ptr<const ProposalBody> body);

  // Blocks until something arrived, `timeout` passed or Stop was called;
  // false: stopped.
  bool Wait(absl::Duration timeout);
  std::vector<InboxEvent> TakeAll();
  void Stop();

 private:
  FairRoom room_;  // Of bytes that wait, by shard.

  MonotonicEvent arrived_;  // The first of events_, or stopping_.

  absl::Mutex mu_;
  std::vector<InboxEvent> events_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_INBOX_H_
