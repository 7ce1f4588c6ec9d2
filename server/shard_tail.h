// ShardTails keeps the newest records of every shard in memory, encoded once
// for all who read them, and wakes those who wait for more (design.md D7). It
// bounds its bytes over all shards by letting the oldest block go first.
//
// Owned by a Node; the applier tells it what was applied, any thread reads.
// Nothing survives a crash: after a start the tails fill as records come, and
// what is older is read from the shard logs.
#ifndef TRIREME_SERVER_SHARD_TAIL_H_
#define TRIREME_SERVER_SHARD_TAIL_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "replication/applier.h"
#include "server/record_encoding.h"
#include "server/work_pool.h"
#include "storage/catalog.h"
#include "storage/ids.h"
#include "storage/payload.h"

namespace trireme {

// The records one entry brought to one shard. First the entry's own bytes;
// from the first reader on, the encoded records alone.
class TailBlock {
 public:
  TailBlock(Counter first, uint32_t record_count, int64_t arrival_ms,
            Payload payload, absl::string_view batch)
      : first_(first),
        record_count_(record_count),
        arrival_ms_(arrival_ms),
        payload_(std::move(payload)),
        batch_(batch) {}

  Counter first() const { return first_; }
  Counter next() const { return first_ + record_count_; }
  int64_t arrival_ms() const { return arrival_ms_; }

 private:
  friend class ShardTails;

  // `*fresh` tells whether this call made the encoding.
  absl::StatusOr<EncodedBatch> Encode(const Shard& shard, bool* fresh);

  // Set at construction.
  const Counter first_;
  const uint32_t record_count_;
  const int64_t arrival_ms_;

  absl::Mutex mu_;
  Payload payload_ ABSL_GUARDED_BY(mu_);  // Holds batch_; null once encoded.
  absl::string_view batch_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<const std::string> encoded_ ABSL_GUARDED_BY(mu_);

  // Guarded by the mutex of ShardTails. 0: not held any more.
  uint64_t charged_bytes_ = 0;
};

// Waits for a shard to have something new. OnTail is called once for each time
// it was registered, on a thread of the wake pool: new records, the shard's
// end, or its deletion.
class TailWaiter {
 public:
  virtual ~TailWaiter() = default;
  virtual void OnTail() = 0;
};

class ShardTails : public AppliedObserver {
 public:
  // `wake_pool` must outlive this.
  ShardTails(uint64_t bytes_max, WorkPool* wake_pool)
      : bytes_max_(bytes_max), wake_pool_(wake_pool) {}

  // AppliedObserver
  void OnApplied(const CommittedEntry& entry,
                 const ApplyResult& result) override;
  void OnStateReplaced(GroupId group) override;

  enum class Place {
    kHeld,     // `blocks` begin at or before the position.
    kTip,      // Nothing is at or beyond the position yet.
    kBefore,   // The position is older than what is held.
    kUnknown,  // Nothing was applied to the shard since the start.
  };
  struct Found {
    Place place = Place::kUnknown;
    std::vector<std::shared_ptr<TailBlock>> blocks;
    Counter tip = 0;        // One beyond the newest record; not kUnknown.
    int64_t newest_ms = 0;  // Its arrival; not kUnknown.
  };
  // Blocks from the position on, as many as `bytes_max` of them take, at most
  // `blocks_max`.
  Found Find(ShardKey shard, Counter from, size_t bytes_max,
             size_t blocks_max) const;

  // The block's records as clients get them; made at the first call.
  absl::StatusOr<EncodedBatch> Encode(TailBlock& block, const Shard& shard);

  // Registers `waiter`; false, without registering, when the tail already has
  // something at or beyond `from`. After true, look at the shard's state once
  // more: what was applied before the tail knew the shard wakes nobody.
  bool Wait(ShardKey shard, Counter from, std::shared_ptr<TailWaiter> waiter);
  void StopWaiting(ShardKey shard, const TailWaiter* waiter);

  uint64_t held_bytes() const;

 private:
  struct Tail {
    GroupId group;
    bool known = false;     // `held_from` and `tip` mean something.
    Counter held_from = 0;  // All records from here to `tip` are in `blocks`.
    Counter tip = 0;
    int64_t newest_ms = 0;
    std::deque<std::shared_ptr<TailBlock>> blocks;
    std::vector<std::shared_ptr<TailWaiter>> waiters;
  };
  struct Aged {
    ShardKey shard;
    std::shared_ptr<TailBlock> block;
  };
  using Waiters = std::vector<std::shared_ptr<TailWaiter>>;

  void OnCommand(const CommittedEntry& entry, const ApplyResult& result);
  void Add(ShardKey shard, GroupId group, std::shared_ptr<TailBlock> block,
           size_t bytes, Waiters* woken) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Forgets what is held of a shard, and takes its waiters.
  void Forget(ShardKey shard, Waiters* woken)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Takes the oldest blocks beyond the bound, to be destroyed unlocked.
  std::vector<Aged> TakeExcess() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Wake(Waiters waiters);

  // Set at construction.
  const uint64_t bytes_max_;
  WorkPool* const wake_pool_;

  mutable absl::Mutex mu_;
  absl::flat_hash_map<ShardKey, Tail> tails_ ABSL_GUARDED_BY(mu_);
  std::deque<Aged> by_age_ ABSL_GUARDED_BY(mu_);  // Oldest first.
  uint64_t held_bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_SHARD_TAIL_H_
