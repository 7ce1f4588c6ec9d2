// GroupLoop owns all replication groups of a node and turns "propose" into
// "committed" (design.md D5, docs/replication.md). One thread runs it; each
// turn takes what arrived, steps the groups, starts one write of the segment
// log for all of them, sends, and hands committed entries to the applier.
//
// Owned by a Node. The public methods under "Any thread" are thread-safe and
// never block; RunOnce belongs to the loop thread (or the simulator). What
// survives a crash is the segment log and the replicated state.
#ifndef TRIREME_REPLICATION_GROUP_LOOP_H_
#define TRIREME_REPLICATION_GROUP_LOOP_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "replication/applier.h"
#include "replication/catch_up.h"
#include "replication/cluster_clock.h"
#include "replication/forwarding.h"
#include "replication/inbox.h"
#include "replication/log_writer.h"
#include "replication/node_report.h"
#include "replication/proposal.h"
#include "replication/raft_group.h"
#include "replication/rate_ledger.h"
#include "replication/read_barriers.h"
#include "replication/replicas.h"
#include "replication/shard_rates.h"
#include "replication/transport.h"
#include "storage/clock.h"
#include "storage/replicated_state.h"
#include "storage/segment_log.h"

namespace trireme {

struct GroupLoopOptions {
  NodeId self;
  std::vector<NodeId> nodes;  // One a zone, self included, ascending.
  uint64_t incarnation = 0;   // Of this node's disk.
  uint32_t group_count = 9;   // The meta group included.
  // Differs with each start: numbers of questions begin there, so that the
  // answer to a question of an earlier life is not taken for one of this.
  uint64_t seed = 0;
  bool recovering = false;  // The disk is new, or its log was damaged.

  absl::Duration tick = absl::Milliseconds(50);
  int election_ticks = 12;
  int heartbeat_ticks = 3;
  // How often leaders are moved to where they belong.
  absl::Duration balance_period = absl::Seconds(2);
  absl::Duration report_period = absl::Seconds(1);
  // How often a group's leader is logged, at most, when it changes.
  absl::Duration leader_log_period = absl::Seconds(1);
  // Others of the process's nodes log theirs.
  bool log_own_leaderships_only = false;
  // A log that has been idle for so long gets a mark, which proves that what
  // precedes it was synced (segment_log.h).
  absl::Duration mark_idle_log_after = absl::Seconds(1);

  // Entries are packed up to this size; a larger record goes alone.
  uint64_t entry_bytes_max = 1u << 20;
  // Of one write of the log, about: what is proposed beyond it waits for the
  // next.
  uint64_t batch_bytes_max = 8u << 20;
  // Proposals are refused beyond this much waiting in the inbox and the groups,
  // and beyond a shard's part of it.
  uint64_t waiting_bytes_max = 64u << 20;
  uint64_t apply_bytes_max = 64u << 20;  // Handed to the applier at a time.
  uint64_t cached_payload_bytes = 96u << 20;  // Of all groups, in memory.
  // Applied entries kept in the log for replicas that are behind: an equal part
  // for each group, none older than so many bytes of the log's files.
  uint64_t log_bytes_kept = 256u << 20;
  // Puts are refused when less is free on the disk.
  uint64_t disk_free_bytes_min = 256u << 20;
  // How fast shards take records. None: as fast as they come.
  std::optional<PutLimits> put_limits;
};

class GroupLoop final : public Replicas, public EnvelopeReceiver {
 public:
  // All pointers must outlive the loop. `on_fatal` is called once when the
  // disk broke: the process must stop and must not answer anyone any more.
  GroupLoop(const GroupLoopOptions& options, Clock* clock, SegmentLog* log,
            const Replay& replay, ReplicatedState* state, Applier* applier,
            LogWriter* writer, CatchUp* catch_up, Transport* transport,
            absl::AnyInvocable<void(absl::Status)> on_fatal);
  ~GroupLoop() override;

  // --- Any thread ---

  // Replicas
  NodeId self() const override { return options_.self; }
  void Propose(Proposal proposal) override;
  void ReadBarrier(Barrier barrier) override;
  NodeId LeaderOf(GroupId group) const override;
  std::vector<KnownNode> KnownNodes() const override;

  // EnvelopeReceiver
  void Receive(Envelope envelope) override;
  void ConnectionLost(NodeId peer) override;

  // What of its own report the loop does not know by itself; kept for the next
  // report. The groups of `about` are ignored.
  void DescribeSelf(NodeReport about);
  // Hands all leaderships to other nodes, for a planned stop. KnownNodes tells
  // when none is left.
  void StartDraining();
  void Stop();
  // What time it is for the cluster; as long-lived as the loop.
  ClusterClock& cluster_clock() { return cluster_clock_; }

  // --- Loop thread ---

  // Blocks until there is work or a tick is due; false: stopped.
  bool WaitForWork();
  // One turn; false when nothing happened.
  bool RunOnce();

 private:
  struct Group {
    std::unique_ptr<RaftGroup> raft;
    std::unique_ptr<ReadBarriers> barriers;
    bool takes_puts = true;  // Enough disks have room; judged every tick.
    // What the log was last told of the leader, and when.
    NodeId told_leader;
    Term told_term = 0;
    absl::Duration told_at = -absl::InfiniteDuration();
  };
  // Who asked the core for a read index.
  struct ReadOrigin {
    NodeId node;
    uint64_t question = 0;
  };

