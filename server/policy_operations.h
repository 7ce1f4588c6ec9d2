// PolicyOperations keeps the policies of resources (kinesis-contract.md §1.8):
// JSON that is given back as it came. Nothing enforces them here.
//
// Owned by the Broker; thread-safe.
#ifndef TRIREME_SERVER_POLICY_OPERATIONS_H_
#define TRIREME_SERVER_POLICY_OPERATIONS_H_

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/api.h"
#include "server/router.h"
#include "server/settings_api.h"
#include "server/stream_changes.h"
#include "storage/clock.h"

namespace trireme {

// ValidationException without one, InvalidArgumentException for one that is too
// long or no JSON object.
absl::Status CheckPolicy(const PutPolicyRequest& request);
// As GetResourcePolicy tells it; empty: the resource has none.
std::string PolicyOrNone(const std::string& policy);
absl::Status NoPolicy(absl::string_view arn);

// Of streams; those of consumers are ConsumerOperations'.
class PolicyOperations {
 public:
  using StatusDone = absl::AnyInvocable<void(absl::Status)>;

  // All pointers must outlive this.
  PolicyOperations(Router* router, Replicas* replicas, Clock* clock)
      : router_(router), changes_(router, replicas, clock) {}

  void Put(const PutPolicyRequest& request, absl::Duration timeout,
           StatusDone done);
  // Of a resource that has none: "{}".
  void Get(const StreamAddress& resource, absl::Duration timeout,
           Done<std::string> done);
  void Delete(const StreamAddress& resource, absl::Duration timeout,
              StatusDone done);

 private:
  // Set at construction.
  Router* const router_;

  StreamChanges changes_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_POLICY_OPERATIONS_H_
