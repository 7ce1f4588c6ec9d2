// ReadIndex confirms that a leader still leads before it answers a read (Raft
// thesis §6.4). Waiting reads share a numbered round: the leader sends the
// round's number to all, and once a quorum has echoed it, no other leader can
// have acknowledged anything when those reads were asked for.
//
// Owned by Raft; used while it leads. There are no leases, hence no clock in
// the argument (raft-notes.md, trap 20).
#ifndef TRIREME_REPLICATION_RAFT_READ_INDEX_H_
#define TRIREME_REPLICATION_RAFT_READ_INDEX_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "replication/raft/message.h"
#include "storage/ids.h"

namespace trireme::raft {

// A confirmed read: everything acknowledged before the request is at or below
// `index`; serve it when the state machine has applied that far.
struct ReadReady {
  uint64_t context = 0;  // As given to RequestRead.
  LogIndex index = 0;
};

class ReadIndex {
 public:
  // `commit` is empty while the leader has not committed in its own term: it
  // does not know yet what earlier leaders acknowledged.
  void Request(uint64_t context, std::optional<LogIndex> commit);
  // Asks for a round that begins after now, for its own sake; its number.
  uint64_t RequestRound();

  // Starts a round if something waits for one. At most one per Ready.
  bool MaybeBeginRound(std::optional<LogIndex> commit);
  uint64_t round() const { return round_; }
  bool WantsRound(bool committed_in_term) const {
    return round_wanted_ || (committed_in_term && !waiting_.empty());
  }

  // A quorum has echoed `round`.
  void OnQuorum(uint64_t round, std::vector<ReadReady>* confirmed);
  // Leadership is lost.
  void FailAll(std::vector<uint64_t>* failed);

 private:
  struct Waiting {
    uint64_t context = 0;
    std::optional<LogIndex> index;
  };
  struct Asked {
    uint64_t round = 0;
    ReadReady read;
  };

  uint64_t round_ = 0;
  bool round_wanted_ = false;
  std::vector<Waiting> waiting_;  // For the next round.
  std::deque<Asked> asked_;       // For an answer, oldest round first.
};

}  // namespace trireme::raft

#endif  // TRIREME_REPLICATION_RAFT_READ_INDEX_H_
