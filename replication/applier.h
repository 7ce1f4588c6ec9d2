// Applier is the node's apply thread: it feeds committed entries to the
// ReplicatedState in order, tells the observer, answers the proposers and
// releases read barriers whose index is applied.
//
// Owned by a Node. Submit and OnTick are called by the loop thread, RunOnce
// by the applier thread (or the simulator). Nothing of it survives a crash:
// what was not applied durably is replayed from the segment log.
#ifndef TRIREME_REPLICATION_APPLIER_H_
#define TRIREME_REPLICATION_APPLIER_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "replication/proposal.h"
#include "storage/replicated_state.h"

namespace trireme {

// Follows what is applied on this node, e.g. to wake subscribers. Applier
// thread; must not block.
class AppliedObserver {
 public:
  virtual ~AppliedObserver() = default;
  virtual void OnApplied(const CommittedEntry& entry,
                         const ApplyResult& result) = 0;
  // The group's state was replaced by a pulled one: re-read what you cached.
  virtual void OnStateReplaced(GroupId group) = 0;
};

// One proposer of an entry: which of its shard batches are whose.
struct ProposalPart {
  uint32_t batch = 0;     // Ordinal of the shard batch in the entry.
  uint32_t position = 0;  // Of the part's first record in it.
  uint32_t record_count = 0;
};
struct EntryWaiter {
  // Does nothing when he was answered before.
  void Answer(ProposalOutcome outcome);

  std::vector<ProposalPart> parts;  // One a PutBatch; empty for commands.
  ProposalDone done;
  absl::Duration deadline = absl::InfiniteDuration();  // Monotonic.
};

// One unit of the applier's work.
struct ApplyEntry {
  CommittedEntry entry;
  int64_t stamp_ms = 0;  // Of the payload.
  std::vector<EntryWaiter> waiters;
};
// Runs when everything submitted before it is applied.
struct ApplyCallback {
  absl::AnyInvocable<void()> run;
};
// A read that waits for everything of its group submitted before it.
struct ApplyBarrier {
  GroupId group;
  BarrierDone done;
  absl::Duration deadline = absl::InfiniteDuration();  // Monotonic.
};
// The group's state was pulled from a peer; the observer hears of it.
struct ApplyReplacement {
  GroupId group;
};
using ApplyWork =
    std::variant<ApplyEntry, ApplyCallback, ApplyBarrier, ApplyReplacement>;

class Applier {
 public:
  // `observer` may be null. `on_fatal` is called with the first error of the
  // state, after which nothing more is applied: the node must stop (design.md
  // D12). A full disk (kDiskFull) is none: the entry is kept and applied once
  // OnTick finds space.
  Applier(ReplicatedState* state, AppliedObserver* observer,
          absl::AnyInvocable<void(absl::Status)> on_fatal);

  void Submit(std::vector<ApplyWork> work);
  // Payload bytes submitted and not yet applied.
  uint64_t queued_bytes() const { return queued_bytes_.load(); }
  // True from the moment an entry found no space until it is applied.
  bool waits_for_space() const { return waits_for_space_.load(); }
  // The entry that found no space, if any, is tried again. Whoever waits behind
  // it beyond his deadline is told so.
  void OnTick(absl::Duration now);

  // Blocks until there is work or Stop was called; false: stopped.
  bool WaitForWork();
  bool HasWork() const;
  // Does all work there is, up to an entry that finds no space; false when
  // nothing was done.
  bool RunOnce();
  void Stop();

 private:
  // False: the disk is full and `work` is as it was.
  bool Run(ApplyEntry& work);
  struct Late {
    std::vector<EntryWaiter> proposers;
    std::vector<ApplyBarrier> readers;
  };
  // Takes from `unit` whoever has waited until `now`.
  static void TakeLate(absl::Duration now, ApplyWork& unit, Late* late);
  // What is left of `work` goes back to the front of the queue.
  void Stall(std::deque<ApplyWork> work) ABSL_LOCKS_EXCLUDED(mu_);
  // Out of a stalled queue, the readers behind nothing of their own group: all
  // of it is applied, and the observer knows.
  std::vector<ApplyBarrier> TakeFreeReaders()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Set at construction.
  ReplicatedState* const state_;
  AppliedObserver* const observer_;
  // Owned by the applier thread.
  absl::AnyInvocable<void(absl::Status)> on_fatal_;
  bool failed_ = false;

  std::atomic<uint64_t> queued_bytes_{0};
  std::atomic<bool> waits_for_space_{false};
  mutable absl::Mutex mu_;
  std::deque<ApplyWork> queue_ ABSL_GUARDED_BY(mu_);
  // The first entry found no space; nothing is done before OnTick.
  bool stalled_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_APPLIER_H_
