#include "server/heartbeats.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/strings/str_cat.h"
#include "storage/errors.h"
#include "storage/stream_name.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

constexpr absl::Duration kGatherFor = absl::Milliseconds(50);
// Of one command; the next begin another.
constexpr size_t kHeartbeatsMax = 1'000;

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

void Heartbeats::Send(const WorkerHandle& worker,
                      const std::vector<LeaseRef>& leases,
                      absl::Duration timeout, Done<WorkerLeases> done) {
  Waiting heartbeat{worker, {}, {}, std::move(done)};
  for (const LeaseRef& lease : leases) {
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
    waiting_.heartbeats.push_back(std::move(heartbeat));
    waiting_.deadline = std::max(waiting_.deadline, deadline);
    if (waiting_.heartbeats.size() >= kHeartbeatsMax) {
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
    heartbeat.mutable_group()->set_stream_id(
        waiting.worker.group.stream.value());
    heartbeat.mutable_group()->set_group(waiting.worker.group.number);
    heartbeat.set_worker(waiting.worker.worker);
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
  std::vector<Waiting> known;
  for (size_t i = 0; i < all.size(); ++i) {
    if (reply.known(static_cast<int>(i))) {
      known.push_back(std::move(all[i]));
      continue;
    }
    all[i].done(MakeError(
        ErrorReason::kWorkerExpired,
        absl::StrCat("the consumer group has no worker number ",
                     all[i].worker.worker,
                     " any more: it was not heard for the lease time, left, or "
                     "another one joined by its id")));
  }
  if (known.empty()) return;
  all = std::move(known);
  router_->Refresh(batch->deadline - clock_->MonotonicNow(),
                   [this, batch](const absl::Status& fresh) {
                     if (fresh.ok()) return Answer(batch.get());
                     for (Waiting& waiting : batch->heartbeats) {
                       waiting.done(fresh);
                     }
                   });
}

void Heartbeats::Answer(Batch* batch) {
  std::vector<WorkerLeases> answers(batch->heartbeats.size());
  using Workers = absl::flat_hash_map<WorkerNumber, std::vector<size_t>>;
  absl::btree_map<ConsumerGroupId, Workers> by_group;
  for (size_t i = 0; i < answers.size(); ++i) {
    const WorkerHandle& worker = batch->heartbeats[i].worker;
    by_group[worker.group][worker.worker].push_back(i);
    answers[i].stream = router_->catalog().Find(worker.group.stream);
  }
  leases_->Read([&](const ConsumerGroups& groups) {
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
          const auto named = batch->heartbeats[i].named.find(index);
          const bool is_named = named != batch->heartbeats[i].named.end() &&
                                named->second == lease.counter;
          answer.leases.push_back(Tell(*shard, lease, is_named));
          answer.named.push_back(is_named);
        }
      }
    }
  });
  for (size_t i = 0; i < answers.size(); ++i) {
    batch->heartbeats[i].done(std::move(answers[i]));
  }
}

}  // namespace trireme
