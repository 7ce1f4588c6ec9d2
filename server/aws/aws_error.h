// What a failed call is answered: a status of HTTP, the name of the service's
// error and a message (kinesis-contract.md §1.2, §3.1).
#ifndef TRIREME_SERVER_AWS_AWS_ERROR_H_
#define TRIREME_SERVER_AWS_AWS_ERROR_H_

#include <string>

#include "absl/status/status.h"

namespace trireme {

struct AwsError {
  int http_status = 400;
  std::string code;  // "ResourceNotFoundException".
  std::string message = {};
};

// The error of a call that the Broker refused or failed to do. Every client
// repeats a call on 500 and 503: these are errors that may pass.
AwsError ToAwsError(const absl::Status& status);

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_AWS_ERROR_H_
