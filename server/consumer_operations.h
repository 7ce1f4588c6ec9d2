// ConsumerOperations is the part of the control plane about registered
// consumers (kinesis-contract.md §1.6, §2.8). A registration is one entry of
// the meta group and takes effect with it: there is no work left to do while a
// consumer would be CREATING or DELETING, so none is ever found in these
// states.
//
// Owned by the Broker; thread-safe.
#ifndef TRIREME_SERVER_CONSUMER_OPERATIONS_H_
#define TRIREME_SERVER_CONSUMER_OPERATIONS_H_

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/api.h"
#include "server/consumer_api.h"
#include "server/router.h"
#include "server/settings_api.h"
#include "server/shard_iterator.h"
#include "storage/clock.h"

namespace trireme {

namespace v1 {
class Command;
}

class ConsumerOperations {
 public:
  using StatusDone = absl::AnyInvocable<void(absl::Status)>;

  // All pointers must outlive this.
  ConsumerOperations(Router* router, Replicas* replicas,
                     const TokenSigner* signer, Clock* clock)
      : router_(router), replicas_(replicas), signer_(signer), clock_(clock) {}

  void Register(const RegisterConsumerRequest& request, absl::Duration timeout,
                Done<FoundConsumer> done);
  void Deregister(const ConsumerAddress& consumer, absl::Duration timeout,
                  StatusDone done);
  void Describe(const ConsumerAddress& consumer, absl::Duration timeout,
                Done<FoundConsumer> done);
  void List(const ListConsumersRequest& request, absl::Duration timeout,
            Done<ListConsumersResponse> done);
  // By ARN, all below.
  void AddTags(const AddTagsRequest& request, absl::Duration timeout,
               StatusDone done);
  void RemoveTags(const RemoveTagsRequest& request, absl::Duration timeout,
                  StatusDone done);
  void ListTags(const ListTagsRequest& request, absl::Duration timeout,
                Done<ListTagsResponse> done);
  void PutPolicy(const PutPolicyRequest& request, absl::Duration timeout,
                 StatusDone done);
  // Of a consumer that has none: "{}".
  void GetPolicy(const StreamAddress& resource, absl::Duration timeout,
                 Done<std::string> done);
  void DeletePolicy(const StreamAddress& resource, absl::Duration timeout,
                    StatusDone done);

 private:
  // The stream as it is after a read barrier, and the consumer in it.
  struct Found {
    StreamPtr stream;
    const ConsumerRow* consumer = nullptr;  // Of `stream`.
  };
  using Plan =
      absl::AnyInvocable<absl::StatusOr<v1::Command>(const Found& found)>;

  void Find(const ConsumerAddress& consumer, absl::Duration timeout,
            Done<Found> done);
  // Finds the consumer and does to it what `plan` makes of it.
  void Change(const ConsumerAddress& consumer, absl::Duration timeout,
              Plan plan, StatusDone done);
  absl::Status CheckRoomFor(const Stream& stream, absl::string_view name) const;
  uint32_t ConsumersMax() const;  // Of a stream.
  absl::StatusOr<ListConsumersResponse> ListFrom(const Stream& stream,
                                                 const std::string& after,
                                                 size_t limit) const;

  // Set at construction.
  Router* const router_;
  Replicas* const replicas_;
  const TokenSigner* const signer_;
  Clock* const clock_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_CONSUMER_OPERATIONS_H_
