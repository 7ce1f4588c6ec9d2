// Progress is what a leader knows of one other replica: how far its log
// agrees, what is on its way to it, and whether it counts.
//
// Owned by Raft while it leads; made anew at each election. Nothing of it is
// ever written to disk.
#ifndef TRIREME_REPLICATION_RAFT_PROGRESS_H_
#define TRIREME_REPLICATION_RAFT_PROGRESS_H_

#include <cstddef>
#include <cstdint>
#include <deque>

#include "storage/ids.h"

namespace trireme::raft {

// Appends sent and not answered, bounded in number and bytes (trap 17).
class Inflight {
 public:
  bool Full(size_t messages_max, size_t bytes_max) const {
    return sent_.size() >= messages_max || (bytes_ >= bytes_max && bytes_ > 0);
  }
  bool empty() const { return sent_.empty(); }
  void Add(LogIndex last, size_t bytes);
  void FreeUpTo(LogIndex match);
  void Clear();

 private:
  struct Sent {
    LogIndex last = 0;
    size_t bytes = 0;
  };
  std::deque<Sent> sent_;
  size_t bytes_ = 0;
};

struct Progress {
  enum class State : uint8_t {
    kProbe,      // Where do the logs agree? One append at a time.
    kReplicate,  // They agree up to match: appends are pipelined.
    kSnapshot,   // It needs what was trimmed: appends wait for its state.
  };

  explicit Progress(NodeId node_id, LogIndex next_index)
      : node(node_id), next(next_index) {}

  NodeId node;
  State state = State::kProbe;
  LogIndex match = 0;  // Persisted there, and the same as here.
  LogIndex next;       // The next entry to send; always above match.
  bool probe_sent = false;
  Inflight inflight;
  LogIndex commit_sent = 0;
  // Match when its last heartbeat reply came: no progress since means that
  // appends may have been lost.
  LogIndex match_at_heartbeat = 0;
  int silent_ticks = 0;
  uint64_t acked_round = 0;  // Of ReadIndex.

  // Recovery of a replica that lost its disk; see recovery.cc.
  bool heard = false;  // The two below are from its own word.
  uint64_t incarnation = 0;
  bool recovering = false;
  uint64_t confirm_round = 0;   // All others must acknowledge this round.
  LogIndex recovery_index = 0;  // It has caught up when match reaches this.

  // What it adds to a quorum of matches: a recovering replica nothing.
  LogIndex CountedMatch() const { return recovering ? 0 : match; }
  uint64_t CountedRound() const { return recovering ? 0 : acked_round; }

  bool Paused(size_t messages_max, size_t bytes_max) const;
  void BecomeProbe();
  void BecomeReplicate();
  void BecomeSnapshot();
  // Forgets what an earlier life of the replica told.
  void Restart(uint64_t new_incarnation, bool is_recovering,
               LogIndex next_index);

  // It holds everything up to `index`. False when that is old news.
  bool OnAccepted(LogIndex index);
  // It refused an append after `rejected`; `retry` is where to try next. False
  // when the refusal is out of date (trap 7).
  bool OnRejected(LogIndex rejected, LogIndex retry);

  void CheckInvariants(LogIndex last_index) const;
};

}  // namespace trireme::raft

#endif  // TRIREME_REPLICATION_RAFT_PROGRESS_H_
