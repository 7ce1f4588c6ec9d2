// SubscribeOperations is SubscribeToShard before its first event: whose stream
// and position is meant, and, for a registered consumer, whether the shard may
// be its own (kinesis-contract.md §2.8, docs/decisions/0007).
//
// Owned by the Broker; thread-safe.
#ifndef TRIREME_SERVER_SUBSCRIBE_OPERATIONS_H_
#define TRIREME_SERVER_SUBSCRIBE_OPERATIONS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/api.h"
#include "server/claim_requests.h"
#include "server/consumer_names.h"
#include "server/rate_limits.h"
#include "server/read_operations.h"
#include "server/router.h"
#include "server/shard_claims.h"
#include "server/subscription.h"
#include "server/subscriptions.h"
#include "storage/clock.h"

namespace trireme {

class SubscribeOperations {
 public:
  // All pointers must outlive this.
  SubscribeOperations(Router* router, ReadOperations* reads,
                      Subscriptions* subscriptions, ShardClaims* claims,
                      Replicas* replicas, const RateLimits* rates,
                      Clock* clock)
      : router_(router),
        reads_(reads),
        subscriptions_(subscriptions),
        requests_(claims, replicas, clock),
        claims_(claims),
        rates_(rates),
        clock_(clock) {}

  // As Broker::SubscribeToShard.
  absl::StatusOr<std::shared_ptr<Subscription>> Subscribe(
      const SubscribeToShardRequest& request, absl::Duration timeout,
      SubscriptionSink* sink);

 private:
  // A request on its way; outlives its call, which may be gone any time.
  struct Call;
  using CallPtr = std::shared_ptr<Call>;

  void FindConsumer(CallPtr call);
  void FindPosition(CallPtr call);
  void EnterOfConsumer(CallPtr call, ShardPosition position);
  void Claim(CallPtr call, ShardPosition position);
  absl::Duration TimeLeft(const Call& call) const;

  // Set at construction.
  Router* const router_;
  ReadOperations* const reads_;
  Subscriptions* const subscriptions_;
  ClaimRequests requests_;
  ShardClaims* const claims_;
  const RateLimits* const rates_;
  Clock* const clock_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_SUBSCRIBE_OPERATIONS_H_
