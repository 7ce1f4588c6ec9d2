#include "server/consumer_group_operations.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/limits.h"
#include "server/read_checks.h"
#include "server/validation.h"
#include "storage/errors.h"
#include "storage/group_commands.h"
#include "storage/group_rows.h"
#include "storage/sequence_number.h"
#include "storage/status_macros.h"
#include "storage/stream_name.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

constexpr PositionNames kCheckpointNames = {"Checkpoint", "checkpoint.kind",
                                            "checkpoint.sequenceNumber",
                                            "SequenceNumber"};

ConsumerGroupSummary SummaryOf(const ConsumerGroup& group) {
  ConsumerGroupSummary summary;
  summary.name = group.name;
  summary.worker_count = group.workers.size();
  for (const auto& [shard, lease] : group.leases) {
    if (lease.checkpoint.at_end()) continue;
    ++summary.lease_count;
    summary.free_lease_count += lease.owner == 0;
  }
  return summary;
}

absl::Status CheckCount(absl::string_view member, size_t count) {
  Violations violations;
  violations.CheckRange(member, static_cast<int64_t>(count), 1,
                        static_cast<int64_t>(kLeasesPerCallMax));
  return violations.ToStatus();
}

// Where a group is to begin. Unspecified: with the oldest record.
absl::StatusOr<LeasePosition> StartOf(const StartingPosition& from,
                                      absl::Time now) {
  switch (from.type) {
    case ShardIteratorType::kUnspecified:
    case ShardIteratorType::kTrimHorizon:
      return LeasePosition{};
    case ShardIteratorType::kLatest:
      return LeasePosition{LeasePositionKind::kLatest};
    case ShardIteratorType::kAtTimestamp:
      RETURN_IF_ERROR(CheckTimestamp(from, now));
      return LeasePosition{LeasePositionKind::kAtTimestamp,
                           absl::ToUnixMillis(*from.timestamp)};
    default:
      return MakeError(
          ErrorReason::kInvalidArgument,
          absl::StrCat("A consumer group begins at TRIM_HORIZON, LATEST or "
                       "AT_TIMESTAMP, not ",
                       ShardIteratorTypeName(from.type), "."));
  }
}

absl::StatusOr<LeasePosition> PositionOf(const CheckpointPosition& position,
                                         const Stream& stream,
                                         const Shard& shard,
                                         const Account& account) {
  if (position.at_end) return LeasePosition{LeasePositionKind::kShardEnd};
  const StartingPosition named{ShardIteratorType::kAtSequenceNumber,
                               position.sequence_number, std::nullopt};
  ASSIGN_OR_RETURN(
      const Counter counter,
      PositionOfNumber(named, stream, shard, account, kCheckpointNames));
  ASSIGN_OR_RETURN(const SequenceNumber number,
                   SequenceNumber::Parse(position.sequence_number));
  return LeasePosition{LeasePositionKind::kSequenceNumber, 0, counter,
                       position.sub_sequence, number.record_s};
}

absl::Status ResultOf(v1::LeaseOutcomes::Outcome outcome,
                      absl::string_view shard_id) {
  switch (outcome) {
    case v1::LeaseOutcomes::OUTCOME_DONE:
      return absl::OkStatus();
    case v1::LeaseOutcomes::OUTCOME_BEHIND:
      return MakeError(ErrorReason::kInvalidArgument,
                       absl::StrCat("The checkpoint of ", shard_id,
                                    " lies before the one there is."));
    case v1::LeaseOutcomes::OUTCOME_NOT_CLOSED:
      return MakeError(
          ErrorReason::kInvalidArgument,
          absl::StrCat(shard_id, " is open: it has not come to its end."));
    case v1::LeaseOutcomes::OUTCOME_NO_ROOM:
      return MakeError(ErrorReason::kLimitExceeded,
                       absl::StrCat("With the pending state of ", shard_id,
                                    " those of the group would be more than ",
                                    kPendingStatesBytesMax, " bytes."));
    default:
      return MakeError(ErrorReason::kLeaseLost,
                       absl::StrCat("The worker does not have the lease of ",
                                    shard_id, " by that counter."));
  }
}

