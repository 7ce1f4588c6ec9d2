// CapacityOperations changes who says how many shards a stream has, what it is
// to be ready for, and who says where records go (kinesis-contract.md §1.4,
// §2.9). The first two are answered when the change is under way: the stream is
// UPDATING, and StreamLifecycle drives it on.
//
// Owned by the Broker; thread-safe.
#ifndef TRIREME_SERVER_CAPACITY_OPERATIONS_H_
#define TRIREME_SERVER_CAPACITY_OPERATIONS_H_

#include <cstdint>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/api.h"
#include "server/rate_limits.h"
#include "server/router.h"
#include "server/settings_api.h"
#include "server/stream_changes.h"
#include "server/validation.h"
#include "storage/clock.h"

namespace trireme {

// The shape of a warm throughput, and whether the account may have any.
void CheckWarmThroughput(std::optional<int32_t> mibps, Violations* violations);
absl::Status CheckCommitment(const Catalog& catalog, absl::Time now);
// ValidationException for a stream that is on demand (or is not), where only
// the other kind will do.
absl::Status CheckMode(const Stream& stream, StreamMode mode,
                       const Account& account);

class CapacityOperations {
 public:
  using StatusDone = absl::AnyInvocable<void(absl::Status)>;

  // All pointers must outlive this.
  CapacityOperations(Router* router, Replicas* replicas,
                     const RateLimits* rates, Clock* clock)
      : router_(router),
        rates_(rates),
        clock_(clock),
        changes_(router, replicas, clock) {}

  void UpdateStreamMode(const UpdateStreamModeRequest& request,
                        absl::Duration timeout, StatusDone done);
  void UpdateWarmThroughput(const UpdateWarmThroughputRequest& request,
                            absl::Duration timeout,
                            Done<UpdateWarmThroughputResponse> done);
  void UpdateRecordDistribution(const UpdateRecordDistributionRequest& request,
                                absl::Duration timeout, StatusDone done);

 private:
  absl::StatusOr<v1::Command> PlanMode(const Stream& stream, StreamMode mode,
                                       std::optional<int32_t> warm) const;
  absl::StatusOr<v1::Command> PlanWarm(const Stream& stream,
                                       int32_t warm) const;

  // Set at construction.
  Router* const router_;
  const RateLimits* const rates_;
  Clock* const clock_;

  StreamChanges changes_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_CAPACITY_OPERATIONS_H_
