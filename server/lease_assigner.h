// LeaseAssigner keeps the leases of all consumer groups assigned, on the meta
// group's leader (docs/decisions/0010): it expires workers whose heartbeats
// stopped, shares out leases (lease_plan.h) and forces hand-offs that take too
// long. Time is this node's monotonic clock, from when it saw something or
// became the leader; what comes of it goes through the log, on the condition
// that nothing changed meanwhile.
//
// What it watches is lost with its leadership. Owned by a LifecycleDriver; must
// outlive the callbacks of Replicas.
#ifndef TRIREME_SERVER_LEASE_ASSIGNER_H_
#define TRIREME_SERVER_LEASE_ASSIGNER_H_

#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/timers.h"
#include "storage/clock.h"
#include "storage/lease_table.h"

namespace trireme {

namespace v1 {
class Command;
}

class LeaseAssigner {
 public:
  // All pointers must outlive this.
  LeaseAssigner(const LeaseTable* leases, Replicas* replicas, Timers* timers,
                Clock* clock)
      : leases_(leases), replicas_(replicas), timers_(timers), clock_(clock) {}

  // Begins to look, now and periodically.
  void Start();
  // Looks once and begins what is due. Called by the timer.
  void RunOnce();

 private:
  // Something that is expected to change, and since when it is as it is.
  struct Seen {
    uint64_t value = 0;
    absl::Duration since;
  };
  struct Watch {
    absl::flat_hash_map<WorkerNumber, Seen> heartbeats;
    absl::flat_hash_map<ShardIndex, Seen> hand_offs;  // To whom.
    absl::Duration plan_at;
  };

  // Workers that were not heard for the lease time.
  static std::vector<WorkerNumber> Silent(const Watch& watch,
                                          const ConsumerGroup& group,
                                          absl::Duration now);
  void Tick();
  void Look(const ConsumerGroupId& id, const ConsumerGroup& group,
            absl::Duration now);
  // True when one was.
  bool ExpireWorkers(const ConsumerGroupId& id, const ConsumerGroup& group,
                     const Watch& watch, absl::Duration now);
  void Assign(const ConsumerGroupId& id, const ConsumerGroup& group,
              const Watch& watch, absl::Duration now);
  void Propose(const ConsumerGroupId& id, const v1::Command& command);

  // Set at construction.
  const LeaseTable* const leases_;
  Replicas* const replicas_;
  Timers* const timers_;
  Clock* const clock_;

  // Owned by the timer's thread.
  absl::btree_map<ConsumerGroupId, Watch> watches_;

  absl::Mutex mu_;
  // Groups of which commands are under way, and how many.
  absl::btree_map<ConsumerGroupId, int> under_way_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme

#endif  // TRIREME_SERVER_LEASE_ASSIGNER_H_
