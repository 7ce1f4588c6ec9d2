// Which worker of a consumer group is to have which lease
// (docs/decisions/0010): a pure function.
#ifndef TRIREME_SERVER_LEASE_PLAN_H_
#define TRIREME_SERVER_LEASE_PLAN_H_

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "storage/consumer_group.h"
#include "storage/ids.h"

namespace trireme {

struct PlannedLease {
  ShardIndex shard;
  uint64_t counter = 0;  // The lease's, on which this was planned.
  WorkerNumber worker = 0;
  bool forced = false;          // Its owner is not waited for.
  WorkerNumber next_owner = 0;  // The lease's, on which this was planned.

  friend bool operator==(const PlannedLease&, const PlannedLease&) = default;
};

// What is to change, by shard; nothing when all is well. A worker's load is its
// share of the group's leases plus its share of the bytes that are read of
// them. Leases that nobody has go to the workers with the least load; then
// leases move from the busiest worker to the idlest, as long as the two differ
// by a tenth of the mean load or more and that brings them closer. So what is
// balanced stays as it is. What a draining worker has counts as nobody's.
// `hand_off_is_over`: the owner had its time to release the lease.
std::vector<PlannedLease> PlanLeases(
    const ConsumerGroup& group,
    absl::FunctionRef<bool(ShardIndex)> hand_off_is_over);

}  // namespace trireme

#endif  // TRIREME_SERVER_LEASE_PLAN_H_
