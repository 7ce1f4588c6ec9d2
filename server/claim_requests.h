// ClaimRequests asks for shards on behalf of subscriptions of registered
// consumers (docs/decisions/0007): proposes claims to the group of the shard.
// While one proposal to a group is under way, further claims wait for the next
// and ride on it together, so that many subscriptions cost few entries.
//
// Owned by the Broker; thread-safe.
#ifndef TRIREME_SERVER_CLAIM_REQUESTS_H_
#define TRIREME_SERVER_CLAIM_REQUESTS_H_

#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "replication/proposal.h"
#include "replication/replicas.h"
#include "server/shard_claims.h"
#include "storage/clock.h"

namespace trireme {

class ClaimRequests {
 public:
  // All pointers must outlive this.
  ClaimRequests(ShardClaims* claims, Replicas* replicas, Clock* clock)
      : claims_(claims), replicas_(replicas), clock_(clock) {}

  // A number for a subscription, to be claimed with.
  uint64_t NewSubscription();

  // Proposes a claim that was added to the ShardClaims. It is decided when the
  // time of all that were waiting for the group before it is up, too: granted,
  // refused (ResourceInUse) or given up.
  void Claim(const WantedShard& wanted, absl::Duration timeout);

 private:
  struct Asked {
    ClaimKey key;
    uint64_t subscription = 0;
    absl::Duration deadline;  // Monotonic.
  };
  using Batch = std::vector<Asked>;
  // Of one group.
  struct Queue {
    bool in_flight = false;
    Batch waiting;
  };

  void Propose(GroupId group, Batch batch);
  void OnOutcome(GroupId group, Batch batch, const ProposalOutcome& outcome);
  // The entry is applied somewhere: once it is here, it is decided.
  void AwaitHere(GroupId group, const Batch& batch);

  // Set at construction.
  ShardClaims* const claims_;
  Replicas* const replicas_;
  Clock* const clock_;

  absl::Mutex mu_;
  absl::flat_hash_map<GroupId, Queue> queues_ ABSL_GUARDED_BY(mu_);
  absl::BitGen random_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme

#endif  // TRIREME_SERVER_CLAIM_REQUESTS_H_
