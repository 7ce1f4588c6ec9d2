// ReshardOperations is the part of the control plane that changes which shards
// a stream has (kinesis-contract.md §1.7, §2.6). An operation is answered when
// the reshard is under way: the stream is UPDATING, and StreamLifecycle drives
// it on (docs/decisions/0005).
//
// Owned by the Broker; thread-safe.
#ifndef TRIREME_SERVER_RESHARD_OPERATIONS_H_
#define TRIREME_SERVER_RESHARD_OPERATIONS_H_

#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/api.h"
#include "server/rate_limits.h"
#include "server/router.h"
#include "server/stream_changes.h"
#include "storage/clock.h"

namespace trireme {

class ReshardOperations {
 public:
  using StatusDone = absl::AnyInvocable<void(absl::Status)>;

  // All pointers must outlive this.
  ReshardOperations(uint32_t group_count, Router* router, Replicas* replicas,
                    const RateLimits* rates, Clock* clock)
      : group_count_(group_count),
        router_(router),
        rates_(rates),
        changes_(router, replicas, clock) {}

  void SplitShard(const SplitShardRequest& request, absl::Duration timeout,
                  StatusDone done);
  void MergeShards(const MergeShardsRequest& request, absl::Duration timeout,
                   StatusDone done);
  void UpdateShardCount(const UpdateShardCountRequest& request,
                        absl::Duration timeout,
                        Done<UpdateShardCountResponse> done);

 private:
  absl::StatusOr<v1::Command> PlanSplitOf(const Stream& stream,
                                          absl::string_view shard_id,
                                          absl::string_view new_start) const;
  absl::StatusOr<v1::Command> PlanMergeOf(const Stream& stream,
                                          absl::string_view shard_id,
                                          absl::string_view adjacent_id) const;
  absl::StatusOr<v1::Command> PlanCountOf(const Stream& stream,
                                          uint32_t target) const;

  // Set at construction.
  const uint32_t group_count_;
  Router* const router_;
  const RateLimits* const rates_;

  StreamChanges changes_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_RESHARD_OPERATIONS_H_