// A shard of the stream by its id; null when it left it.
absl::StatusOr<const Shard*> LivingShard(const Stream& stream,
                                         absl::string_view shard_id,
                                         const Account& account) {
  absl::StatusOr<const Shard*> shard = FindShard(stream, shard_id, account);
  if (ReasonOf(shard.status()) == ErrorReason::kResourceNotFound) {
    return nullptr;
  }
  return shard;
}

}  // namespace

// Which of a call's leases its command is about, and what became of the others.
struct ConsumerGroupOperations::Selection {
  std::vector<absl::Status> results;
  std::vector<size_t> asked;  // Places in `results`.
  std::vector<std::string> shard_ids;

  void Ask(absl::string_view shard_id) {
    asked.push_back(results.size());
    results.push_back(absl::OkStatus());
    shard_ids.push_back(std::string(shard_id));
  }
  // The shard is none of the stream's any more.
  void Lose(absl::string_view shard_id) {
    results.push_back(
        ResultOf(v1::LeaseOutcomes::OUTCOME_LEASE_LOST, shard_id));
    shard_ids.push_back(std::string(shard_id));
  }
  absl::StatusOr<std::vector<absl::Status>> With(
      const absl::StatusOr<std::string>& reply) && {
    RETURN_IF_ERROR(reply.status());
    v1::LeaseOutcomes outcomes;
    if (!outcomes.ParseFromString(*reply) ||
        outcomes.outcomes_size() != static_cast<int>(asked.size())) {
      return absl::DataLossError("the reply about leases is malformed");
    }
    for (size_t i = 0; i < asked.size(); ++i) {
      const size_t place = asked[i];
      results[place] =
          ResultOf(outcomes.outcomes(static_cast<int>(i)), shard_ids[place]);
    }
    return std::move(results);
  }
};

struct ConsumerGroupOperations::PlannedCheckpoints {
  v1::GroupCommand command;
  Selection selection;
};

void ConsumerGroupOperations::Join(const JoinGroupRequest& request,
                                   absl::Duration timeout,
                                   Done<JoinedGroup> done) {
  Violations violations;
  CheckResourceName("groupName", request.group_name, &violations);
  violations.CheckLength("workerId", request.worker_id,
                         request.worker_id.size(), 1, kWorkerNameBytesMax);
  if (!violations.empty()) return done(violations.ToStatus());
  const absl::StatusOr<LeasePosition> from =
      StartOf(request.from, clock_->WallNow());
  if (!from.ok()) return done(from.status());
  const absl::StatusOr<StreamRef> ref =
      ResolveStream(request.stream, router_->account());
  if (!ref.ok()) return done(ref.status());

  v1::GroupCommand command;
  v1::JoinGroupCommand& join = *command.mutable_join_group();
  join.set_group_name(std::string(request.group_name));
  join.set_worker_name(std::string(request.worker_id));
  ConsumerGroupSettings settings;
  if (request.lease_ms != 0) settings.lease_ms = request.lease_ms;
  settings.hand_off_ms = request.hand_off_ms.value_or(settings.hand_off_ms);
  settings.from = *from;
  EncodeSettings(settings, join.mutable_settings());
  join.set_groups_max(kConsumerGroupsMax);
  join.set_workers_max(kGroupWorkersMax);
  join.set_existing_only(request.existing_only);

  const absl::Duration deadline = clock_->MonotonicNow() + timeout;
  router_->FindFresh(
      *ref, timeout,
      [this, deadline, command = std::move(command),
       done = std::move(done)](absl::StatusOr<StreamPtr> found) mutable {
        if (!found.ok()) return done(found.status());
        const Stream& stream = **found;
        if (stream.status == StreamStatus::kCreating ||
            stream.status == StreamStatus::kDeleting) {
          return done(StreamNotActive(stream.name,
                                      StreamStatusName(stream.status),
                                      router_->account()));
        }
        const StreamId id = stream.id;
        command.mutable_join_group()->set_stream_id(id.value());
        Propose(std::move(command), deadline - clock_->MonotonicNow(),
                [id, done = std::move(done)](
                    const absl::StatusOr<std::string>& reply) mutable {
                  if (!reply.ok()) return done(reply.status());
                  v1::JoinGroupReply joined;
                  std::optional<ConsumerGroupSettings> settings;
                  if (joined.ParseFromString(*reply)) {
                    settings = ParseSettings(joined.settings());
                  }
                  if (!settings.has_value()) {
                    return done(absl::DataLossError(
                        "the reply to a worker's joining is malformed"));
                  }
                  done(JoinedGroup{{{id, joined.group()}, joined.worker()},
                                   *settings});
                });
      });
}

