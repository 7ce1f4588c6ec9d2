// Raft is the consensus core of one replica of one replication group: a pure
// state machine in etcd/raft's shape (design.md D1, docs/replication.md).
//
// It has no clock, thread, disk or socket. In go ticks, messages, proposals
// and "persisted up to"; out come entries to persist, messages to send and the
// commit index. The same inputs in the same order give the same outputs.
// Owned by a RaftGroup (or a simulator); not thread-safe. What survives a
// crash is what the owner persisted: the HardState and the entries.
#ifndef TRIREME_REPLICATION_RAFT_RAFT_H_
#define TRIREME_REPLICATION_RAFT_RAFT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replication/raft/membership.h"
#include "replication/raft/message.h"
#include "replication/raft/progress.h"
#include "replication/raft/quorum.h"
#include "replication/raft/raft_log.h"
#include "replication/raft/read_index.h"
#include "storage/ids.h"

namespace trireme::raft {

struct Config {
  NodeId self;
  std::vector<NodeId> voters;  // The group's first membership.
  uint64_t incarnation = 0;    // See Message::incarnation.
  uint64_t seed = 0;           // Of the election timeouts; differs by replica.

  // In ticks. An election starts between election_ticks and twice that after
  // the last word of a leader.
  int election_ticks = 10;
  int heartbeat_ticks = 2;
  bool pre_vote = true;

  // Flow control per follower: what may be on its way without an answer.
  size_t inflight_messages_max = 64;
  size_t inflight_bytes_max = 16u << 20;
  size_t message_bytes_max = 1u << 20;  // A larger single entry goes alone.
  // Proposals are refused beyond this much not yet committed.
  size_t uncommitted_bytes_max = 64u << 20;
};

// What the owner found on its disk. Entries are contiguous and begin at
// base_index + 1; their payloads may be null.
struct Restored {
  HardState hard_state;
  LogIndex base_index = 0;  // Last entry that is trimmed or in a snapshot.
  Term base_term = 0;
  std::vector<Entry> entries;
  LogIndex applied = 0;  // Durable in the state machine, hence committed.
  // In force at base_index; no voters: Config's, it was never changed.
  Membership membership;
};

// The work of one turn. The owner must:
//  1. send `messages` at any time, in order;
//  2. persist `hard_state`, then `entries` (the first may be at or below the
//     log's last index: what follows it is thereby cut), and only when both
//     are durable send `messages_after_persist` and call OnPersisted;
//  3. apply committed entries in order: (the last applied, commit_index()].
// Turns may overlap: a later Ready may be taken while an earlier one is still
// being written, as long as writes complete in the order they were taken. A
// Ready with nothing to write completes when all those before it have.
struct Ready {
  std::optional<HardState> hard_state;
  std::vector<Entry> entries;
  std::vector<Message> messages;
  std::vector<Message> messages_after_persist;
  std::vector<ReadReady> reads;
  // Contexts of reads that cannot be served (leadership was lost).
  std::vector<uint64_t> failed_reads;
  // Set when this replica is too far behind `from`'s log: the owner pulls the
  // group's state from that node and then calls SnapshotInstalled, or
  // SnapshotFailed to be told again. One at a time.
  struct SnapshotRequest {
    NodeId from;
    LogIndex index = 0;  // The pulled state must include at least this entry.
    Term term = 0;
  };
  std::optional<SnapshotRequest> snapshot;

  bool empty() const {
    return !hard_state && entries.empty() && messages.empty() &&
           messages_after_persist.empty() && reads.empty() &&
           failed_reads.empty() && !snapshot;
  }
};

enum class Role : uint8_t { kFollower, kPreCandidate, kCandidate, kLeader };

// What a leader knows of one replica, for people and for the balancer.
struct PeerStatus {
  NodeId node;
  LogIndex match = 0;
  bool recovering = false;
  bool recently_active = false;
  bool needs_snapshot = false;
};

class Raft {
 public:
  Raft(const Config& config, Restored restored);
  Raft(const Raft&) = delete;
  Raft& operator=(const Raft&) = delete;

  // --- inputs ---

  // One unit of time has passed.
  void Tick();
  // A message for this replica has arrived. Anything may come: late, twice,
  // out of order, from another term. Never fails.
  void Step(Message message);

