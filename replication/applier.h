// Applier is the node's apply thread: it feeds committed entries to the
// ReplicatedState in order, tells the observer, answers the proposers and
// releases read barriers whose index is applied.
//
// Owned by a Node. Submit is called by the loop thread, RunOnce by the applier
// thread (or the simulator). Nothing of it survives a crash: what was not
// applied durably is replayed from the segment log.
#ifndef TRIREME_REPLICATION_APPLIER_H_
#define TRIREME_REPLICATION_APPLIER_H_

#include <atomic>
#include <cstdint>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
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
};
struct EntryWaiter {
  std::vector<ProposalPart> parts;  // One a PutBatch; empty for commands.
  ProposalDone done;
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
// The group's state was pulled from a peer; the observer hears of it.
struct ApplyReplacement {
  GroupId group;
};
using ApplyWork = std::variant<ApplyEntry, ApplyCallback, ApplyReplacement>;

class Applier {
 public:
  // `observer` may be null. `on_fatal` is called with the first error of the
  // state, after which nothing more is applied: the node must stop (design.md
  // D12).
  Applier(ReplicatedState* state, AppliedObserver* observer,
          absl::AnyInvocable<void(absl::Status)> on_fatal);

  void Submit(std::vector<ApplyWork> work);
  // Payload bytes submitted and not yet applied.
  uint64_t queued_bytes() const { return queued_bytes_.load(); }

  // Blocks until there is work or Stop was called; false: stopped.
  bool WaitForWork();
  bool HasWork() const;
  // Does all work there is; false when there was none.
  bool RunOnce();
  void Stop();

 private:
  void Run(ApplyEntry& work);

  // Set at construction.
  ReplicatedState* const state_;
  AppliedObserver* const observer_;
  // Owned by the applier thread.
  absl::AnyInvocable<void(absl::Status)> on_fatal_;
  bool failed_ = false;

  std::atomic<uint64_t> queued_bytes_{0};
  mutable absl::Mutex mu_;
  std::vector<ApplyWork> queue_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_APPLIER_H_
