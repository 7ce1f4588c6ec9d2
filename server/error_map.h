// The one table from our errors to what clients see: a canonical code, the
// service's name for it, whether and when to try again (kinesis-contract.md
// §1.2). Front ends only put this into their own form.
#ifndef TRIREME_SERVER_ERROR_MAP_H_
#define TRIREME_SERVER_ERROR_MAP_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/validation.h"

namespace trireme {

inline constexpr char kErrorDomain[] = "trireme.dev";

struct ErrorDescription {
  absl::StatusCode code = absl::StatusCode::kUnknown;
  std::string reason;   // "ResourceNotFoundException".
  std::string message;  // For people.
  // Set when nothing was written and the same call may succeed later.
  std::optional<absl::Duration> retry_after;
  std::vector<FieldViolation> violations;
};

// `status` is not OK.
ErrorDescription DescribeError(const absl::Status& status);

// What a record of a PutRecords call reports: {ErrorCode, ErrorMessage}.
struct RecordError {
  std::string code;
  std::string message;
};
RecordError DescribeRecordError(const absl::Status& status);

}  // namespace trireme

#endif  // TRIREME_SERVER_ERROR_MAP_H_
