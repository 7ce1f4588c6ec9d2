// ShardClaims knows which subscriptions of this node have claimed a shard for
// a registered consumer, and follows the log: a claim that is granted lets its
// subscription begin, and ends the one before it, on whichever node that is
// (docs/decisions/0007). It also ends those of consumers that are deregistered.
//
// Owned by a FrontEnd; the applier tells it what was applied. Thread-safe.
// Nothing survives a crash: subscriptions end with their node.
#ifndef TRIREME_SERVER_SHARD_CLAIMS_H_
#define TRIREME_SERVER_SHARD_CLAIMS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "replication/applier.h"
#include "server/subscription.h"
#include "server/work_pool.h"
#include "storage/claims.h"
#include "storage/ids.h"

namespace trireme {

// A shard that a subscription is to have for a consumer.
struct WantedShard {
  ClaimKey key;
  GroupId group;              // Of the shard.
  uint64_t subscription = 0;  // A number that no other one has.
  std::string what;  // "consumer c, shard s in stream n", for messages.
};

class ShardClaims : public AppliedObserver {
 public:
  // Called once, off the applier's thread: OK from when on the shard is the
  // subscription's.
  using Decided = absl::AnyInvocable<void(absl::Status)>;

  // `pool` must outlive this.
  explicit ShardClaims(WorkPool* pool) : pool_(pool) {}

  // Before the claim is proposed. From here on a deregistration is seen; one
  // that came before is in the catalogue.
  void Add(const WantedShard& wanted, std::weak_ptr<Subscription> subscription,
           Decided decided);
  // False once it is decided, also when this did it.
  bool IsOpen(const ClaimKey& key, uint64_t subscription) const;
  // Decides what has not been decided: the claim will not be granted.
  void GiveUp(const ClaimKey& key, uint64_t subscription, absl::Status why);

  size_t count() const;

  // AppliedObserver
  void OnApplied(const CommittedEntry& entry,
                 const ApplyResult& result) override;
  void OnStateReplaced(GroupId group) override;

 private:
  struct Held {
    WantedShard wanted;
    std::weak_ptr<Subscription> subscription;
    Decided decided;  // Null once granted.
  };
  // Of one key: one that is granted at most, and those that wait.
  using All = absl::btree_multimap<ClaimKey, Held>;
  // What to do without the lock.
  using Jobs = std::vector<WorkPool::Job>;

  void OnCommand(const v1::Command& command, const ApplyResult& result,
                 Jobs* jobs) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnClaim(const ClaimKey& key, uint64_t subscription,
               int64_t refused_for_ms, Jobs* jobs)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Ends, or refuses, all that `is_over` is true for.
  void End(absl::FunctionRef<bool(const Held&)> is_over,
           absl::FunctionRef<absl::Status(const Held&)> why, Jobs* jobs)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  static WorkPool::Job EndOf(Held held, absl::Status why);
  All::iterator Find(const ClaimKey& key, uint64_t subscription)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Prune() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Schedule(Jobs jobs);

  // Set at construction.
  WorkPool* const pool_;

  mutable absl::Mutex mu_;
  All all_ ABSL_GUARDED_BY(mu_);
  size_t prune_at_ ABSL_GUARDED_BY(mu_) = 64;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_SHARD_CLAIMS_H_
