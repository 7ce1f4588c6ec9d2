#include "server/heartbeats.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/strings/str_cat.h"
#include "storage/errors.h"
#include "storage/group_rows.h"
#include "storage/stream_name.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

constexpr absl::Duration kGatherFor = absl::Milliseconds(50);
// Of one command; the next begin another.
constexpr size_t kHeartbeatsMax = 1'000;
constexpr size_t kLoadsMax = 50'000;
// Of one answer; what a worker is not told now it is told with the next.
constexpr size_t kAnswerBytesMax = 8u << 20;

// As the worker is to be told: of what it knows it has, only that it has it.
FoundLease Tell(const Shard& shard, const Lease& lease, bool is_named) {
  FoundLease found{&shard, Lease{}};
  found.lease->owner = lease.owner;
  found.lease->counter = lease.counter;
  found.lease->next_owner = lease.next_owner;
  if (is_named) return found;
  found.lease->checkpoint = lease.checkpoint;
  found.lease->pending = lease.pending;
  return found;
}

}  // namespace

void Heartbeats::Send(const HeartbeatRequest& request, absl::Duration timeout,
                      Done<WorkerLeases> done) {
  Waiting heartbeat;
  heartbeat.worker = request.worker;
  heartbeat.worker_id = std::string(request.worker_id);
  heartbeat.draining = request.draining;
  heartbeat.done = std::move(done);
  for (const LeaseRef& lease : request.leases) {
    const absl::StatusOr<ShardIndex> shard = ParseShardId(lease.shard_id);
    if (!shard.ok()) return heartbeat.done(shard.status());
    heartbeat.named[*shard] = lease.counter;
    if (lease.bytes_per_second.has_value()) {
      heartbeat.bytes_per_second[*shard] = *lease.bytes_per_second;
    }
  }
  const absl::Duration deadline = clock_->MonotonicNow() + timeout;
  bool is_first = false;
  Batch full;
  {
    absl::MutexLock lock(&mu_);
    is_first = waiting_.heartbeats.empty();
    waiting_.loads += heartbeat.bytes_per_second.size();
    waiting_.heartbeats.push_back(std::move(heartbeat));
    waiting_.deadline = std::max(waiting_.deadline, deadline);
    if (waiting_.heartbeats.size() >= kHeartbeatsMax ||
        waiting_.loads >= kLoadsMax) {
      full = std::exchange(waiting_, {});
    }
  }
  if (!full.heartbeats.empty()) return Propose(std::move(full));
  if (is_first) timers_->After(kGatherFor, [this] { ProposeWaiting(); });
}

void Heartbeats::ProposeWaiting() {
  Batch batch;
  {
    absl::MutexLock lock(&mu_);
    batch = std::exchange(waiting_, {});
  }
  // None when they filled a command before.
  if (!batch.heartbeats.empty()) Propose(std::move(batch));
}

void Heartbeats::Propose(Batch batch) {
  v1::Command command;
  v1::HeartbeatsCommand& heartbeats =
      *command.mutable_consumer_groups()->mutable_heartbeats();
  for (const Waiting& waiting : batch.heartbeats) {
    v1::Heartbeat& heartbeat = *heartbeats.add_heartbeats();
    *heartbeat.mutable_group() = RefTo(waiting.worker.group);
    heartbeat.set_worker(waiting.worker.worker);
    heartbeat.set_draining(waiting.draining);
    for (const auto& [shard, bytes] : waiting.bytes_per_second) {
      v1::LeaseLoad& load = *heartbeat.add_loads();
      load.set_shard(shard.value());
      load.set_bytes_per_second(bytes);
    }
  }
  const absl::Duration left = batch.deadline - clock_->MonotonicNow();
  const auto shared = std::make_shared<Batch>(std::move(batch));
  replicas_->Propose(
      ProposalOfCommand(kMetaGroup, command.SerializeAsString(), left,
                        [this, shared](const ProposalOutcome& outcome) {
                          OnApplied(shared, outcome);
                        }));
}

