// RetentionOperations are IncreaseStreamRetentionPeriod and
// DecreaseStreamRetentionPeriod (kinesis-contract.md §1.7, §2.7): they check
// the request and begin the change; StreamLifecycle drives it to its end.
//
// Owned by the Broker; thread-safe.
#ifndef TRIREME_SERVER_RETENTION_OPERATIONS_H_
#define TRIREME_SERVER_RETENTION_OPERATIONS_H_

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/api.h"
#include "server/router.h"
#include "server/stream_changes.h"
#include "storage/clock.h"

namespace trireme {

class RetentionOperations {
 public:
  using StatusDone = absl::AnyInvocable<void(absl::Status)>;

  // All pointers must outlive this.
  RetentionOperations(Router* router, Replicas* replicas, Clock* clock)
      : changes_(router, replicas, clock) {}

  void Increase(const RetentionPeriodRequest& request, absl::Duration timeout,
                StatusDone done);
  void Decrease(const RetentionPeriodRequest& request, absl::Duration timeout,
                StatusDone done);

 private:
  // OK, or why the other operation is the one to use.
  using CheckDirection = absl::Status (*)(const Stream& stream, uint32_t hours);
  void Change(const RetentionPeriodRequest& request, absl::Duration timeout,
              CheckDirection check_direction, StatusDone done);

  StreamChanges changes_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_RETENTION_OPERATIONS_H_
