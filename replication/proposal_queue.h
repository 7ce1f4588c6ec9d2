// ProposalQueue is what waits to be packed into entries of one group: the puts
// of each stream in their order, the streams in turn, by bytes (deficit round
// robin). So a stream that floods the group delays the others by a turn, not
// by all that it has waiting (design.md D13). Commands take their turn like one
// more stream.
//
// Owned by a RaftGroup; loop thread only.
#ifndef TRIREME_REPLICATION_PROPOSAL_QUEUE_H_
#define TRIREME_REPLICATION_PROPOSAL_QUEUE_H_

#include <cstdint>
#include <deque>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "replication/inbox.h"
#include "storage/ids.h"

namespace trireme {

class ProposalQueue {
 public:
  void Add(PendingProposal proposal);
  bool empty() const { return turns_.empty(); }
  uint64_t bytes() const { return bytes_; }

  // What goes into the next entry: one command, or records up to
  // `entry_bytes_max` and kEntryPositionsMax, at least of one proposal. Empty
  // when nothing waits.
  std::vector<PendingProposal> TakeEntry(uint64_t entry_bytes_max);
  // What TakeEntry gave could not be proposed: it comes first again.
  void PutBack(std::vector<PendingProposal> entry);
  // All, each stream's in its order.
  std::vector<PendingProposal> TakeAll();
  // Those whose time is up.
  std::vector<PendingProposal> TakeExpired(absl::Duration now);

 private:
  struct Lane {
    std::deque<PendingProposal> waiting;
    uint64_t credit = 0;  // Bytes it may send in this turn.
  };

  // Stream 0 is none: the commands'.
  static StreamId LaneOf(const PendingProposal& proposal);
  PendingProposal TakeFirst(Lane* lane);
  void EndTurn();
  // The front lane has nothing more.
  void RemoveLane();

  absl::flat_hash_map<StreamId, Lane> lanes_;
  std::deque<StreamId> turns_;  // Of all lanes; the front one is at it.
  bool turn_begun_ = false;
  uint64_t bytes_ = 0;
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_PROPOSAL_QUEUE_H_
