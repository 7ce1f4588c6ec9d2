#include "replication/group_loop.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "replication/restore.h"
#include "spdlog/spdlog.h"
#include "storage/check.h"
#include "storage/errors.h"

namespace trireme {
namespace {

raft::Config CoreConfig(const GroupLoopOptions& options, GroupId group) {
  raft::Config config;
  config.self = options.self;
  config.voters = options.nodes;
  config.incarnation = options.incarnation;
  config.seed =
      options.seed * 1000003 + group.value() * 101 + options.self.value();
  config.election_ticks = options.election_ticks;
  config.heartbeat_ticks = options.heartbeat_ticks;
  return config;
}

}  // namespace

GroupLoop::GroupLoop(const GroupLoopOptions& options, Clock* clock,
                     SegmentLog* log, const Replay& replay,
                     ReplicatedState* state, Applier* applier,
                     LogWriter* writer, CatchUp* catch_up, Transport* transport,
                     absl::AnyInvocable<void(absl::Status)> on_fatal)
    : options_(options),
      clock_(clock),
      log_(log),
      state_(state),
      applier_(applier),
      writer_(writer),
      catch_up_(catch_up),
      transport_(transport),
      started_(clock->MonotonicNow()),
      cluster_clock_(clock),
      inbox_(options.waiting_bytes_max),
      leaders_(options.group_count),
      on_fatal_(std::move(on_fatal)),
      forwarding_(options.seed),
      shard_rates_(options.put_limits),
      next_read_(options.seed),
      write_ended_(started_),
      next_tick_(started_ + options.tick),
      next_balance_(started_ + options.balance_period),
      next_report_(started_) {
  for (uint32_t i = 0; i < options_.group_count; ++i) {
    const GroupId id(i);
    const AppliedPosition applied = state_->Applied(id);
    const auto replayed = replay.groups.find(id);
    const bool is_new = replayed == replay.groups.end();
    RestoredGroup restored =
        RestoreGroup(is_new ? ReplayedGroup{} : replayed->second, applied);
    if (restored.obsolete) next_batch_.cuts.push_back({id, 0});
    // Where the log lags behind an installed state, or was lost, it goes on
    // from the state.
    if (restored.core.base_index > 0) {
      log_->Trim(id, restored.core.base_index);
    }
    // All hard states go into the first batch after damage (segment_log.h).
    if (!replay.damage.ok()) restored.core.hard_state.recovering = false;
    // A group that never wrote its hard state here knows nothing of its past
    // votes, unless this disk is a founding member's.
    const bool recover = restored.damaged || !replay.damage.ok() ||
                         (is_new && options_.recovering);
    Group group;
    group.raft = std::make_unique<RaftGroup>(id, CoreConfig(options_, id),
                                             std::move(restored.core), log_,
                                             applied.stamp_ms);
    if (recover) {
      spdlog::warn("group {}: recovers from its peers before it votes", i);
      group.raft->core().StartRecovering();
    }
    group.barriers = std::make_unique<ReadBarriers>(
        id, options_.tick * options_.election_ticks);
    groups_.push_back(std::move(group));
  }
  writer_->OnWritten(
      [this](LogWriter::Written written) { inbox_.Push(std::move(written)); });
  catch_up_->OnPulled(
      [this](GroupId group, absl::StatusOr<AppliedPosition> position) {
        inbox_.Push(StatePulled{group, std::move(position)});
      });
}

GroupLoop::~GroupLoop() = default;

void GroupLoop::Receive(Envelope envelope) { inbox_.Push(std::move(envelope)); }

void GroupLoop::ConnectionLost(NodeId peer) {
  inbox_.Push(ConnectionLostTo{peer});
}

void GroupLoop::StartDraining() { inbox_.Push(DrainRequested{}); }

void GroupLoop::Stop() { inbox_.Stop(); }

bool GroupLoop::WaitForWork() {
  return inbox_.Wait(
      std::max(next_tick_ - clock_->MonotonicNow(), absl::ZeroDuration()));
}

bool GroupLoop::RunOnce() {
  std::vector<InboxEvent> events = inbox_.TakeAll();
  for (InboxEvent& event : events) Dispatch(std::move(event));
  // At most one tick a turn, after the inbox: a process that was stopped for
  // a while first hears what happened, and does not campaign in a burst.
  const absl::Duration now = clock_->MonotonicNow();
  const bool ticks = now >= next_tick_;
  if (ticks) OnTick(now);
  if (failed_) return false;
  RouteParked();
  for (Group& group : groups_) Advance(group);
  StartWrite();
  SendOutbox();
  return ticks || !events.empty();
}

void GroupLoop::Dispatch(InboxEvent event) {
  if (auto* proposal = std::get_if<PendingProposal>(&event)) {
    Route(std::move(*proposal));
  } else if (auto* envelope = std::get_if<Envelope>(&event)) {
    OnEnvelope(std::move(*envelope));
  } else if (auto* written = std::get_if<LogWriter::Written>(&event)) {
    OnWritten(std::move(*written));
  } else if (auto* outcome = std::get_if<OutcomeForPeer>(&event)) {
    OutboxFor(outcome->peer).outcomes.push_back(std::move(outcome->outcome));
  } else if (auto* barrier = std::get_if<PendingBarrier>(&event)) {
    FindGroup(barrier->group)->barriers->Add(std::move(*barrier));
  } else if (auto* lost = std::get_if<ConnectionLostTo>(&event)) {
    forwarding_.OnConnectionLost(lost->peer);
  } else if (auto* ready = std::get_if<ReadyToPull>(&event)) {
    catch_up_->Start(ready->group, SourcesFor(ready->from));
  } else if (auto* pulled = std::get_if<StatePulled>(&event)) {
    OnPulled(std::move(*pulled));
  } else {
    draining_ = true;
    next_report_ = clock_->MonotonicNow();  // The others are to know at once.
  }
}

void GroupLoop::OnEnvelope(Envelope envelope) {
  const NodeId from = envelope.from;
  heard_at_[from] = clock_->MonotonicNow();
  if (envelope.sent_at != absl::InfinitePast()) {
    cluster_clock_.OnPeerTime(from, envelope.sent_at);
  }
  for (auto& [id, message] : envelope.messages) {
    Group* const group = FindGroup(id);
    if (group == nullptr || message.to != options_.self) continue;
    group->raft->core().Step(std::move(message));
  }
  for (ForwardedProposal& proposal : envelope.proposals) {
    OnForwardedProposal(from, std::move(proposal));
  }
  for (ForwardedOutcome& forwarded : envelope.outcomes) {
    forwarding_.OnOutcome(forwarded.request, std::move(forwarded.outcome));
  }
  for (const ForwardedRead& read : envelope.reads) OnForwardedRead(from, read);
  for (const ForwardedReadIndex& answer : envelope.read_indexes) {
    Group* const group = FindGroup(answer.group);
    if (group == nullptr) continue;
    if (answer.index.ok()) {
      group->barriers->OnIndex(answer.request, *answer.index);
    } else {
      group->barriers->OnFailed(answer.request);
    }
  }
  if (envelope.report != nullptr) {
    absl::MutexLock lock(&mu_);
    heard_[from] = {std::move(envelope.report), clock_->MonotonicNow()};
  }
}

void GroupLoop::OnWritten(LogWriter::Written written) {
  if (absl::IsResourceExhausted(written.status)) {
    if (!std::exchange(waits_for_space_, true)) {
      spdlog::warn("segment log: waits for space: {}",
                   written.status.ToString());
    }
    stalled_ = std::move(written.batch);
    return;
  }
  if (!written.status.ok()) return Fail(std::move(written.status));
  if (std::exchange(waits_for_space_, false)) {
    spdlog::info("segment log: has space again");
  }
  writing_ = false;
  write_ended_ = clock_->MonotonicNow();
  const absl::Duration took = write_ended_ - write_started_;
  log_write_time_ += (took - log_write_time_) / 8;
  log_->Publish(written.batch);
  for (const LogHardState& state : written.batch.hard_states) {
    FindGroup(state.group)
        ->raft->core()
        .OnHardStatePersisted({state.term, state.vote, state.recovering});
  }
  const std::vector<LogEntry>& entries = written.batch.entries;
  for (size_t i = 0; i < entries.size(); ++i) {
    const LogEntry& entry = entries[i];
    if (i + 1 < entries.size() && entries[i + 1].group == entry.group) continue;
    FindGroup(entry.group)->raft->core().OnPersisted(entry.index, entry.term);
  }
  for (auto& [group, message] : std::exchange(writing_sends_, {})) {
    QueueMessage(group, std::move(message));
  }
}

// The one that leads, or that we were told of, knows most.
std::vector<NodeId> GroupLoop::SourcesFor(NodeId first) const {
  std::vector<NodeId> sources;
  for (const NodeId node : options_.nodes) {
    if (node == options_.self) continue;
    sources.insert(node == first ? sources.begin() : sources.end(), node);
  }
  return sources;
}

void GroupLoop::OnPulled(StatePulled pulled) {
  Group& group = *FindGroup(pulled.group);
  if (!pulled.position.ok()) {
    spdlog::warn("group {}: pulling its state failed, will try again: {}",
                 pulled.group.value(), pulled.position.status().ToString());
    group.raft->installing = false;
    group.raft->core().SnapshotFailed();
    return;
  }
  spdlog::info("group {}: caught up to index {} by its peers' state",
               pulled.group.value(), pulled.position->index);
  raft::Raft& core = group.raft->core();
  core.SnapshotInstalled(pulled.position->index, pulled.position->term);
  group.raft->OnStateInstalled(*pulled.position);
  if (core.base_index() == core.last_index()) DropLog(pulled.group);
  log_->Trim(pulled.group, core.base_index());
  std::vector<ApplyWork> work;
  work.push_back(ApplyReplacement{pulled.group});
  applier_->Submit(std::move(work));
}

// Nothing is left of the group's log. What the disk holds of it may disagree
// with the installed state, and must not seem to lead up to what follows when
// it is found at the next start.
void GroupLoop::DropLog(GroupId group) {
  std::erase_if(next_batch_.entries,
                [&](const LogEntry& entry) { return entry.group == group; });
  // They may vouch for what is not written after all.
  std::erase_if(next_sends_,
                [&](const auto& send) { return send.first == group; });
  next_batch_.cuts.push_back({group, 0});
}

void GroupLoop::Advance(Group& group) {
  RaftGroup& raft = *group.raft;
  const uint32_t id = raft.id().value();
  TakeBackIfDeposed(raft);
  ProposeWaiting(raft);
  AskReads(group);
  while (!failed_ && raft.core().HasReady()) TakeReady(group);
  SubmitCommitted(group);
  leaders_[id].store(raft.core().leader().value(), std::memory_order_relaxed);
}

// While the disk is busy small proposals wait for the next write and ride on it
// together; a full entry's worth is sent to the peers at once. What the next
// write has no room for waits on, where the streams take turns; but whatever
// else it holds, it takes an entry of every group.
void GroupLoop::ProposeWaiting(RaftGroup& group) {
  if (!group.has_waiting()) return;
  const uint64_t room = options_.batch_bytes_max -
                        std::min(options_.batch_bytes_max, next_batch_bytes_);
  const bool is_entry = group.waiting_bytes() >= options_.entry_bytes_max / 2;
  if (writing_ && !(is_entry && room > 0)) return;
  group.ProposeWaiting(StampFor(group.id()), options_.entry_bytes_max,
                       std::max<uint64_t>(room, 1));
}

// By the cluster's clock, and never below what is applied: the entries that
// tell may be trimmed, and time may have gone back since (design.md D6).
int64_t GroupLoop::StampFor(GroupId group) const {
  return std::max(absl::ToUnixMillis(cluster_clock_.WallNow()),
                  state_->Applied(group).stamp_ms);
}

void GroupLoop::TakeReady(Group& group) {
  RaftGroup& raft = *group.raft;
  const GroupId id = raft.id();
  raft::Ready ready = raft.core().TakeReady();
  if (ready.hard_state.has_value()) {
    const raft::HardState& state = *ready.hard_state;
    std::erase_if(next_batch_.hard_states,
                  [&](const LogHardState& old) { return old.group == id; });
    next_batch_.hard_states.push_back(
        {id, state.term, state.vote, state.recovering});
  }
  for (raft::Entry& entry : ready.entries) {
    next_batch_bytes_ += entry.payload_bytes;
    next_batch_.entries.push_back(
        {id, entry.index, entry.term, static_cast<uint8_t>(entry.type),
         entry.payload_crc, std::move(entry.payload)});
  }
  for (raft::Message& message : ready.messages) {
    if (const absl::Status status = raft.FillPayloads(message); !status.ok()) {
      return Fail(status);
    }
    QueueMessage(id, std::move(message));
  }
  for (raft::Message& message : ready.messages_after_persist) {
    next_sends_.emplace_back(id, std::move(message));
  }
  for (const raft::ReadReady& read : ready.reads) {
    AnswerRead(id, read.context, read.index);
  }
  for (const uint64_t context : ready.failed_reads) {
    AnswerRead(id, context,
               MakeError(ErrorReason::kNoLeader, "leadership was lost"));
  }
  if (ready.snapshot.has_value()) {
    raft.installing = true;
    spdlog::info("group {}: too far behind, pulls the state of node {}",
                 id.value(), ready.snapshot->from.value());
    std::vector<ApplyWork> work;
    work.push_back(ApplyCallback{[this, id, from = ready.snapshot->from] {
      inbox_.Push(ReadyToPull{id, from});
    }});
    applier_->Submit(std::move(work));
  }
}

void GroupLoop::SubmitCommitted(Group& group) {
  if (failed_) return;
  std::vector<ApplyWork> work;
  // While an entry waits for space no others join it. Readers of what is
  // applied go on; the others' time runs out, and they are told so.
  if (!applier_->waits_for_space()) {
    const uint64_t queued = applier_->queued_bytes();
    if (queued >= options_.apply_bytes_max) return;
    absl::StatusOr<std::vector<ApplyWork>> committed =
        group.raft->TakeCommitted(options_.apply_bytes_max - queued);
    if (!committed.ok()) return Fail(committed.status());
    work = *std::move(committed);
  }
  for (PendingBarrier& barrier :
       group.barriers->TakeReleased(group.raft->handed_index())) {
    work.push_back(ApplyBarrier{group.raft->id(), std::move(barrier.done),
                                barrier.deadline});
  }
  if (!work.empty()) applier_->Submit(std::move(work));
}

void GroupLoop::StartWrite() {
  if (writing_ || failed_) return;
  if (next_batch_.empty()) {
    // What these depend on was durable before they were made.
    for (auto& [group, message] : std::exchange(next_sends_, {})) {
      QueueMessage(group, std::move(message));
    }
    if (!MustMarkLog()) return;
  }
  writing_ = true;
  log_marked_ = next_batch_.empty();
  write_started_ = clock_->MonotonicNow();
  writing_sends_ = std::exchange(next_sends_, {});
  writer_->Submit(std::exchange(next_batch_, {}));
  next_batch_bytes_ = 0;
}

// Damage to the very last batch could not be told from a torn write, which is
// cut off: but this one was acknowledged.
bool GroupLoop::MustMarkLog() const {
  return !log_marked_ &&
         clock_->MonotonicNow() - write_ended_ >= options_.mark_idle_log_after;
}

void GroupLoop::SendOutbox() {
  for (auto& [peer, envelope] : outbox_) {
    if (envelope.empty() || failed_) continue;
    envelope.from = options_.self;
    envelope.incarnation = options_.incarnation;
    envelope.sent_at = clock_->WallNow();
    const std::vector<ForwardedProposal> proposals = envelope.proposals;
    if (!transport_->Send(peer, std::exchange(envelope, {}))) {
      forwarding_.OnNotSent(proposals);
    }
  }
}

void GroupLoop::QueueMessage(GroupId group, raft::Message message) {
  const NodeId to = message.to;
  OutboxFor(to).messages.emplace_back(group, std::move(message));
}

Envelope& GroupLoop::OutboxFor(NodeId peer) { return outbox_[peer]; }

GroupLoop::Group* GroupLoop::FindGroup(GroupId group) {
  return group.value() < groups_.size() ? &groups_[group.value()] : nullptr;
}

void GroupLoop::Fail(absl::Status status) {
  if (failed_) return;
  failed_ = true;
  spdlog::critical("node {} stops: {}", options_.self.value(),
                   status.ToString());
  on_fatal_(std::move(status));
}

}  // namespace trireme