  // Appends one data entry; its index is the answer. Errors: Unavailable when
  // this replica does not lead (or is handing leadership over),
  // ResourceExhausted beyond Config::uncommitted_bytes_max. A refused proposal
  // leaves no trace.
  absl::StatusOr<LogIndex> Propose(Payload payload, uint32_t payload_crc);

  // Asks for a confirmed read index (Raft thesis §6.4); answered in
  // Ready::reads or Ready::failed_reads with `context`. Leaders only,
  // Unavailable otherwise. A leader that has not committed in its own term yet
  // answers once it has.
  absl::Status RequestRead(uint64_t context);

  // Hands leadership to `target`, which must be a voter that is not
  // recovering; it is told to campaign once it has everything. Given up after
  // one election timeout. FailedPrecondition names what is wrong.
  absl::Status TransferLeadership(NodeId target);
  // Changes who belongs to the group, by joint consensus (Raft §6): first an
  // entry under which both old and new voters must agree, its index is the
  // answer; once that is committed, by itself one that leaves the old behind.
  // A leader that is no voter any more steps down then. FailedPrecondition
  // while it does not lead, another change is under way, or nothing of its own
  // term is committed yet (raft-notes.md, trap 13).
  absl::StatusOr<LogIndex> ProposeMembership(std::vector<NodeId> voters,
                                             std::vector<NodeId> learners);

  // Starts an election now, as if the timeout had passed.
  void Campaign();

  // Everything of a taken Ready up to this entry is durable; called for each
  // Ready with entries, in their order. What was truncated meanwhile does not
  // count (raft-notes.md, trap 14).
  void OnPersisted(LogIndex index, Term term);
  // The hard state of a taken Ready is durable.
  void OnHardStatePersisted(const HardState& hard_state);

  // The state machine holds everything up to `index`, and its last entry had
  // `term`: replaces the log up to there, keeping what follows if it agrees.
  // Both are durable before the call. When last_index() is `index` afterwards,
  // entries that the owner's disk holds behind it are no longer the log's.
  // `membership` is the source's MembershipAt(index); without voters ours
  // stays.
  void SnapshotInstalled(LogIndex index, Term term,
                         Membership membership = Membership());
  void SnapshotFailed();

  // Forgets entries up to `index`, which must be applied.
  void TrimLog(LogIndex index);
  // Drops payloads of persisted entries up to `index` from memory.
  void EvictPayloads(LogIndex index);
  // Puts the replica in recovering mode: its log was found damaged. Before
  // first use only, and Config::incarnation must be larger than in any life
  // that vouched for the damaged log.
  void StartRecovering();

  // --- outputs ---

  // May be true when only the attempt to send shows that nothing can be sent:
  // TakeReady then returns an empty Ready.
  bool HasReady() const;
  Ready TakeReady();

  // Never decreases; never beyond what is persisted here.
  LogIndex commit_index() const;
  Role role() const;
  Term term() const;
  NodeId leader() const;  // Value 0: not known.
  bool recovering() const;
  // True once a leader has committed an entry of its own term.
  bool committed_in_term() const;
  LogIndex base_index() const;
  LogIndex last_index() const;
  LogIndex persisted_index() const;
  // The entry at base_index() < index <= last_index().
  const Entry& EntryAt(LogIndex index) const;
  // 0 when not known: index is below base_index() or beyond last_index().
  Term TermAt(LogIndex index) const;
  // In force now: the latest in the log, committed or not.
  const Membership& membership() const { return memberships_.current(); }
  // In force at base_index() <= index <= last_index().
  const Membership& MembershipAt(LogIndex index) const;
  size_t uncommitted_bytes() const;
  // The lowest index any live follower still needs from this leader's log;
  // last_index() + 1 when nobody needs anything.
  LogIndex lowest_needed_index() const;
  std::vector<PeerStatus> peers() const;
  // Aborts on a broken invariant; simulators call it after each step.
  void CheckInvariants() const;

 private:
  // --- raft.cc: dispatch, role changes, sending ---
  void StepHigherTerm(const Message& message);
  void StepLowerTerm(const Message& message);
  void StepCurrentTerm(Message& message);
  void BecomeFollower(Term term, NodeId leader);
  void BecomeLeader();
  void FollowLeader(NodeId leader);
  Message MakeMessage(MessageType type, NodeId to) const;
  // Leaves when term and vote are durable.
  void Send(Message message);
  // Leaves when entries up to `vouched` are durable too.
  void SendVouching(Message message, LogIndex vouched);
  bool HardStateDurable() const { return persisted_hard_state_ == hard_state_; }
  void AppendEntry(Entry entry);
  void TruncateLog(LogIndex from);
  void AdvanceCommit(LogIndex index);

