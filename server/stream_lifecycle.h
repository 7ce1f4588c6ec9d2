// StreamLifecycle drives streams through their states on the meta group's
// leader: CREATING -> its shards opened in their groups -> ACTIVE, and
// DELETING -> its shards dropped -> gone.
//
// It keeps no state that matters: every step is idempotent, and a new leader
// finds in its catalogue what is left to do. Owned by a Node; must outlive the
// callbacks of Replicas.
#ifndef TRIREME_SERVER_STREAM_LIFECYCLE_H_
#define TRIREME_SERVER_STREAM_LIFECYCLE_H_

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "replication/applier.h"
#include "replication/replicas.h"
#include "server/timers.h"
#include "storage/catalog.h"
#include "storage/clock.h"
#include "storage/ids.h"

namespace trireme {

class StreamLifecycle : public AppliedObserver {
 public:
  // All pointers must outlive this.
  StreamLifecycle(const Catalog* catalog, Replicas* replicas, Timers* timers,
                  Clock* clock)
      : catalog_(catalog),
        replicas_(replicas),
        timers_(timers),
        clock_(clock) {}

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
    size_t replies_due = 0;
    bool failed = false;      // In this round.
    int failures = 0;         // Rounds in a row.
    absl::Duration retry_at;  // Monotonic.
  };
  using StreamPtr = std::shared_ptr<const Stream>;

  void RunSoon();
  void Tick();
  std::vector<StreamPtr> TakeDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void DriveShards(const StreamPtr& stream);
  void OnShards(const StreamPtr& stream, const absl::Status& status);
  void FinishStream(const StreamPtr& stream);
  void EndRound(StreamId stream, bool ok);
  void Propose(GroupId group, std::string command,
               absl::AnyInvocable<void(const absl::Status&)> done);

  // Set at construction.
  const Catalog* const catalog_;
  Replicas* const replicas_;
  Timers* const timers_;
  Clock* const clock_;

  absl::Mutex mu_;
  absl::flat_hash_map<StreamId, Drive> drives_ ABSL_GUARDED_BY(mu_);
  bool changed_ ABSL_GUARDED_BY(mu_) = true;  // Since the last scan.
  bool soon_ ABSL_GUARDED_BY(mu_) = false;    // A run is scheduled for now.
  bool led_ ABSL_GUARDED_BY(mu_) = false;     // At the last run.
};

}  // namespace trireme

#endif  // TRIREME_SERVER_STREAM_LIFECYCLE_H_
