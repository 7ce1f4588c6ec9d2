// Typed errors: an absl::Status that also says which of the service's errors
// it is (kinesis-contract.md §1.2), so that every front end reports the same.
#ifndef TRIREME_STORAGE_ERRORS_H_
#define TRIREME_STORAGE_ERRORS_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace trireme {

// Sent between nodes; never renumber.
enum class ErrorReason : uint8_t {
  kNone = 0,  // An error of no special kind; its canonical code says all.
  kResourceNotFound = 1,
  kResourceInUse = 2,
  kLimitExceeded = 3,
  kInvalidArgument = 4,
  kValidation = 5,
  kProvisionedThroughputExceeded = 6,
  kExpiredIterator = 7,
  kExpiredNextToken = 8,
  kInternalFailure = 9,
  // Ours: more is waiting than the node will hold; retry after a while.
  kOverloaded = 10,
  // Ours: no leader could be reached; nothing was written.
  kNoLeader = 11,
  // Ours: the answer got lost on its way; the write may or may not be there.
  kOutcomeUnknown = 12,
  // Ours: the disk is nearly full; reads go on.
  kDiskFull = 13,
  // Internal: the shard was sealed or dropped before the put was applied.
  kShardSealed = 14,
  // Ours: the node takes no calls yet; nothing was done.
  kNodeStarting = 15,
  // The call only asked whether it would succeed, and it would.
  kDryRunOperation = 16,
  // Ours: a newer epoch of the producer writes now; nothing was written.
  kProducerFenced = 17,
  // Ours: the producer had settled its record of that number before; nothing
  // was written now.
  kStaleProducerNumber = 18,
  // Ours: the consumer group has no such worker any more.
  kWorkerExpired = 19,
  // Ours: another worker has the lease, or nobody.
  kLeaseLost = 20,
  // Ours: another worker of the same id joined the consumer group.
  kWorkerReplaced = 21,
};

// Whether a number from outside is one of the above.
bool IsErrorReason(uint32_t number);

// The name a client sees, e.g. "ResourceNotFoundException".
absl::string_view ErrorReasonName(ErrorReason reason);

// A status of the reason's canonical code, message and reason attached.
absl::Status MakeError(ErrorReason reason, absl::string_view message);

// kNone for statuses that MakeError did not make.
ErrorReason ReasonOf(const absl::Status& status);

// The error, with how long it takes until the same may succeed.
absl::Status WithRetryAfter(absl::Status status, absl::Duration after);
// Nothing when it does not say.
std::optional<absl::Duration> RetryAfterOf(const absl::Status& status);

}  // namespace trireme

#endif  // TRIREME_STORAGE_ERRORS_H_
