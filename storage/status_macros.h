// Early return on an absl::Status or absl::StatusOr that is not OK.
#ifndef TRIREME_STORAGE_STATUS_MACROS_H_
#define TRIREME_STORAGE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define RETURN_IF_ERROR(expression)                           \
  do {                                                        \
    if (::absl::Status return_if_error_status = (expression); \
        !return_if_error_status.ok())                         \
      return return_if_error_status;                          \
  } while (false)

#define TRIREME_CONCAT_INNER(a, b) a##b
#define TRIREME_CONCAT(a, b) TRIREME_CONCAT_INNER(a, b)

// ASSIGN_OR_RETURN(auto value, MightFail());
#define ASSIGN_OR_RETURN(left, expression) \
  ASSIGN_OR_RETURN_INNER(TRIREME_CONCAT(status_or_, __LINE__), left, expression)
#define ASSIGN_OR_RETURN_INNER(status_or, left, expression)  \
  auto status_or = (expression);                             \
  if (!status_or.ok()) return std::move(status_or).status(); \
  left = *std::move(status_or)

#endif  // TRIREME_STORAGE_STATUS_MACROS_H_
