#include "server/claim_requests.h"

#include <algorithm>
#include <utility>

#include "server/limits.h"
#include "storage/errors.h"
#include "trireme/v1/command.pb.h"

namespace trireme {

uint64_t ClaimRequests::NewSubscription() {
  absl::MutexLock lock(&mu_);
  return absl::Uniform<uint64_t>(random_);
}

void ClaimRequests::Claim(const WantedShard& wanted, absl::Duration timeout) {
  const Asked asked{wanted.key, wanted.subscription,
                    clock_->MonotonicNow() + timeout};
  {
    absl::MutexLock lock(&mu_);
    Queue& queue = queues_[wanted.group];
    if (std::exchange(queue.in_flight, true)) {
      queue.waiting.push_back(asked);
      return;
    }
  }
  Propose(wanted.group, {asked});
}

void ClaimRequests::Propose(GroupId group, Batch batch) {
  v1::Command command;
  v1::ClaimShardsCommand& claims = *command.mutable_claim_shards();
  claims.set_held_ms(absl::ToInt64Milliseconds(kSubscriptionHeld));
  absl::Duration deadline;
  for (const Asked& asked : batch) {
    v1::ShardClaim& claim = *claims.add_claims();
    claim.set_stream_id(asked.key.shard.stream.value());
    claim.set_shard(asked.key.shard.shard.value());
    claim.set_consumer(asked.key.consumer);
    claim.set_subscription(asked.subscription);
    deadline = std::max(deadline, asked.deadline);
  }
  replicas_->Propose(ProposalOfCommand(
      group, command.SerializeAsString(), deadline - clock_->MonotonicNow(),
      [this, group,
       batch = std::move(batch)](const ProposalOutcome& outcome) mutable {
        OnOutcome(group, std::move(batch), outcome);
      }));
}

void ClaimRequests::OnOutcome(GroupId group, Batch batch,
                              const ProposalOutcome& outcome) {
  Batch next;
  if (outcome.status.ok()) {
    AwaitHere(group, batch);
  } else {
    // Whether it was granted is not known: asked again it is, if it was.
    const bool unknown =
        ReasonOf(outcome.status) == ErrorReason::kOutcomeUnknown;
    const absl::Duration now = clock_->MonotonicNow();
    for (Asked& asked : batch) {
      if (!claims_->IsOpen(asked.key, asked.subscription)) continue;
      if (unknown && asked.deadline > now) {
        next.push_back(asked);
      } else {
        claims_->GiveUp(asked.key, asked.subscription, outcome.status);
      }
    }
  }
  {
    absl::MutexLock lock(&mu_);
    Queue& queue = queues_[group];
    next.insert(next.end(), queue.waiting.begin(), queue.waiting.end());
    queue.waiting.clear();
    if (next.empty()) {
      queues_.erase(group);
      return;
    }
  }
  Propose(group, std::move(next));
}

void ClaimRequests::AwaitHere(GroupId group, const Batch& batch) {
  Batch open;
  absl::Duration deadline;
  for (const Asked& asked : batch) {
    if (!claims_->IsOpen(asked.key, asked.subscription)) continue;
    open.push_back(asked);
    deadline = std::max(deadline, asked.deadline);
  }
  if (open.empty()) return;
  replicas_->ReadBarrier(
      {group, deadline - clock_->MonotonicNow(),
       [this, open = std::move(open)](absl::Status status) {
         // Who was told of what is applied here has decided it by now.
         if (status.ok()) {
           status = absl::UnavailableError(
               "this node did not see the subscription being granted; "
               "subscribe again");
         }
         for (const Asked& asked : open) {
           claims_->GiveUp(asked.key, asked.subscription, status);
         }
       }});
}

}  // namespace trireme
