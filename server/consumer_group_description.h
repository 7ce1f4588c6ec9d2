// ConsumerGroupDescription tells of a consumer group who has which shard and
// how far behind it is: from the lease table, and from the shards' logs.
//
// Owned by the Broker; thread-safe.
#ifndef TRIREME_SERVER_CONSUMER_GROUP_DESCRIPTION_H_
#define TRIREME_SERVER_CONSUMER_GROUP_DESCRIPTION_H_

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/consumer_group_api.h"
#include "server/router.h"
#include "server/shard_iterator.h"
#include "server/shard_reader.h"
#include "server/work_pool.h"
#include "storage/clock.h"
#include "storage/lease_table.h"

namespace trireme {

class ConsumerGroupDescription {
 public:
  // All pointers must outlive this.
  ConsumerGroupDescription(const LeaseTable* leases, Router* router,
                           Replicas* replicas, const ShardReader* reader,
                           const TokenSigner* signer, WorkPool* pool,
                           Clock* clock)
      : leases_(leases),
        router_(router),
        replicas_(replicas),
        reader_(reader),
        signer_(signer),
        pool_(pool),
        clock_(clock) {}

  void Describe(const DescribeGroupRequest& request, absl::Duration timeout,
                Done<DescribeGroupResponse> done);

 private:
  struct Call;

  // Fills in all but how far shards are behind. False: there is no such group.
  bool ReadGroup(Call* call) const;
  void FillPage(Call* call) const;
  void AwaitShards(std::shared_ptr<Call> call);
  absl::Status ReadLags(Call* call) const;
  absl::StatusOr<std::optional<int64_t>> MillisBehind(
      const Stream& stream, const FoundLease& found) const;

  // Set at construction.
  const LeaseTable* const leases_;
  Router* const router_;
  Replicas* const replicas_;
  const ShardReader* const reader_;
  const TokenSigner* const signer_;
  WorkPool* const pool_;
  Clock* const clock_;
};

// The group of that name; null when the stream has none.
const std::pair<const ConsumerGroupId, ConsumerGroup>* FindGroup(
    const ConsumerGroups& groups, StreamId stream, absl::string_view name);
absl::Status ConsumerGroupNotFound(absl::string_view name,
                                   absl::string_view stream,
                                   const Account& account);

}  // namespace trireme

#endif  // TRIREME_SERVER_CONSUMER_GROUP_DESCRIPTION_H_