void ConsumerGroupOperations::Heartbeat(const HeartbeatRequest& request,
                                        absl::Duration timeout,
                                        Done<WorkerLeases> done) {
  if (request.leases.size() > kLeasesPerHeartbeatMax) {
    return done(MakeError(
        ErrorReason::kInvalidArgument,
        absl::StrCat("The heartbeat names ", request.leases.size(),
                     " leases; the limit is ", kLeasesPerHeartbeatMax, ".")));
  }
  heartbeats_.Send(request, timeout, std::move(done));
}

void ConsumerGroupOperations::Checkpoint(
    const WorkerHandle& worker, const std::vector<ShardCheckpoint>& checkpoints,
    absl::Duration timeout, Done<Results> done) {
  absl::Status checked = CheckCount("checkpoints", checkpoints.size());
  if (!checked.ok()) return done(std::move(checked));
  absl::StatusOr<PlannedCheckpoints> planned =
      PlanCheckpoints(worker, checkpoints);
  if (!planned.ok()) return done(planned.status());
  const absl::Duration deadline = clock_->MonotonicNow() + timeout;
  if (planned->selection.asked.size() == checkpoints.size()) {
    return Send(*std::move(planned), timeout, std::move(done));
  }
  // Shards that are not known here: this replica may lag.
  router_->Refresh(timeout,
                   [this, worker, checkpoints, deadline,
                    done = std::move(done)](absl::Status fresh) mutable {
                     if (!fresh.ok()) return done(std::move(fresh));
                     absl::StatusOr<PlannedCheckpoints> planned =
                         PlanCheckpoints(worker, checkpoints);
                     if (!planned.ok()) return done(planned.status());
                     Send(*std::move(planned),
                          deadline - clock_->MonotonicNow(), std::move(done));
                   });
}

absl::StatusOr<ConsumerGroupOperations::PlannedCheckpoints>
ConsumerGroupOperations::PlanCheckpoints(
    const WorkerHandle& worker,
    const std::vector<ShardCheckpoint>& checkpoints) const {
  const StreamPtr stream = router_->catalog().Find(worker.group.stream);
  PlannedCheckpoints planned;
  v1::CheckpointCommand& command = *planned.command.mutable_checkpoint();
  *command.mutable_group() = RefTo(worker.group);
  command.set_worker(worker.worker);
  for (const ShardCheckpoint& one : checkpoints) {
    if (one.pending_state.size() > kPendingStateBytesMax) {
      return MakeError(
          ErrorReason::kInvalidArgument,
          absl::StrCat("The pending state of ", one.lease.shard_id, " has ",
                       one.pending_state.size(), " bytes; the limit is ",
                       kPendingStateBytesMax, "."));
    }
    const Shard* shard = nullptr;
    if (stream != nullptr) {
      ASSIGN_OR_RETURN(
          shard, LivingShard(*stream, one.lease.shard_id, router_->account()));
    }
    if (shard == nullptr) {
      planned.selection.Lose(one.lease.shard_id);
      continue;
    }
    ASSIGN_OR_RETURN(
        const LeasePosition position,
        PositionOf(one.position, *stream, *shard, router_->account()));
    v1::LeaseCheckpoint& message = *command.add_checkpoints();
    message.mutable_lease()->set_shard(shard->index.value());
    message.mutable_lease()->set_counter(one.lease.counter);
    EncodePosition(position, message.mutable_position());
    message.set_pending(one.pending);
    message.set_state(std::string(one.pending_state));
    planned.selection.Ask(one.lease.shard_id);
  }
  return planned;
}

void ConsumerGroupOperations::Send(PlannedCheckpoints planned,
                                   absl::Duration timeout, Done<Results> done) {
  if (planned.selection.asked.empty()) {
    return done(std::move(planned.selection.results));
  }
  Propose(std::move(planned.command), timeout,
          [selection = std::move(planned.selection), done = std::move(done)](
              const absl::StatusOr<std::string>& reply) mutable {
            done(std::move(selection).With(reply));
          });
}

