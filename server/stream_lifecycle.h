// StreamLifecycle drives streams through their states on the meta group's
// leader: takes the steps that each state needs (stream_steps.h), one after
// the other, then ends the state in the meta group.
//
// It keeps no state that matters: every step is idempotent, and a new leader
// finds in its catalogue what is left to do. Owned by a Node; must outlive the
// callbacks of Replicas.
#ifndef TRIREME_SERVER_STREAM_LIFECYCLE_H_
#define TRIREME_SERVER_STREAM_LIFECYCLE_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "replication/applier.h"
#include "replication/replicas.h"
#include "server/producer_handover.h"
#include "server/timers.h"
#include "storage/catalog.h"
#include "storage/clock.h"
#include "storage/ids.h"

namespace trireme {

namespace v1 {
class Command;
}

class StreamLifecycle : public AppliedObserver {
 public:
  // All pointers must outlive this.
  StreamLifecycle(const Catalog* catalog, ReadProducers read_producers,
                  Replicas* replicas, Timers* timers, Clock* clock)
      : catalog_(catalog),
        replicas_(replicas),
        timers_(timers),
        clock_(clock),
        handover_(replicas, timers, std::move(read_producers)) {}

  // Begins to look for work, now and periodically.
  void Start();

  // AppliedObserver: the catalogue may have changed.
  void OnApplied(const CommittedEntry& entry,
                 const ApplyResult& result) override;
  void OnStateReplaced(GroupId group) override;

  // Looks for work and begins what is due. Called by the timer.
  void RunOnce();

 private:
  // The one operation in progress for a stream.
  struct Drive {
    bool in_flight = false;
    int failures = 0;         // Rounds in a row.
    absl::Duration retry_at;  // Monotonic.
  };
  using StreamPtr = std::shared_ptr<const Stream>;

  void RunSoon();
  void Tick();
  // Takes expired shards out of their streams, now and then.
  void ForgetExpiredShards();
  std::vector<StreamPtr> TakeDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // One pass over the steps of a stream.
  struct Round;
  using RoundPtr = std::shared_ptr<Round>;
  void Begin(StreamPtr stream);
  void TakeStep(const RoundPtr& round);
  void OnReply(const RoundPtr& round, const v1::Command& command,
               const ProposalOutcome& outcome);
  void HandOver(const RoundPtr& round);
  static ShardSet ParentsToHandOver(const Round& round);
  void OnHandedOver(const RoundPtr& round,
                    const ProducerHandover::Outcome& outcome);
  void Finish(const RoundPtr& round);
  void EndRound(StreamId stream, bool ok);
  void Propose(GroupId group, const v1::Command& command,
               absl::AnyInvocable<void(ProposalOutcome)> done);

  // Set at construction.
  const Catalog* const catalog_;
  Replicas* const replicas_;
  Timers* const timers_;
  Clock* const clock_;
  ProducerHandover handover_;

  absl::Duration next_forget_;  // Monotonic; timer's thread only.

  absl::Mutex mu_;
  absl::flat_hash_map<StreamId, Drive> drives_ ABSL_GUARDED_BY(mu_);
  bool changed_ ABSL_GUARDED_BY(mu_) = true;  // Since the last scan.
  bool soon_ ABSL_GUARDED_BY(mu_) = false;    // A run is scheduled for now.
  bool led_ ABSL_GUARDED_BY(mu_) = false;     // At the last run.
};

}  // namespace trireme

#endif  // TRIREME_SERVER_STREAM_LIFECYCLE_H_
