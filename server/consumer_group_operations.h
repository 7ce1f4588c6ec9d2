// ConsumerGroupOperations is what workers of consumer groups and those who look
// after them ask of the meta group (docs/decisions/0010): every change is a
// command whose conditions the state machine checks.
//
// Owned by the Broker; thread-safe.
#ifndef TRIREME_SERVER_CONSUMER_GROUP_OPERATIONS_H_
#define TRIREME_SERVER_CONSUMER_GROUP_OPERATIONS_H_

#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/consumer_group_api.h"
#include "server/consumer_group_description.h"
#include "server/heartbeats.h"
#include "server/router.h"
#include "storage/clock.h"
#include "storage/lease_table.h"

namespace trireme {

namespace v1 {
class GroupCommand;
}

// What they stand on; all must outlive them.
struct ConsumerGroupParts {
  const LeaseTable* leases = nullptr;
  Router* router = nullptr;
  Replicas* replicas = nullptr;
  const ShardReader* reader = nullptr;
  const TokenSigner* signer = nullptr;
  WorkPool* pool = nullptr;
  Timers* timers = nullptr;
  Clock* clock = nullptr;
};

class ConsumerGroupOperations {
 public:
  using StatusDone = absl::AnyInvocable<void(absl::Status)>;
  // One each, in order; OK or kLeaseLost, kInvalidArgument, kLimitExceeded.
  using Results = std::vector<absl::Status>;

  explicit ConsumerGroupOperations(const ConsumerGroupParts& parts)
      : leases_(parts.leases),
        router_(parts.router),
        replicas_(parts.replicas),
        clock_(parts.clock),
        heartbeats_(parts.leases, parts.router, parts.replicas, parts.timers,
                    parts.clock),
        description_(parts.leases, parts.router, parts.replicas, parts.reader,
                     parts.signer, parts.pool, parts.clock) {}

  void Join(const JoinGroupRequest& request, absl::Duration timeout,
            Done<JoinedGroup> done);
  // Says that the worker lives; answered with its leases. Errors:
  // kWorkerExpired, kWorkerReplaced.
  void Heartbeat(const HeartbeatRequest& request, absl::Duration timeout,
                 Done<WorkerLeases> done);
  void Checkpoint(const WorkerHandle& worker,
                  const std::vector<ShardCheckpoint>& checkpoints,
                  absl::Duration timeout, Done<Results> done);
  void Release(const WorkerHandle& worker, const std::vector<LeaseRef>& leases,
               absl::Duration timeout, Done<Results> done);
  void Leave(const WorkerHandle& worker, absl::Duration timeout,
             StatusDone done);
  void Assign(const ConsumerGroupAddress& address,
              const std::vector<LeaseAssignment>& assignments,
              absl::Duration timeout, StatusDone done);
  void List(const StreamAddress& stream, absl::Duration timeout,
            Done<std::vector<ConsumerGroupSummary>> done);
  void Describe(const DescribeGroupRequest& request, absl::Duration timeout,
                Done<DescribeGroupResponse> done) {
    description_.Describe(request, timeout, std::move(done));
  }
  void Reset(const ConsumerGroupAddress& address, const StartingPosition& from,
             absl::Duration timeout, StatusDone done);
  void Delete(const ConsumerGroupAddress& address, absl::Duration timeout,
              StatusDone done);

 private:
  struct Found {
    StreamPtr stream;
    ConsumerGroupId id;
    ConsumerGroup group;  // Without what its workers keep with the leases.
  };
  struct Selection;
  struct PlannedCheckpoints;
  using Replied = absl::AnyInvocable<void(absl::StatusOr<std::string>)>;

  // After a barrier.
  void Find(const ConsumerGroupAddress& address, absl::Duration timeout,
            Done<Found> done);
  // Finds the group and does to it what `plan` makes of it.
  void Change(
      const ConsumerGroupAddress& address, absl::Duration timeout,
      absl::AnyInvocable<absl::StatusOr<v1::GroupCommand>(const Found&)> plan,
      StatusDone done);
  // By the streams as they are known here.
  absl::StatusOr<PlannedCheckpoints> PlanCheckpoints(
      const WorkerHandle& worker,
      const std::vector<ShardCheckpoint>& checkpoints) const;
  void Send(PlannedCheckpoints planned, absl::Duration timeout,
            Done<Results> done);
  void Propose(v1::GroupCommand command, absl::Duration timeout, Replied done);

  // Set at construction.
  const LeaseTable* const leases_;
  Router* const router_;
  Replicas* const replicas_;
  Clock* const clock_;

  // Thread-safe.
  Heartbeats heartbeats_;
  ConsumerGroupDescription description_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_CONSUMER_GROUP_OPERATIONS_H_