void ConsumerGroupOperations::Release(const WorkerHandle& worker,
                                      const std::vector<LeaseRef>& leases,
                                      absl::Duration timeout,
                                      Done<Results> done) {
  absl::Status checked = CheckCount("leases", leases.size());
  if (!checked.ok()) return done(std::move(checked));
  v1::GroupCommand command;
  *command.mutable_release()->mutable_group() = RefTo(worker.group);
  command.mutable_release()->set_worker(worker.worker);
  Selection selection;
  for (const LeaseRef& lease : leases) {
    const absl::StatusOr<ShardIndex> shard = ParseShardId(lease.shard_id);
    if (!shard.ok()) return done(shard.status());
    v1::HeldLease& held = *command.mutable_release()->add_leases();
    held.set_shard(shard->value());
    held.set_counter(lease.counter);
    selection.Ask(lease.shard_id);
  }
  Propose(std::move(command), timeout,
          [selection = std::move(selection), done = std::move(done)](
              const absl::StatusOr<std::string>& reply) mutable {
            done(std::move(selection).With(reply));
          });
}

void ConsumerGroupOperations::Leave(const WorkerHandle& worker,
                                    absl::Duration timeout, StatusDone done) {
  v1::GroupCommand command;
  *command.mutable_remove_worker()->mutable_group() = RefTo(worker.group);
  command.mutable_remove_worker()->set_worker(worker.worker);
  Propose(std::move(command), timeout,
          [done = std::move(done)](
              const absl::StatusOr<std::string>& reply) mutable {
            done(reply.status());
          });
}

void ConsumerGroupOperations::Assign(
    const ConsumerGroupAddress& address,
    const std::vector<LeaseAssignment>& assignments, absl::Duration timeout,
    StatusDone done) {
  absl::Status checked = CheckCount("assignments", assignments.size());
  if (!checked.ok()) return done(std::move(checked));
  Change(
      address, timeout,
      [this,
       assignments](const Found& found) -> absl::StatusOr<v1::GroupCommand> {
        v1::GroupCommand command;
        *command.mutable_assign()->mutable_group() = RefTo(found.id);
        for (const LeaseAssignment& one : assignments) {
          ASSIGN_OR_RETURN(
              const Shard* const shard,
              FindShard(*found.stream, one.shard_id, router_->account()));
          const auto lease = found.group.leases.find(shard->index);
          if (lease == found.group.leases.end() ||
              lease->second.checkpoint.at_end()) {
            return MakeError(
                ErrorReason::kInvalidArgument,
                absl::StrCat("Consumer group ", found.group.name,
                             " has no lease of ", one.shard_id,
                             ": it waits for its parents, or is read to its "
                             "end."));
          }
          const auto worker =
              std::find_if(found.group.workers.begin(),
                           found.group.workers.end(), [&one](const auto& row) {
                             return row.second.name == one.worker_id;
                           });
          if (worker == found.group.workers.end()) {
            return MakeError(
                ErrorReason::kResourceNotFound,
                absl::StrCat("Consumer group ", found.group.name,
                             " has no worker ", one.worker_id, "."));
          }
          v1::Assignment& assignment =
              *command.mutable_assign()->add_assignments();
          assignment.set_shard(shard->index.value());
          assignment.set_counter(lease->second.counter);
          assignment.set_next_owner(lease->second.next_owner);
          assignment.set_worker(worker->first);
        }
        return command;
      },
      std::move(done));
}

void ConsumerGroupOperations::List(
    const StreamAddress& stream, absl::Duration timeout,
    Done<std::vector<ConsumerGroupSummary>> done) {
  const absl::StatusOr<StreamRef> ref =
      ResolveStream(stream, router_->account());
  if (!ref.ok()) return done(ref.status());
  router_->FindFresh(
      *ref, timeout,
      [this, done = std::move(done)](absl::StatusOr<StreamPtr> found) mutable {
        if (!found.ok()) return done(found.status());
        std::vector<ConsumerGroupSummary> summaries;
        leases_->Read([&](const ConsumerGroups& groups) {
          ForGroupsOf(
              (*found)->id, groups,
              [&summaries](const ConsumerGroupId&, const ConsumerGroup& group) {
                summaries.push_back(SummaryOf(group));
              });
        });
        std::sort(summaries.begin(), summaries.end(),
                  [](const auto& a, const auto& b) { return a.name < b.name; });
        done(std::move(summaries));
      });
}

