// RateLimits holds calls to the rates of the limits profile
// (kinesis-contract.md §2.4, §2.8, §2.10). It asks the leader that counts: of a
// shard's group for what concerns the shard, of the meta group for the rest;
// so a rate holds for the cluster, whichever node is called
// (docs/decisions/0008). Puts are not asked for: their leader counts them
// anyway.
//
// A leader that cannot be asked soon limits nobody: the call goes on, and meets
// the outage itself if it needs the leader.
//
// Owned by the Broker; thread-safe.
#ifndef TRIREME_SERVER_RATE_LIMITS_H_
#define TRIREME_SERVER_RATE_LIMITS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/limits_profile.h"
#include "server/resource_names.h"
#include "storage/catalog.h"
#include "storage/token_bucket.h"

namespace trireme {

// Those with a rate of their own beside the shards'.
enum class Operation {
  kAddTagsToStream,
  kCreateStream,
  kDecreaseStreamRetentionPeriod,
  kDeleteStream,
  kDeregisterStreamConsumer,
  kDescribeAccountSettings,
  kDescribeLimits,
  kDescribeStream,
  kDescribeStreamConsumer,
  kDescribeStreamSummary,
  kDisableEnhancedMonitoring,
  kEnableEnhancedMonitoring,
  kIncreaseStreamRetentionPeriod,
  kListShards,
  kListStreamConsumers,
  kListStreams,
  kListTagsForStream,
  kMergeShards,
  kRegisterStreamConsumer,
  kRemoveTagsFromStream,
  kSplitShard,
  kUpdateAccountSettings,
  kUpdateShardCount,
  kUpdateStreamWarmThroughput,
};

// A shard's puts beyond its rate, in the service's words.
absl::Status ShardPutsExceeded(const Shard& shard,
                               absl::string_view stream_name,
                               const Account& account,
                               std::optional<absl::Duration> retry_after);

class RateLimits {
 public:
  // OK: the call may go on. Called on this thread, or a thread of the node.
  using Answered = absl::AnyInvocable<void(absl::Status)>;

  // All pointers must outlive this.
  RateLimits(const LimitsOptions& options, const Account& account,
             Replicas* replicas)
      : options_(options),
        limit_any_(options.LimitAny()),
        account_(account),
        replicas_(replicas) {}

  bool limit_any() const { return limit_any_; }

  // LimitExceeded beyond the operation's rate. `stream_name` may be empty; what
  // is counted a stream concerns one that has a name.
  void Enter(Operation operation, absl::string_view stream_name,
             absl::Duration timeout, Answered answered) const;

  // ProvisionedThroughputExceeded beyond a shard's calls, or while more was
  // read of it than it gives.
  void EnterGetRecords(const Stream& stream, const Shard& shard,
                       absl::Duration timeout, Answered answered) const;
  // What GetRecords answered with.
  void CountRead(const Stream& stream, const Shard& shard,
                 uint64_t bytes) const;
  void EnterGetShardIterator(const Stream& stream, const Shard& shard,
                             absl::Duration timeout, Answered answered) const;
  // LimitExceeded beyond the calls of a registered consumer to a shard.
  void EnterSubscribe(const Stream& stream, const Shard& shard,
                      absl::string_view consumer, absl::Duration timeout,
                      Answered answered) const;

  // How often a stream may be changed so in 24 hours; 0: as often as one likes.
  uint32_t DailyMax(const Stream& stream, DailyChange change) const;

  // How fast a subscription is pushed to. A consumer has one at a time for each
  // shard, so its rate is the consumer's. Nothing: as fast as it takes it.
  std::optional<Rate> PushRate(const Stream& stream) const;

 private:
  void Ask(GroupId group, std::vector<RateCharge> charges, absl::Status refusal,
           absl::Duration timeout, Answered answered) const;

  // Set at construction.
  const LimitsOptions options_;
  const bool limit_any_;
  const Account account_;
  Replicas* const replicas_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_RATE_LIMITS_H_