  // --- election.cc (Raft §5.2, §5.4.1; thesis §3.10, §6.4, §9.6) ---
  void TickElection();
  void ResetElectionTimer();
  bool MayCampaign() const;
  void StartPreElection();
  void StartElection(bool transfer);
  void MaybeWin();
  bool HeardFromLeaderLately() const;
  bool IsUpToDate(const Message& request) const;
  void HandlePreVote(const Message& message);
  void HandleVote(const Message& message);
  void HandleVoteReply(const Message& message);
  void HandleTimeoutNow(const Message& message);
  void MaybeFinishTransfer(const Progress& progress);

  // --- log_replication.cc: the leader's side (Raft §5.3, §5.4.2) ---
  void TickLeader();
  void BroadcastHeartbeat();
  void FlushSends();
  void SendAppends(Progress& progress);
  bool SendEmptyAppend(Progress& progress, LogIndex previous);
  void SendHeartbeat(Progress& progress);
  void SendSnapshot(Progress& progress);
  Message MakeAppend(const Progress& progress, LogIndex previous) const;
  size_t AddEntries(LogIndex from, Message* message) const;
  void HandleAppendReply(const Message& message);
  void HandleAccepted(const Message& message, Progress& progress);
  void HandleHeartbeatReply(const Message& message);
  void MaybeCommit();
  Progress* FindProgress(NodeId node);
  const Progress* FindProgress(NodeId node) const;
  void UpdateProgressMembers();
  std::optional<LogIndex> ReadableCommit() const;
  void MaybeConfirmReads();

  // --- log_acceptance.cc: the follower's side (Raft §5.3, §7) ---
  void HandleAppend(Message& message);
  void RejectAppend(const Message& message);
  void AcceptUpTo(const Message& message, LogIndex match);
  void HandleHeartbeat(const Message& message);
  void HandleSnapshot(const Message& message);

  // --- membership_change.cc (Raft §6) ---
  absl::Status CheckMembershipChange(const Membership& next) const;
  LogIndex AppendMembership(const Membership& membership);
  void MaybeLeaveJoint();
  void MaybeStepDownAsNonVoter();

  // --- recovery.cc: replicas that lost their disk ---
  bool TrackIncarnation(const Message& message, Progress& progress);
  void MaybeConfirmRecoveries();
  bool AllOthersConfirmed(const Progress& progress) const;
  void MaybeSendRecovered(const Progress& progress);
  void HandleRecovered(const Message& message);

  // Set at construction.
  const Config config_;

  // Persistent state (Raft figure 2), as it will be once all is written.
  HardState hard_state_;
  RaftLog log_;
  MembershipHistory memberships_;  // A function of log_.

  // What the owner was given to write, and what is durable.
  HardState handed_out_hard_state_;
  HardState persisted_hard_state_;

  // Volatile state.
  Role role_ = Role::kFollower;
  NodeId leader_;
  LogIndex commit_;  // The group's; commit_index() waits for our own disk.
  int election_elapsed_ = 0;
  int election_timeout_ = 0;
  uint64_t random_state_;
  VoteTally votes_;

  // Of a leader.
  std::vector<Progress> progress_;  // All other members.
  LogIndex term_start_ = 0;         // Index of this term's no-op.
  int heartbeat_elapsed_ = 0;
  ReadIndex read_index_;
  size_t uncommitted_bytes_ = 0;
  NodeId transfer_target_;  // Value 0: no transfer going on.
  int transfer_elapsed_ = 0;

  // Of a follower that needs a snapshot.
  std::optional<Ready::SnapshotRequest> snapshot_wanted_;
  bool installing_ = false;  // The owner was told and has not finished.

  // Gathered for the next Ready.
  bool send_pending_ = false;  // Something may be sent to followers.
  std::vector<Message> messages_;
  std::vector<Message> messages_after_persist_;
  std::vector<ReadReady> reads_;
  std::vector<uint64_t> failed_reads_;
};

}  // namespace trireme::raft

#endif  // TRIREME_REPLICATION_RAFT_RAFT_H_
