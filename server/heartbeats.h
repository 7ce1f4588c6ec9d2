// Heartbeats gathers the heartbeats of consumer groups' workers that reach this
// node, of all groups, for 50 ms, proposes them to the meta group as one
// command, and answers them together, from what this node has applied by then
// (docs/decisions/0010): a thousand workers cost twenty entries and twenty
// walks over the leases a second, not hundreds.
//
// Owned by the Broker; thread-safe. Its timer must be stopped, and Replicas
// answer no more, before it goes.
#ifndef TRIREME_SERVER_HEARTBEATS_H_
#define TRIREME_SERVER_HEARTBEATS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/consumer_group_api.h"
#include "server/router.h"
#include "server/timers.h"
#include "storage/clock.h"
#include "storage/lease_table.h"

namespace trireme {

class Heartbeats {
 public:
  // All pointers must outlive this.
  Heartbeats(const LeaseTable* leases, Router* router, Replicas* replicas,
             Timers* timers, Clock* clock)
      : leases_(leases),
        router_(router),
        replicas_(replicas),
        timers_(timers),
        clock_(clock) {}

  // `done` gets the worker's leases. Errors: kWorkerExpired, kWorkerReplaced;
  // of the proposal, whose time is that of the one who waits longest.
  void Send(const HeartbeatRequest& request, absl::Duration timeout,
            Done<WorkerLeases> done);

 private:
  // A heartbeat that waits for its answer.
  struct Waiting {
    WorkerHandle worker;
    std::string worker_id;
    bool draining = false;
    bool known = false;  // Once it is applied.
    // The leases it says it has: their counters.
    absl::flat_hash_map<ShardIndex, uint64_t> named;
    absl::flat_hash_map<ShardIndex, uint64_t> bytes_per_second;
    Done<WorkerLeases> done;
  };
  struct Batch {
    std::vector<Waiting> heartbeats;
    size_t loads = 0;
    absl::Duration deadline;  // Monotonic.
  };
  using BatchPtr = std::shared_ptr<Batch>;

  void ProposeWaiting();
  void Propose(Batch batch);
  void OnApplied(const BatchPtr& batch, const ProposalOutcome& outcome);
  void Answer(Batch* batch);
  static absl::Status WhyUnknown(const ConsumerGroups& groups,
                                 const Waiting& heartbeat);

  // Set at construction.
  const LeaseTable* const leases_;
  Router* const router_;
  Replicas* const replicas_;
  Timers* const timers_;
  Clock* const clock_;

  absl::Mutex mu_;
  Batch waiting_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HEARTBEATS_H_