void ConsumerGroupOperations::Reset(const ConsumerGroupAddress& address,
                                    const StartingPosition& from,
                                    absl::Duration timeout, StatusDone done) {
  const absl::StatusOr<LeasePosition> start = StartOf(from, clock_->WallNow());
  if (!start.ok()) return done(start.status());
  Change(
      address, timeout,
      [start = *start](const Found& found) {
        v1::GroupCommand command;
        *command.mutable_reset_group()->mutable_group() = RefTo(found.id);
        EncodePosition(start, command.mutable_reset_group()->mutable_from());
        return command;
      },
      std::move(done));
}

void ConsumerGroupOperations::Delete(const ConsumerGroupAddress& address,
                                     absl::Duration timeout, StatusDone done) {
  Change(
      address, timeout,
      [](const Found& found) {
        v1::GroupCommand command;
        *command.mutable_delete_group()->mutable_group() = RefTo(found.id);
        return command;
      },
      std::move(done));
}

void ConsumerGroupOperations::Find(const ConsumerGroupAddress& address,
                                   absl::Duration timeout, Done<Found> done) {
  Violations violations;
  CheckResourceName("groupName", address.name, &violations);
  if (!violations.empty()) return done(violations.ToStatus());
  const absl::StatusOr<StreamRef> ref =
      ResolveStream(address.stream, router_->account());
  if (!ref.ok()) return done(ref.status());
  router_->FindFresh(
      *ref, timeout,
      [this, name = std::string(address.name),
       done = std::move(done)](absl::StatusOr<StreamPtr> stream) mutable {
        if (!stream.ok()) return done(stream.status());
        Found found;
        found.stream = *std::move(stream);
        bool is_there = false;
        leases_->Read([&](const ConsumerGroups& groups) {
          const auto* const row = FindGroup(groups, found.stream->id, name);
          is_there = row != nullptr;
          if (!is_there) return;
          found.id = row->first;
          found.group = row->second.WithoutPending();
        });
        if (is_there) return done(std::move(found));
        done(ConsumerGroupNotFound(name, found.stream->name,
                                   router_->account()));
      });
}

void ConsumerGroupOperations::Change(
    const ConsumerGroupAddress& address, absl::Duration timeout,
    absl::AnyInvocable<absl::StatusOr<v1::GroupCommand>(const Found&)> plan,
    StatusDone done) {
  const absl::Duration deadline = clock_->MonotonicNow() + timeout;
  Find(address, timeout,
       [this, deadline, plan = std::move(plan),
        done = std::move(done)](absl::StatusOr<Found> found) mutable {
         if (!found.ok()) return done(found.status());
         absl::StatusOr<v1::GroupCommand> command = plan(*found);
         if (!command.ok()) return done(command.status());
         Propose(
             *std::move(command), deadline - clock_->MonotonicNow(),
             [this, found = *std::move(found), done = std::move(done)](
                 const absl::StatusOr<std::string>& reply) mutable {
               // It was there a moment ago.
               if (ReasonOf(reply.status()) == ErrorReason::kResourceNotFound) {
                 return done(ConsumerGroupNotFound(
                     found.group.name, found.stream->name, router_->account()));
               }
               done(reply.status());
             });
       });
}

void ConsumerGroupOperations::Propose(v1::GroupCommand command,
                                      absl::Duration timeout, Replied done) {
  v1::Command wrapped;
  *wrapped.mutable_consumer_groups() = std::move(command);
  replicas_->Propose(ProposalOfCommand(
      kMetaGroup, wrapped.SerializeAsString(), timeout,
      [done = std::move(done)](ProposalOutcome outcome) mutable {
        if (!outcome.status.ok()) return done(std::move(outcome.status));
        done(std::move(outcome.reply));
      }));
}

}  // namespace trireme