void Heartbeats::OnApplied(const BatchPtr& batch,
                           const ProposalOutcome& outcome) {
  absl::Status status = outcome.status;
  v1::HeartbeatsReply reply;
  std::vector<Waiting>& all = batch->heartbeats;
  if (status.ok() && (!reply.ParseFromString(outcome.reply) ||
                      reply.known_size() != static_cast<int>(all.size()))) {
    status = absl::DataLossError("the reply to heartbeats is malformed");
  }
  if (!status.ok()) {
    for (Waiting& waiting : all) waiting.done(status);
    return;
  }
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].known = reply.known(static_cast<int>(i));
  }
  router_->Refresh(batch->deadline - clock_->MonotonicNow(),
                   [this, batch](const absl::Status& fresh) {
                     if (fresh.ok()) return Answer(batch.get());
                     for (Waiting& waiting : batch->heartbeats) {
                       waiting.done(fresh);
                     }
                   });
}

void Heartbeats::Answer(Batch* batch) {
  std::vector<Waiting>& all = batch->heartbeats;
  std::vector<WorkerLeases> answers(all.size());
  std::vector<absl::Status> errors(all.size());
  using Workers = absl::flat_hash_map<WorkerNumber, std::vector<size_t>>;
  absl::btree_map<ConsumerGroupId, Workers> by_group;
  for (size_t i = 0; i < all.size(); ++i) {
    const WorkerHandle& worker = all[i].worker;
    answers[i].stream = router_->catalog().Find(worker.group.stream);
    by_group[worker.group][worker.worker].push_back(i);
  }
  std::vector<size_t> bytes(all.size());
  leases_->Read([&](const ConsumerGroups& groups) {
    for (size_t i = 0; i < all.size(); ++i) {
      if (!all[i].known) errors[i] = WhyUnknown(groups, all[i]);
    }
    for (const auto& [id, workers] : by_group) {
      const auto group = groups.find(id);
      if (group == groups.end()) continue;
      for (const auto& [index, lease] : group->second.leases) {
        const auto owner = workers.find(lease.owner);
        if (owner == workers.end()) continue;
        for (const size_t i : owner->second) {
          WorkerLeases& answer = answers[i];
          const Shard* const shard = answer.stream == nullptr
                                         ? nullptr
                                         : answer.stream->FindShard(index);
          if (shard == nullptr) continue;  // It was forgotten just now.
          const auto named = all[i].named.find(index);
          const bool is_named =
              named != all[i].named.end() && named->second == lease.counter;
          if (!is_named && lease.pending.has_value()) {
            bytes[i] += lease.pending->state.size();
            if (bytes[i] > kAnswerBytesMax) continue;
          }
          answer.leases.push_back(Tell(*shard, lease, is_named));
          answer.named.push_back(is_named);
        }
      }
    }
  });
  for (size_t i = 0; i < all.size(); ++i) {
    if (errors[i].ok()) {
      all[i].done(std::move(answers[i]));
    } else {
      all[i].done(std::move(errors[i]));
    }
  }
}

absl::Status Heartbeats::WhyUnknown(const ConsumerGroups& groups,
                                    const Waiting& heartbeat) {
  const auto group = groups.find(heartbeat.worker.group);
  const bool replaced =
      group != groups.end() &&
      std::any_of(group->second.workers.begin(), group->second.workers.end(),
                  [&heartbeat](const auto& worker) {
                    return worker.second.name == heartbeat.worker_id;
                  });
  if (replaced) {
    return MakeError(
        ErrorReason::kWorkerReplaced,
        absl::StrCat("another worker joined consumer group ",
                     group->second.name, " as ", heartbeat.worker_id,
                     ": an id is one process's at a time"));
  }
  return MakeError(
      ErrorReason::kWorkerExpired,
      absl::StrCat("the consumer group has no worker ", heartbeat.worker_id,
                   " (number ", heartbeat.worker.worker,
                   ") any more: it was not heard for the lease time, or left, "
                   "or the group is gone"));
}

}  // namespace trireme
