// RaftGroup is one replication group on one node: the consensus core, the
// proposals that wait to be packed into entries, and the proposers that wait
// for their entries to be applied.
//
// Owned by the GroupLoop; loop thread only. Survives a crash through the
// segment log (entries, hard state) and the replicated state.
#ifndef TRIREME_REPLICATION_RAFT_GROUP_H_
#define TRIREME_REPLICATION_RAFT_GROUP_H_

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "replication/applier.h"
#include "replication/inbox.h"
#include "replication/proposal_queue.h"
#include "replication/raft/raft.h"
#include "storage/ids.h"
#include "storage/replicated_state.h"
#include "storage/segment_log.h"

namespace trireme {

class RaftGroup {
 public:
  RaftGroup(GroupId id, const raft::Config& config, raft::Restored restored,
            SegmentLog* log, int64_t stamp_ms);

  GroupId id() const { return id_; }
  raft::Raft& core() { return core_; }
  const raft::Raft& core() const { return core_; }

  // A proposal for this leader to append; ProposeWaiting packs it.
  void Enqueue(PendingProposal proposal);
  bool has_waiting() const { return !waiting_.empty(); }
  uint64_t waiting_bytes() const { return waiting_.bytes(); }
  // Packs what waits into entries of up to `entry_bytes_max` and proposes
  // them, as far as the core takes them, until `bytes_max` are reached.
  void ProposeWaiting(int64_t now_ms, uint64_t entry_bytes_max,
                      uint64_t bytes_max);
  // Everything not yet packed, when this replica does not lead any more.
  std::vector<PendingProposal> TakeWaiting();

  // Committed entries not handed out yet, with their proposers, up to about
  // `bytes_max`. An error is of the disk and final.
  absl::StatusOr<std::vector<ApplyWork>> TakeCommitted(uint64_t bytes_max);
  // The last entry TakeCommitted handed out.
  LogIndex handed_index() const { return handed_; }

  // Reads back payloads that were evicted, before `message` leaves the node.
  absl::Status FillPayloads(raft::Message& message) const;

  // Answers proposers whose time is up.
  void Expire(absl::Duration now);

  // The pulled state stands at `position`; what waits for entries up to there
  // will not hear of them here.
  void OnStateInstalled(const AppliedPosition& position);

  // Keeps the payloads and the log entries in memory within bounds: payloads
  // of committed entries beyond `cached_bytes_max`, entries up to `durable`
  // beyond `log_bytes_max`, and those up to `excess` in any case. Returns the
  // index the log was trimmed to.
  LogIndex Bound(LogIndex durable, uint64_t cached_bytes_max,
                 uint64_t log_bytes_max, LogIndex excess = 0);

  bool installing = false;  // A state pull is under way: apply nothing.

 private:
  // The proposers of one entry.
  struct EntryWaiters {
    int64_t stamp_ms = 0;
    std::vector<EntryWaiter> waiters;
  };
  // Proposals packed into one payload.
  struct Packed {
    std::string payload;
    std::vector<std::vector<ProposalPart>> parts;  // One a proposal.
  };

  Packed Pack(const std::vector<PendingProposal>& proposals) const;
  Packed PackRecords(const std::vector<PendingProposal>& proposals) const;
  void AddWaiters(std::vector<PendingProposal> proposals, Packed packed,
                  LogIndex index);
  EntryWaiters TakeWaitersUpTo(const raft::Entry& entry);
  absl::StatusOr<Payload> PayloadOf(const raft::Entry& entry) const;
  void RaiseStamp(int64_t now_ms);

  // Set at construction.
  const GroupId id_;
  SegmentLog* const log_;
  const uint64_t uncommitted_bytes_max_;

  raft::Raft core_;
  int64_t stamp_ms_;     // Of the newest entry known; ours are never lower.
  Term stamp_term_ = 0;  // The term in which the log's last stamp was read.
  LogIndex handed_;      // Last entry given to the applier.
  ProposalQueue waiting_;
  // A leader that was deposed and elected again may have proposed several
  // entries for one index; which of them was committed shows when one is.
  std::map<std::pair<LogIndex, Term>, EntryWaiters> entry_waiters_;
  // Of Bound: where memory and log stand.
  LogIndex evicted_ = 0;
  LogIndex counted_ = 0;
  uint64_t cached_bytes_ = 0;
  uint64_t log_bytes_ = 0;
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_RAFT_GROUP_H_
