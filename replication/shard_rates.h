// ShardRates is how fast the shards that a node leads take records. A group's
// leader asks it for every put, its own or a peer's, before the put is
// proposed: so the rate is the shard's in the whole cluster
// (docs/decisions/0008).
//
// Owned by the GroupLoop; loop thread only. Nothing survives a crash, or a
// change of the leader: every bucket is full then.
#ifndef TRIREME_REPLICATION_SHARD_RATES_H_
#define TRIREME_REPLICATION_SHARD_RATES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "replication/proposal.h"
#include "storage/ids.h"
#include "storage/token_bucket.h"

namespace trireme {

struct PutLimits {
  Rate records;
  Rate bytes;  // Of data and partition keys.
  // Whether they hold for a stream; nothing: it is not known here yet, and they
  // do for now. Called on the loop thread.
  std::function<std::optional<bool>(StreamId)> hold_for;
};

// What is left of a proposal some of whose records are refused.
struct PutCut {
  std::shared_ptr<ProposalBody> body;  // Without batches that lost all.
  std::vector<uint32_t> kept;          // Of each batch of the whole proposal,
  std::vector<uint32_t> refused;       // the records at its end.
  absl::Duration wait;                 // Until some of these may pass.

  // The outcome of the whole proposal by that of `body`.
  ProposalOutcome Complete(ProposalOutcome outcome) const;
};

// ProvisionedThroughputExceeded; the proposer names the shard.
absl::Status RateExceeded(absl::Duration wait);

class ShardRates {
 public:
  explicit ShardRates(PutLimits limits) : limits_(std::move(limits)) {}

  // Takes from the front of each batch what its shard may have now; what is
  // behind the first record refused is refused too, so that no record overtakes
  // another of its shard. Nothing: all of it passes.
  std::optional<PutCut> Take(const ProposalBody& body, absl::Duration now);

  size_t size() const { return shards_.size(); }

 private:
  struct ShardRate {
    std::optional<bool> limited = std::nullopt;  // Not known yet.
    TokenBucket records;
    TokenBucket bytes;
  };
  struct Taken {
    uint32_t records = 0;
    size_t batch_bytes = 0;  // Of these in the batch.
    absl::Duration wait;     // Of the first that was not taken.
  };

  Taken TakeFrom(const PutBatch& put, absl::Duration now);
  absl::Duration WaitFor(const ShardRate& shard, uint32_t records,
                         uint64_t bytes, absl::Duration now) const;
  void MaybePrune(absl::Duration now);

  const PutLimits limits_;  // Set at construction.
  absl::flat_hash_map<ShardKey, ShardRate> shards_;
  size_t prune_at_ = 1024;
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_SHARD_RATES_H_
