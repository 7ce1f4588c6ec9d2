// How requests name streams: by name or ARN, under an account
// (kinesis-contract.md §1.1); and what is said when one is not found.
#ifndef TRIREME_SERVER_RESOURCE_NAMES_H_
#define TRIREME_SERVER_RESOURCE_NAMES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/validation.h"
#include "storage/ids.h"

namespace trireme {

// How a request names a stream: by name, by ARN, or by both if they agree. The
// views belong to the caller.
struct StreamAddress {
  absl::string_view name;
  absl::string_view arn;
  // By ARN only, which errors call resourceARN.
  bool is_resource = false;
};

// Whose streams these are; part of every ARN and of most error messages.
struct Account {
  std::string id = "000000000000";  // Twelve digits.
  std::string region = "us-east-1";
};

// Letters, digits, '_', '.', '-'.
bool IsResourceName(absl::string_view text);
// Length and characters of a stream name or shard id.
void CheckResourceName(absl::string_view member, absl::string_view text,
                       Violations* violations);

// The name the address means; a view into it. ValidationException for a
// malformed name or ARN, InvalidArgumentException when both or neither are
// given wrongly, ResourceNotFoundException for another account's stream.
absl::StatusOr<absl::string_view> ResolveStreamName(
    const StreamAddress& address, const Account& account);

std::string StreamArn(const Account& account, absl::string_view stream_name);

absl::Status StreamNotFound(absl::string_view stream_name,
                            const Account& account);
// `state` as on the wire, e.g. "CREATING".
absl::Status StreamNotActive(absl::string_view stream_name,
                             absl::string_view state, const Account& account);
absl::Status ShardNotFound(absl::string_view shard_id,
                           absl::string_view stream_name,
                           const Account& account);

}  // namespace trireme

#endif  // TRIREME_SERVER_RESOURCE_NAMES_H_
