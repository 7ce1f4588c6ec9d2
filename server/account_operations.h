// AccountOperations is what is set for all streams together
// (kinesis-contract.md §1.4, DescribeAccountSettings).
//
// Owned by the Broker; thread-safe.
#ifndef TRIREME_SERVER_ACCOUNT_OPERATIONS_H_
#define TRIREME_SERVER_ACCOUNT_OPERATIONS_H_

#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/api.h"
#include "server/router.h"
#include "server/settings_api.h"
#include "storage/account_settings.h"
#include "storage/clock.h"

namespace trireme {

class AccountOperations {
 public:
  // All pointers must outlive this.
  AccountOperations(Router* router, Replicas* replicas, Clock* clock)
      : router_(router), replicas_(replicas), clock_(clock) {}

  void Describe(absl::Duration timeout, Done<AccountSettings> done);
  // `done` gets them as they are after it.
  void Update(const UpdateAccountRequest& request, absl::Duration timeout,
              Done<AccountSettings> done);

 private:
  // Set at construction.
  Router* const router_;
  Replicas* const replicas_;
  Clock* const clock_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_ACCOUNT_OPERATIONS_H_
