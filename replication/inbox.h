// Inbox is where everything for a node's loop arrives: proposals, envelopes
// from peers, "written", "installed". A bounded queue of many writers and one
// reader; what arrives during one turn is taken whole by the next.
//
// Owned by a GroupLoop. Thread-safe. Nothing survives a crash.
#ifndef TRIREME_REPLICATION_INBOX_H_
#define TRIREME_REPLICATION_INBOX_H_

#include <atomic>
#include <cstdint>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "replication/log_writer.h"
#include "replication/proposal.h"
#include "replication/transport.h"
#include "storage/ids.h"
#include "storage/monotonic_event.h"
#include "storage/replicated_state.h"

namespace trireme {

// A proposal on its way through a node, with the moment it is given up.
struct PendingProposal {
  GroupId group;
  std::shared_ptr<const ProposalBody> body;
  absl::Duration deadline;  // Monotonic.
  ProposalDone done;
  bool forwarded = false;  // A peer's; it goes no further than this node.
  uint64_t order = 0;      // Given by Forwarding; 0: not yet.
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
  explicit Inbox(uint64_t waiting_bytes_max)
      : waiting_bytes_max_(waiting_bytes_max) {}

  void Push(InboxEvent event);

  // Takes `bytes` of the room for proposals; false when there is none left.
  // Release gives them back once the proposal is packed into an entry, or
  // answered.
  bool Admit(uint64_t bytes);
  void Release(uint64_t bytes) { waiting_bytes_ -= bytes; }

  // Blocks until something arrived, `timeout` passed or Stop was called;
  // false: stopped.
  bool Wait(absl::Duration timeout);
  std::vector<InboxEvent> TakeAll();
  void Stop();

 private:
  const uint64_t waiting_bytes_max_;  // Set at construction.
  std::atomic<uint64_t> waiting_bytes_{0};

  MonotonicEvent arrived_;  // The first of events_, or stopping_.

  absl::Mutex mu_;
  std::vector<InboxEvent> events_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_INBOX_H_
