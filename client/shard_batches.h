// The record processor that works on a shard's records as batches
// (client/batch_processor.h).
//
// Threads. Without a parallelization factor everything runs in Process, on the
// shard's thread. With one there are as many lanes, each with a thread that
// calls its function; a partition key always has the same lane, and Process
// only hands records to them. In both cases nothing waits for a retry: Process
// takes what is given until the room for unfinished records is used up, and
// refuses records after that when nothing is under way. So it returns soon
// whatever fails.
//
// Room: what the lanes' next batches need, and one more batch of the
// consumer's; and kPositionsMax records between the checkpoint and the newest
// one. A key that fails for long so comes to hold up the whole shard.
#ifndef TRIREME_CLIENT_SHARD_BATCHES_H_
#define TRIREME_CLIENT_SHARD_BATCHES_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/batch_function.h"
#include "client/batch_lane.h"
#include "client/batch_options.h"
#include "client/done_positions.h"
#include "client/event_filter.h"
#include "client/record_processor.h"

namespace trireme::client {

class ShardBatches : public RecordProcessor {
 public:
  static constexpr size_t kPositionsMax = 100'000;
  // While batches follow each other; the last of them is checkpointed at once.
  static constexpr absl::Duration kCheckpointPeriod = absl::Seconds(1);

  ShardBatches(BatchOptions options, EventFilter filter, ShardLease lease,
               const BatchFunctionFactory& functions);
  ~ShardBatches() override;

  absl::Status Process(const RecordBatch& batch,
                       Checkpointer& checkpointer) override;
  absl::Time NextWakeUp() const override;
  // Records wait here, fail and are tried again.
  bool checkpoints_itself() const override { return true; }
  absl::Status OnShardEnd(Checkpointer& checkpointer) override;
  // Waits for calls of the function that are under way.
  void OnHandOff(Checkpointer& checkpointer) override;
  void OnLeaseLost() override;

 private:
  bool parallel() const { return lanes_.size() > 1; }
  bool Ending() const;
  absl::Time Now() const { return options_.now(); }

  // Does one thing that is due on the lane; false when nothing is.
  bool Work(size_t lane);
  void Call(size_t lane, const Batch& batch);
  void Discard(size_t lane, const DiscardedBatch& batch);
  void NoteFinished(const BatchLane::Finished& finished)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Everything that is due, on the caller's thread.
  void WorkAll();

  // The lane's thread.
  void RunLane(size_t lane);
  void AwaitWork(size_t lane, uint64_t changes_seen);
  void StopLanes();

  using Condition = bool (ShardBatches::*)() const;
  // Does, or lets the lanes do, what is due. False: `condition` does not hold
  // and will not before something else comes, such as a retry's time.
  bool WorkUntil(Condition condition);
  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Work is under way, or will be without anything being waited for.
  bool Moves(absl::Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Idle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Take(const RecordBatch& batch);
  size_t LaneOf(const UserRecord& record) const;
  void NoteChange() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void NoteDone() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  void MaybeCheckpoint();
  absl::Time CheckpointDueAt(absl::Time now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Set at construction.
  const BatchOptions options_;
  const EventFilter filter_;
  const ShardLease lease_;
  std::vector<std::unique_ptr<BatchFunction>> functions_;  // By lane.

  // The consumer's, from the first call on.
  std::atomic<Checkpointer*> checkpointer_ = nullptr;
  // A checkpoint was refused because the lease is another worker's.
  std::atomic<bool> lost_ = false;

  mutable absl::Mutex mu_;
  absl::CondVar changed_;
  uint64_t changes_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::unique_ptr<BatchLane>> lanes_;  // What they hold: mu_.
  size_t under_way_ ABSL_GUARDED_BY(mu_) = 0;      // Lanes.
  DonePositions positions_ ABSL_GUARDED_BY(mu_);
  // What may be checkpointed: done, and not in a tumbling window.
  std::optional<RecordPosition> done_ ABSL_GUARDED_BY(mu_);
  std::optional<RecordPosition> checkpointed_ ABSL_GUARDED_BY(mu_);
  bool checkpointing_ ABSL_GUARDED_BY(mu_) = false;
  // Not before it, unless nothing moves.
  absl::Time checkpoint_at_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
  // The last one failed: not before it.
  absl::Time checkpoint_again_at_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();

  std::vector<std::thread> threads_;  // By lane, if parallel.
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_SHARD_BATCHES_H_