  // group_loop.cc: the turn.
  void Dispatch(InboxEvent event);
  void OnEnvelope(Envelope envelope);
  void OnWritten(LogWriter::Written written);
  std::vector<NodeId> SourcesFor(NodeId first) const;
  void OnPulled(StatePulled pulled);
  void DropLog(GroupId group);
  void Advance(Group& group);
  void ProposeWaiting(RaftGroup& group);
  int64_t StampFor(GroupId group) const;
  void TakeReady(Group& group);
  void SubmitCommitted(Group& group);
  void StartWrite();
  bool MustMarkLog() const;
  void SendOutbox();
  void QueueMessage(GroupId group, raft::Message message);
  Envelope& OutboxFor(NodeId peer);
  Group* FindGroup(GroupId group);
  void Fail(absl::Status status);

  // group_loop_routing.cc: proposals and reads, here or at a leader elsewhere.
  absl::Status AdmitTo(PendingProposal* pending);
  void Route(PendingProposal proposal);
  ForwardTarget TargetOf(const RaftGroup& group) const;
  void Send(PendingProposal proposal, const ForwardTarget& target);
  void Enqueue(PendingProposal proposal);
  void TakeBackIfDeposed(RaftGroup& group);
  void Reroute(PendingProposal proposal);
  void RouteParked();
  void Refuse(PendingProposal proposal, absl::Status status);
  void OnForwardedProposal(NodeId from, ForwardedProposal forwarded);
  void OnForwardedRead(NodeId from, const ForwardedRead& read);
  void AskReads(Group& group);
  void AnswerRead(GroupId group, uint64_t context,
                  absl::StatusOr<LogIndex> index);

  // group_loop_limits.cc: what passes at a rate.
  void AnswerCharges(PendingProposal proposal);
  bool LimitPuts(PendingProposal* proposal);

  // group_loop_upkeep.cc: what happens as time passes.
  void OnTick(absl::Duration now);
  void Expire(absl::Duration now);
  void Balance();
  NodeId BetterLeaderOf(const Group& group) const;
  void BoundMemory();
  void TellLeader(Group& group, absl::Duration now) const;
  void RefreshReport(absl::Duration now);
  NodeReport DescribeGroups() const;
  absl::Duration LogWriteTime(absl::Duration now) const;
  bool MayLead(NodeId node) const;
  bool HasRoom(NodeId node) const;
  bool WaitsForSpace() const;
  bool TakesPuts(const RaftGroup& group) const;
  bool IsSlow(NodeId node) const;
  bool IsDraining(NodeId node) const;
  const NodeReport* ReportOf(NodeId node) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Set at construction.
  const GroupLoopOptions options_;
  Clock* const clock_;
  SegmentLog* const log_;
  ReplicatedState* const state_;
  Applier* const applier_;
  LogWriter* const writer_;
  CatchUp* const catch_up_;
  Transport* const transport_;
  const absl::Duration started_;

  // Thread-safe.
  ClusterClock cluster_clock_;
  Inbox inbox_;
  std::vector<std::atomic<uint32_t>> leaders_;  // By group.

  // Owned by the loop thread.
  absl::AnyInvocable<void(absl::Status)> on_fatal_;
  bool failed_ = false;
  bool draining_ = false;
  std::vector<Group> groups_;  // By group id.
  Forwarding forwarding_;
  std::optional<ShardRates> shard_rates_;  // None: no limits.
  RateLedger rate_ledger_;
  uint64_t next_read_;  // Numbers read contexts and questions alike.
  absl::flat_hash_map<uint64_t, ReadOrigin> reads_;  // By the core's context.
  // Ordered: the loop does the same things in the same order each time.
  absl::btree_map<NodeId, Envelope> outbox_;
  absl::btree_map<NodeId, absl::Duration> heard_at_;

  // The log: one batch with the writer, the next one gathers. Messages that
  // depend on a batch leave once it is durable.
  using Sends = std::vector<std::pair<GroupId, raft::Message>>;
  bool writing_ = false;
  absl::Duration write_started_;
  absl::Duration write_ended_;
  bool log_marked_ = false;          // The last batch written was a mark.
  absl::Duration log_write_time_;    // A moving average.
  std::optional<LogBatch> stalled_;  // The disk was full; tried every tick.
  bool waits_for_space_ = false;     // Until the stalled batch is written.
  LogBatch next_batch_;
  uint64_t next_batch_bytes_ = 0;  // Of its payloads.
  Sends writing_sends_;
  Sends next_sends_;

  absl::Duration next_tick_;
  absl::Duration next_balance_;
  absl::Duration next_report_;
  bool reported_room_ = true;  // What the last report said of the disk.

  mutable absl::Mutex mu_;
  NodeReport self_ ABSL_GUARDED_BY(mu_);
  struct Heard {
    std::shared_ptr<const NodeReport> report;
    absl::Duration at;
  };
  absl::flat_hash_map<NodeId, Heard> heard_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_GROUP_LOOP_H_
