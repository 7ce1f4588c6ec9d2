#include "storage/group_commands.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "storage/errors.h"
#include "storage/group_rows.h"
#include "storage/retention.h"
#include "storage/status_macros.h"
#include "storage/stream_name.h"
#include "trireme/v1/group_commands.pb.h"

namespace trireme {
namespace {

using Outcomes = v1::LeaseOutcomes;

GroupsDecision Refuse(absl::Status status) { return {std::move(status)}; }
GroupsDecision Decide(GroupChange change) {
  return {absl::OkStatus(), "", {std::move(change)}};
}

// A group that a command is about, and what it makes of it.
struct Found {
  const ConsumerGroup& group;
  GroupChange change;
};
absl::StatusOr<Found> Find(const GroupsState& state, const v1::GroupRef& ref) {
  const ConsumerGroupId id{StreamId(ref.stream_id()), ref.group()};
  const auto found = state.groups.find(id);
  if (found != state.groups.end()) return Found{found->second, {id}};
  return MakeError(
      ErrorReason::kResourceNotFound,
      absl::StrCat("consumer group number ", ref.group(), " of stream number ",
                   ref.stream_id(), " not found"));
}

// Null when the stream is gone, or about to be.
std::shared_ptr<const Stream> LivingStream(const Catalog& catalog,
                                           StreamId id) {
  const auto stream = catalog.Find(id);
  if (stream == nullptr || stream->status == StreamStatus::kDeleting) {
    return nullptr;
  }
  return stream;
}

// Where a group may begin.
absl::StatusOr<LeasePosition> ParseStart(const v1::LeasePosition& message) {
  const auto position = ParsePosition(message);
  if (position.has_value() &&
      position->kind < LeasePositionKind::kSequenceNumber) {
    return *position;
  }
  return MakeError(
      ErrorReason::kInvalidArgument,
      absl::StrCat("a consumer group cannot begin at a position of kind ",
                   message.kind()));
}

absl::Status CheckRange(absl::string_view what, int64_t value, int64_t min,
                        int64_t max) {
  if (value >= min && value <= max) return absl::OkStatus();
  return MakeError(
      ErrorReason::kInvalidArgument,
      absl::StrCat(what, " is ", value, "; it must be ", min, " to ", max));
}

absl::StatusOr<ConsumerGroupSettings> SettingsOf(
    const v1::GroupSettings& message) {
  RETURN_IF_ERROR(ParseStart(message.from()).status());
  RETURN_IF_ERROR(CheckRange("leaseDurationMs", message.lease_ms(), kLeaseMsMin,
                             kLeaseMsMax));
  RETURN_IF_ERROR(
      CheckRange("handOffTimeoutMs", message.hand_off_ms(), 0, kHandOffMsMax));
  return *ParseSettings(message);
}

// --- leases ---

// The owner, maybe none, has the lease from this entry on.
void Give(WorkerNumber owner, LogIndex index, Lease* lease) {
  lease->owner_switches += owner != 0;
  lease->owner = owner;
  lease->counter = index;
  lease->next_owner = 0;
  lease->bytes_per_second = 0;  // The former owner's word.
}

template <typename Predicate>
bool AnyParent(const Shard& shard, const Predicate& is) {
  return (shard.parent.has_value() && is(*shard.parent)) ||
         (shard.adjacent_parent.has_value() && is(*shard.adjacent_parent));
}

Lease LeaseAt(const LeasePosition& position, LogIndex index) {
  Lease lease;
  lease.counter = index;
  lease.checkpoint = position;
  return lease;
}

// Whether the shard may hold records that lie behind the position. Its own log
// and the meta group's, which tells when it was closed, are stamped by clocks
// that differ by kExpirySlackMs at most.
bool Reaches(const Shard& shard, const LeasePosition& from) {
  if (!shard.end.has_value()) return true;
  switch (from.kind) {
    case LeasePositionKind::kLatest:
      return false;
    case LeasePositionKind::kAtTimestamp:
      return static_cast<int64_t>(shard.closed_s + 1) * 1000 + kExpirySlackMs >
             from.timestamp_ms;
    default:
      return true;
  }
}

// Those from which nothing is to be read are done from the start. So a shard
// without a lease is always one that waits for its parents.
void MakeFirstLeases(const Stream& stream, const LeasePosition& from,
                     LogIndex index, GroupChange* change) {
  const LeasePosition end{LeasePositionKind::kShardEnd};
  absl::flat_hash_set<ShardIndex> unread;
  for (const Shard& shard : stream.shards) {  // Parents before children.
    const bool waits = AnyParent(
        shard, [&](ShardIndex parent) { return unread.contains(parent); });
    const bool reaches = Reaches(shard, from);
    if (waits || reaches) unread.insert(shard.index);
    if (!waits) {
      change->leases[shard.index] = LeaseAt(reaches ? from : end, index);
    }
  }
}

// A lease as the command leaves it so far; null when there is none.
const Lease* FindLease(const Found& found, ShardIndex shard) {
  const auto changed = found.change.leases.find(shard);
  if (changed != found.change.leases.end()) {
    return changed->second.has_value() ? &*changed->second : nullptr;
  }
  const auto lease = found.group.leases.find(shard);
  return lease == found.group.leases.end() ? nullptr : &lease->second;
}

// Null unless the worker holds it.
const Lease* FindHeld(const Found& found, WorkerNumber worker,
                      const v1::HeldLease& held) {
  const Lease* const lease = FindLease(found, ShardIndex(held.shard()));
  const bool holds = lease != nullptr && worker != 0 &&
                     lease->owner == worker && lease->counter == held.counter();
  return holds ? lease : nullptr;
}

// Gives the shard a lease if it has none and all of its parents are read to
// their ends, or have left the stream: with their last records.
void MakeLeaseIfDue(const Stream& stream, const Shard& shard, LogIndex index,
                    Found* found) {
  const bool waits = AnyParent(shard, [&](ShardIndex parent) {
    if (stream.FindShard(parent) == nullptr) return false;
    const Lease* const lease = FindLease(*found, parent);
    return lease == nullptr || !lease->checkpoint.at_end();
  });
  if (waits || FindLease(*found, shard.index) != nullptr) return;
  const LeasePosition& from = found->group.settings.from;
  found->change.leases[shard.index] = LeaseAt(
      from.kind == LeasePositionKind::kAtTimestamp ? from : LeasePosition(),
      index);
}

void MakeLeasesOfChildren(const Stream& stream, ShardIndex parent,
                          LogIndex index, Found* found) {
  for (const Shard& shard : stream.shards) {
    const bool is_child = AnyParent(
        shard, [parent](ShardIndex other) { return other == parent; });
    if (is_child) MakeLeaseIfDue(stream, shard, index, found);
  }
}

// --- commands ---

absl::Status CheckJoin(const GroupsState& state,
                       const v1::JoinGroupCommand& command) {
  RETURN_IF_ERROR(CheckName(command.group_name(), "groupName"));
  const size_t bytes = command.worker_name().size();
  if (bytes < 1 || bytes > kWorkerNameBytesMax) {
    return MakeError(
        ErrorReason::kInvalidArgument,
        absl::StrCat("workerId has ", bytes, " bytes; it must have 1 to ",
                     kWorkerNameBytesMax));
  }
  if (LivingStream(state.catalog, StreamId(command.stream_id())) == nullptr) {
    return MakeError(
        ErrorReason::kResourceNotFound,
        absl::StrCat("stream number ", command.stream_id(), " not found"));
  }
  return absl::OkStatus();
}

// The group of that name, or one that is made now.
absl::StatusOr<GroupChange> FindOrMake(const GroupsState& state,
                                       const v1::JoinGroupCommand& command) {
  const StreamId stream(command.stream_id());
  uint32_t count = 0;
  std::optional<ConsumerGroupId> named;
  ForGroupsOf(stream, state.groups,
              [&](const ConsumerGroupId& id, const ConsumerGroup& group) {
                ++count;
                if (group.name == command.group_name()) named = id;
              });
  if (named.has_value()) return GroupChange{*named};
  if (command.existing_only()) {
    return MakeError(ErrorReason::kResourceNotFound,
                     absl::StrCat("consumer group ", command.group_name(),
                                  " is not there any more"));
  }
  if (command.groups_max() > 0 && count >= command.groups_max()) {
    return MakeError(
        ErrorReason::kLimitExceeded,
        absl::StrCat("the stream has ", count,
                     " consumer groups; the limit is ", command.groups_max()));
  }
  GroupChange change{{stream, state.index}};
  change.made.emplace();
  change.made->name = command.group_name();
  ASSIGN_OR_RETURN(change.made->settings, SettingsOf(command.settings()));
  MakeFirstLeases(*state.catalog.Find(stream), change.made->settings.from,
                  state.index, &change);
  return change;
}

// The worker is gone: its leases are the heir's, if there is one (not 0), who
// hands off what was to be; else theirs to whom they were to be handed off.
void RemoveWorker(WorkerNumber worker, WorkerNumber heir, LogIndex index,
                  Found* found) {
  found->change.workers[worker] = std::nullopt;
  for (const auto& [shard, lease] : found->group.leases) {
    if (lease.owner != worker && lease.next_owner != worker) continue;
    Lease left = lease;
    if (left.next_owner == worker) left.next_owner = heir;
    if (left.owner == worker) {
      const WorkerNumber next = left.next_owner;
      Give(heir != 0 ? heir : next, index, &left);
      if (heir != 0 && next != heir) left.next_owner = next;
    }
    found->change.leases[shard] = std::move(left);
  }
}

GroupsDecision Join(const GroupsState& state,
                    const v1::JoinGroupCommand& command) {
  if (absl::Status checked = CheckJoin(state, command); !checked.ok()) {
    return Refuse(std::move(checked));
  }
  absl::StatusOr<GroupChange> change = FindOrMake(state, command);
  if (!change.ok()) return Refuse(change.status());
  const WorkerNumber worker = state.index;
  const bool is_new = change->made.has_value();
  static const ConsumerGroup kEmpty;
  Found found{is_new ? kEmpty : state.groups.at(change->id),
              *std::move(change)};
  size_t others = 0;
  for (const auto& [number, other] : found.group.workers) {
    if (other.name == command.worker_name()) {
      RemoveWorker(number, worker, state.index, &found);
    } else {
      ++others;
    }
  }
  if (command.workers_max() > 0 && others >= command.workers_max()) {
    return Refuse(MakeError(
        ErrorReason::kLimitExceeded,
        absl::StrCat("consumer group ", command.group_name(),
                     " has its limit of workers: ", command.workers_max())));
  }
  found.change.workers[worker] = Worker{command.worker_name()};
  v1::JoinGroupReply reply;
  reply.set_group(found.change.id.number);
  reply.set_worker(worker);
  EncodeSettings(is_new ? found.change.made->settings : found.group.settings,
                 reply.mutable_settings());
  return {
      absl::OkStatus(), reply.SerializeAsString(), {std::move(found.change)}};
}

GroupsDecision Hear(const GroupsState& state,
                    const v1::HeartbeatsCommand& command) {
  absl::btree_map<ConsumerGroupId, GroupChange> changes;
  v1::HeartbeatsReply reply;
  for (const v1::Heartbeat& heartbeat : command.heartbeats()) {
    const ConsumerGroupId id{StreamId(heartbeat.group().stream_id()),
                             heartbeat.group().group()};
    const auto group = state.groups.find(id);
    const bool known = group != state.groups.end() &&
                       group->second.workers.contains(heartbeat.worker());
    reply.add_known(known);
    if (!known) continue;
    GroupChange& change =
        changes.try_emplace(id, GroupChange{id}).first->second;
    // Heard twice in one entry is heard once: all that counts is that it is
    // another count than before.
    Worker heard = group->second.workers.at(heartbeat.worker());
    ++heard.heartbeats;
    heard.draining = heartbeat.draining();
    change.workers[heartbeat.worker()] = std::move(heard);
    for (const v1::LeaseLoad& load : heartbeat.loads()) {
      const auto lease = group->second.leases.find(ShardIndex(load.shard()));
      if (lease == group->second.leases.end() ||
          lease->second.owner != heartbeat.worker()) {
        continue;
      }
      Lease loaded = lease->second;
      loaded.bytes_per_second = load.bytes_per_second();
      change.leases[lease->first] = std::move(loaded);
    }
  }
  GroupsDecision decision;
  decision.reply = reply.SerializeAsString();
  for (auto& [id, change] : changes) {
    decision.changes.push_back(std::move(change));
  }
  return decision;
}

GroupsDecision Remove(const GroupsState& state,
                      const v1::RemoveWorkerCommand& command) {
  absl::StatusOr<Found> found = Find(state, command.group());
  if (!found.ok()) return Refuse(found.status());
  const auto worker = found->group.workers.find(command.worker());
  if (worker == found->group.workers.end()) return {};
  if (command.has_heartbeats() &&
      command.heartbeats() != worker->second.heartbeats) {
    return {};
  }
  RemoveWorker(command.worker(), 0, state.index, &*found);
  return Decide(std::move(found->change));
}

GroupsDecision Assign(const GroupsState& state,
                      const v1::AssignLeasesCommand& command) {
  absl::StatusOr<Found> found = Find(state, command.group());
  if (!found.ok()) return Refuse(found.status());
  for (const v1::Assignment& assignment : command.assignments()) {
    const ShardIndex shard(assignment.shard());
    const Lease* const lease = FindLease(*found, shard);
    if (lease == nullptr || lease->counter != assignment.counter() ||
        lease->next_owner != assignment.next_owner() ||
        lease->checkpoint.at_end() || lease->owner == assignment.worker() ||
        !found->group.workers.contains(assignment.worker())) {
      continue;
    }
    Lease assigned = *lease;
    if (assigned.owner == 0 || assignment.forced()) {
      Give(assignment.worker(), state.index, &assigned);
    } else {
      assigned.next_owner = assignment.worker();
    }
    found->change.leases[shard] = std::move(assigned);
  }
  return Decide(std::move(found->change));
}

GroupsDecision Release(const GroupsState& state,
                       const v1::ReleaseLeasesCommand& command) {
  absl::StatusOr<Found> found = Find(state, command.group());
  if (!found.ok()) return Refuse(found.status());
  Outcomes reply;
  for (const v1::HeldLease& held : command.leases()) {
    const Lease* const lease = FindHeld(*found, command.worker(), held);
    reply.add_outcomes(lease == nullptr ? Outcomes::OUTCOME_LEASE_LOST
                                        : Outcomes::OUTCOME_DONE);
    if (lease == nullptr) continue;
    Lease released = *lease;
    Give(released.next_owner, state.index, &released);
    found->change.leases[ShardIndex(held.shard())] = std::move(released);
  }
  GroupsDecision decision = Decide(std::move(found->change));
  decision.reply = reply.SerializeAsString();
  return decision;
}

size_t PendingBytes(const Lease& lease) {
  return lease.pending.has_value() ? lease.pending->state.size() : 0;
}
size_t PendingBytes(const ConsumerGroup& group) {
  size_t bytes = 0;
  for (const auto& [shard, lease] : group.leases) bytes += PendingBytes(lease);
  return bytes;
}
bool HasPending(const v1::CheckpointCommand& command) {
  return std::any_of(
      command.checkpoints().begin(), command.checkpoints().end(),
      [](const v1::LeaseCheckpoint& one) { return one.pending(); });
}

// `pending_bytes`: of all of the group's leases, if any is to be pending.
Outcomes::Outcome CheckpointOne(const GroupsState& state, WorkerNumber worker,
                                const v1::LeaseCheckpoint& checkpoint,
                                Found* found, size_t* pending_bytes) {
  const Lease* const lease = FindHeld(*found, worker, checkpoint.lease());
  const auto position = ParsePosition(checkpoint.position());
  if (lease == nullptr) {
    // Told twice, because the first answer was lost.
    const Lease* const ended =
        FindLease(*found, ShardIndex(checkpoint.lease().shard()));
    const bool again = ended != nullptr && ended->checkpoint.at_end() &&
                       position.has_value() && position->at_end();
    return again ? Outcomes::OUTCOME_DONE : Outcomes::OUTCOME_LEASE_LOST;
  }
  if (!position.has_value() || position->IsBehind(lease->checkpoint) ||
      checkpoint.state().size() > kPendingStateBytesMax) {
    return Outcomes::OUTCOME_BEHIND;
  }
  const ShardIndex shard(checkpoint.lease().shard());
  const auto stream = LivingStream(state.catalog, found->change.id.stream);
  const Shard* const row =
      stream == nullptr ? nullptr : stream->FindShard(shard);
  if (position->at_end() && row != nullptr && !row->end.has_value()) {
    return Outcomes::OUTCOME_NOT_CLOSED;
  }
  Lease moved = *lease;
  if (checkpoint.pending()) {
    const size_t all =
        *pending_bytes - PendingBytes(*lease) + checkpoint.state().size();
    if (all > kPendingStatesBytesMax) return Outcomes::OUTCOME_NO_ROOM;
    *pending_bytes = all;
    moved.pending = PendingCheckpoint{*position, checkpoint.state()};
    found->change.leases[shard] = std::move(moved);
    return Outcomes::OUTCOME_DONE;
  }
  moved.checkpoint = *position;
  moved.pending.reset();
  moved.owner_switches = 0;
  if (position->at_end()) Give(0, state.index, &moved);
  found->change.leases[shard] = std::move(moved);
  if (position->at_end() && stream != nullptr) {
    MakeLeasesOfChildren(*stream, shard, state.index, found);
  }
  return Outcomes::OUTCOME_DONE;
}

GroupsDecision Checkpoint(const GroupsState& state,
                          const v1::CheckpointCommand& command) {
  absl::StatusOr<Found> found = Find(state, command.group());
  if (!found.ok()) return Refuse(found.status());
  size_t pending_bytes = HasPending(command) ? PendingBytes(found->group) : 0;
  Outcomes reply;
  for (const v1::LeaseCheckpoint& checkpoint : command.checkpoints()) {
    reply.add_outcomes(CheckpointOne(state, command.worker(), checkpoint,
                                     &*found, &pending_bytes));
  }
  GroupsDecision decision = Decide(std::move(found->change));
  decision.reply = reply.SerializeAsString();
  return decision;
}

absl::Status CheckIdle(const ConsumerGroup& group) {
  if (group.workers.empty()) return absl::OkStatus();
  return MakeError(
      ErrorReason::kResourceInUse,
      absl::StrCat("consumer group ", group.name, " has workers (",
                   group.workers.size(),
                   "); stop them first (one that was killed counts until the "
                   "lease duration is over)"));
}

GroupsDecision Reset(const GroupsState& state,
                     const v1::ResetGroupCommand& command) {
  absl::StatusOr<Found> found = Find(state, command.group());
  if (!found.ok()) return Refuse(found.status());
  if (absl::Status idle = CheckIdle(found->group); !idle.ok()) {
    return Refuse(std::move(idle));
  }
  const absl::StatusOr<LeasePosition> from = ParseStart(command.from());
  if (!from.ok()) return Refuse(from.status());
  const auto stream = LivingStream(state.catalog, found->change.id.stream);
  if (stream == nullptr) {
    return Refuse(MakeError(ErrorReason::kResourceNotFound,
                            "the consumer group's stream is being deleted"));
  }
  // Made anew, so that children begin where the group now does.
  found->change.made.emplace();
  found->change.made->name = found->group.name;
  found->change.made->settings = found->group.settings;
  found->change.made->settings.from = *from;
  MakeFirstLeases(*stream, *from, state.index, &found->change);
  return Decide(std::move(found->change));
}

GroupsDecision Delete(const GroupsState& state,
                      const v1::DeleteGroupCommand& command) {
  absl::StatusOr<Found> found = Find(state, command.group());
  if (!found.ok()) return Refuse(found.status());
  if (absl::Status idle = CheckIdle(found->group); !idle.ok()) {
    return Refuse(std::move(idle));
  }
  found->change.removed = true;
  return Decide(std::move(found->change));
}

}  // namespace

std::vector<GroupChange> RemoveGroupsOf(const ConsumerGroups& groups,
                                        StreamId stream) {
  std::vector<GroupChange> changes;
  ForGroupsOf(stream, groups,
              [&](const ConsumerGroupId& id, const ConsumerGroup&) {
                changes.push_back({id, /*removed=*/true});
              });
  return changes;
}

std::vector<GroupChange> ForgetLeases(const ConsumerGroups& groups,
                                      const Stream& stream, LogIndex index) {
  std::vector<GroupChange> changes;
  ForGroupsOf(stream.id, groups,
              [&](const ConsumerGroupId& id, const ConsumerGroup& group) {
                Found found{group, {id}};
                for (const auto& [shard, lease] : group.leases) {
                  if (stream.FindShard(shard) == nullptr) {
                    found.change.leases[shard] = std::nullopt;
                  }
                }
                for (const Shard& shard : stream.shards) {
                  MakeLeaseIfDue(stream, shard, index, &found);
                }
                if (!found.change.leases.empty()) {
                  changes.push_back(std::move(found.change));
                }
              });
  return changes;
}

GroupsDecision DecideGroups(const GroupsState& state,
                            const v1::GroupCommand& command) {
  switch (command.command_case()) {
    case v1::GroupCommand::kJoinGroup:
      return Join(state, command.join_group());
    case v1::GroupCommand::kHeartbeats:
      return Hear(state, command.heartbeats());
    case v1::GroupCommand::kRemoveWorker:
      return Remove(state, command.remove_worker());
    case v1::GroupCommand::kAssign:
      return Assign(state, command.assign());
    case v1::GroupCommand::kRelease:
      return Release(state, command.release());
    case v1::GroupCommand::kCheckpoint:
      return Checkpoint(state, command.checkpoint());
    case v1::GroupCommand::kResetGroup:
      return Reset(state, command.reset_group());
    case v1::GroupCommand::kDeleteGroup:
      return Delete(state, command.delete_group());
    case v1::GroupCommand::COMMAND_NOT_SET:
      break;
  }
  return Refuse(MakeError(ErrorReason::kInvalidArgument,
                          "a consumer group command that is not known"));
}

}  // namespace trireme
