// What a call that only asks whether it would succeed is answered when it would
// (kinesis-contract.md §1.3).
#ifndef TRIREME_SERVER_DRY_RUN_H_
#define TRIREME_SERVER_DRY_RUN_H_

#include "absl/status/status.h"
#include "storage/errors.h"

namespace trireme {

inline absl::Status DryRunSucceeded() {
  return MakeError(ErrorReason::kDryRunOperation,
                   "Request would have succeeded, but DryRun flag is set.");
}

}  // namespace trireme

#endif  // TRIREME_SERVER_DRY_RUN_H_
