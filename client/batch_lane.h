// Records of a shard that are handled strictly in order, as batches: all of the
// shard's, or with a parallelization factor those of some partition keys. Says
// what is to be done next and is told how that went; does nothing itself, so
// that it needs neither threads nor clocks.
//
// A batch is worked off from its front. What is left of it is a row of pieces,
// one unless bisected, each with attempts of its own; the first of them is
// under way.
//
// Owned by ShardBatches, which guards it with its lock. While work is under way
// records may be added, but nothing else be asked for.
#ifndef TRIREME_CLIENT_BATCH_LANE_H_
#define TRIREME_CLIENT_BATCH_LANE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/backoff.h"
#include "client/batch_function.h"
#include "client/batch_options.h"
#include "client/failure_destination.h"
#include "client/record_processor.h"
#include "client/tumbling_window.h"
#include "client/user_record.h"

namespace trireme::client {

class BatchLane {
 public:
  // Nothing; a batch to call the function with; one to give up. The latter two
  // are valid until OnResult or OnDiscarded.
  using Work = std::variant<std::monostate, Batch, DiscardedBatch>;
  // Numbers of records (Add) that are finished, in order.
  using Finished = std::vector<uint64_t>;

  // Both must outlive it.
  BatchLane(const BatchOptions& options, const ShardLease& lease);

  // The next of its records; came at `now`.
  void Add(uint64_t number, UserRecord record, absl::Time now);
  // Nothing of the shard is behind what was added: a window may end by time.
  void SetCaughtUp(bool caught_up) { caught_up_ = caught_up; }
  // Nothing will be added any more: batches wait for no more records, and the
  // window ends.
  void Flush() { flushing_ = true; }

  Work Next(absl::Time now);
  // The outcome of what Next gave, at `now`.
  Finished OnResult(BatchResult result, absl::Time now);
  Finished OnDiscarded(const absl::Status& sent, absl::Time now);

  // When Next may have something after it had nothing; may be past.
  absl::Time due_at() const;
  // Nothing is left to be done.
  bool idle() const;
  // A tumbling window was begun: what is finished may not be checkpointed yet.
  bool in_window() const { return window_.has_value() && window_->touched(); }
  // Not finished.
  size_t records() const {
    return queue_.size() + (batch_.size() - batch_done_);
  }
  uint64_t bytes() const { return queued_bytes_ + batch_bytes_; }

 private:
  struct Queued {
    uint64_t number;
    UserRecord record;
    absl::Time came_at;
  };
  // Of batch_, from the end of the piece before it on.
  struct Piece {
    size_t end;
    int failures = 0;     // Those that count.
    int invocations = 0;  // With the batches that it was a part of.
  };
  struct Discard {
    size_t end;  // Of batch_, from batch_done_ on.
    DiscardReason reason;
    std::string request_id;
  };
  struct Failure {
    size_t from;                        // In batch_.
    std::optional<absl::Status> error;  // None: it was reported by record.
  };
  // Of the queue's front.
  struct Front {
    size_t records = 0;
    bool full = false;
    bool window_over = false;  // What follows is another window's.
  };

  bool HasWork(absl::Time now);
  Front FrontOfQueue() const;
  void TakeFront(size_t records);
  Batch MakeBatch() const;
  DiscardedBatch MakeDiscarded(absl::Time now) const;
  void DiscardTooOld(absl::Time now);
  void StartDiscard(size_t end, DiscardReason reason);
  std::optional<Failure> FailureOf(const BatchResult& result) const;
  Finished OnFinalResult(const BatchResult& result, absl::Time now);
  void OnFailure(bool progress, absl::Time now);
  bool Bisect(bool progress);
  Finished FinishTo(size_t end);
  void RetryAfterPause(absl::Time now) { retry_at_ = now + backoff_.Next(); }
  void OnProgress();

  // Set at construction.
  const BatchOptions& options_;
  const ShardLease& lease_;

  std::deque<Queued> queue_;
  uint64_t queued_bytes_ = 0;
  bool caught_up_ = false;
  bool flushing_ = false;

  // Being worked on.
  std::vector<UserRecord> batch_;
  std::vector<uint64_t> numbers_;  // Of batch_.
  uint64_t batch_bytes_ = 0;
  size_t batch_done_ = 0;
  std::vector<Piece> pieces_;  // The last of them comes first in the batch.
  std::optional<Discard> discard_;
  std::optional<absl::Status> last_error_;

  std::optional<TumblingWindow> window_;
  bool final_due_ = false;  // The window's, or for a state that is too large.
  int final_invocations_ = 0;

  bool under_way_ = false;
  absl::Time retry_at_ = absl::InfinitePast();
  Backoff backoff_;
  absl::BitGen random_;
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_BATCH_LANE_H_
