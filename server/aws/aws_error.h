// An error in AWS's own terms: what a failed call is answered
// (kinesis-contract.md §1.2, §3.1, §3.6). What the Broker itself says is an
// absl::Status (storage/errors.h).
#ifndef TRIREME_SERVER_AWS_AWS_ERROR_H_
#define TRIREME_SERVER_AWS_AWS_ERROR_H_

#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "server/aws/message_format.h"
#include "storage/check.h"

namespace trireme {

struct AwsError {
  int http_status = 400;
  std::string code;  // "InvalidSignatureException".
  // May hold bytes that the caller sent, UTF-8 or not.
  std::string message = {};
};

// The error of a call that the Broker refused or failed to do. Every client
// repeats a call on 500 and 503: these are errors that may pass.
AwsError ToAwsError(const absl::Status& status);

// The body of an answer that says it: {__type, message}. UTF-8 whatever the
// message holds.
std::string EncodeError(MessageFormat format, const AwsError& error);

// A value, or why there is none.
template <typename T>
class [[nodiscard]] AwsOr {
 public:
  // Implicit, so that functions return either as it is.
  AwsOr(T value) : result_(std::move(value)) {}
  AwsOr(AwsError error) : result_(std::move(error)) {}

  bool ok() const { return std::holds_alternative<T>(result_); }
  const AwsError& error() const {
    CHECK(!ok());
    return *std::get_if<AwsError>(&result_);
  }
  const T& operator*() const {
    CHECK(ok());
    return *std::get_if<T>(&result_);
  }
  const T* operator->() const { return &**this; }

 private:
  std::variant<T, AwsError> result_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_AWS_ERROR_H_
