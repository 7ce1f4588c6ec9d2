// Early return on an absl::Status or absl::StatusOr that is not OK. The client
// has its own copy: it includes nothing of the server's folders.
#ifndef TRIREME_CLIENT_STATUS_MACROS_H_
#define TRIREME_CLIENT_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define CLIENT_RETURN_IF_ERROR(expression)                    \
  do {                                                        \
    if (::absl::Status return_if_error_status = (expression); \
        !return_if_error_status.ok())                         \
      return return_if_error_status;                          \
  } while (false)

#define CLIENT_CONCAT_INNER(a, b) a##b
#define CLIENT_CONCAT(a, b) CLIENT_CONCAT_INNER(a, b)

// CLIENT_ASSIGN_OR_RETURN(auto value, MightFail());
#define CLIENT_ASSIGN_OR_RETURN(left, expression)                          \
  CLIENT_ASSIGN_OR_RETURN_INNER(CLIENT_CONCAT(status_or_, __LINE__), left, \
                                expression)
#define CLIENT_ASSIGN_OR_RETURN_INNER(status_or, left, expression) \
  auto status_or = (expression);                                   \
  if (!status_or.ok()) return std::move(status_or).status();       \
  left = *std::move(status_or)

#endif  // TRIREME_CLIENT_STATUS_MACROS_H_
