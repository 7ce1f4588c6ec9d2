// SettingsOperations is the part of the control plane that changes what is
// noted of a stream: its tags and its settings (kinesis-contract.md §1.4, §1.7,
// §1.8). What they change holds as soon as they are answered; a stream whose
// encryption changes is UPDATING for a moment.
//
// Owned by the Broker; thread-safe.
#ifndef TRIREME_SERVER_SETTINGS_OPERATIONS_H_
#define TRIREME_SERVER_SETTINGS_OPERATIONS_H_

#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/api.h"
#include "server/rate_limits.h"
#include "server/router.h"
#include "server/settings_api.h"
#include "server/stream_changes.h"
#include "storage/clock.h"

namespace trireme {

class SettingsOperations {
 public:
  using StatusDone = absl::AnyInvocable<void(absl::Status)>;

  // All pointers must outlive this.
  SettingsOperations(uint32_t group_count, Router* router, Replicas* replicas,
                     const RateLimits* rates, Clock* clock)
      : group_count_(group_count),
        router_(router),
        rates_(rates),
        changes_(router, replicas, clock) {}

  void UpdateMaxRecordSize(const UpdateMaxRecordSizeRequest& request,
                           absl::Duration timeout, StatusDone done);
  void DescribeLimits(absl::Duration timeout,
                      Done<DescribeLimitsResponse> done);
  void AddTags(const AddTagsRequest& request, absl::Duration timeout,
               StatusDone done);
  void RemoveTags(const RemoveTagsRequest& request, absl::Duration timeout,
                  StatusDone done);
  void ListTags(const ListTagsRequest& request, absl::Duration timeout,
                Done<ListTagsResponse> done);
  void ChangeEnhancedMonitoring(const MonitoringRequest& request,
                                absl::Duration timeout,
                                Done<MonitoringResponse> done);
  void StartStreamEncryption(const EncryptionRequest& request,
                             absl::Duration timeout, StatusDone done);
  void StopStreamEncryption(const EncryptionRequest& request,
                            absl::Duration timeout, StatusDone done);

 private:
  // Empty: none.
  void SetKey(const StreamAddress& stream, absl::string_view key_id,
              absl::Duration timeout, StatusDone done);

  // Set at construction.
  const uint32_t group_count_;
  Router* const router_;
  const RateLimits* const rates_;

  StreamChanges changes_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_SETTINGS_OPERATIONS_H_
