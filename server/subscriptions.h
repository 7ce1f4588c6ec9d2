// Subscriptions makes and counts a node's subscriptions, and ends them all
// when the node stops. No thread stands behind a subscription: what wakes it
// runs it.
//
// Owned by a Node; thread-safe; nothing survives a crash.
#ifndef TRIREME_SERVER_SUBSCRIPTIONS_H_
#define TRIREME_SERVER_SUBSCRIPTIONS_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/subscription.h"

namespace trireme {

class Subscriptions {
 public:
  Subscriptions(const SubscriptionContext& context, size_t count_max)
      : context_(context), count_max_(count_max) {}

  // A subscription that waits for its Begin. Overloaded when there are too
  // many, Unavailable once stopping.
  absl::StatusOr<std::shared_ptr<Subscription>> Add(SubscriptionSink* sink);

  // Ends every subscription with Unavailable: their clients subscribe again,
  // at another node. No new one is made.
  void Stop();

  size_t count() const;

 private:
  // Drops those that are gone; their number bounds the vector.
  void Prune() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Set at construction.
  const SubscriptionContext context_;
  const size_t count_max_;

  mutable absl::Mutex mu_;
  std::vector<std::weak_ptr<Subscription>> all_ ABSL_GUARDED_BY(mu_);
  size_t prune_at_ ABSL_GUARDED_BY(mu_) = 64;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_SUBSCRIPTIONS_H_
