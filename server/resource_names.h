// How requests name streams: by name, ARN or id, under an account
// (kinesis-contract.md §1.1); and what is said when one is not found.
#ifndef TRIREME_SERVER_RESOURCE_NAMES_H_
#define TRIREME_SERVER_RESOURCE_NAMES_H_

#include <optional>
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
  // The stream's number (StreamIdToString). Of all that are given, each must
  // name the same stream.
  absl::string_view id = {};
};

// What an address names, well-formed: a stream's name (a view into the
// address), its number, or both.
struct StreamRef {
  absl::string_view name;  // Empty: none.
  std::optional<StreamId> id;
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

// What the address means. ValidationException for a malformed name, ARN or id,
// InvalidArgumentException for none of them, or a name and an ARN that differ,
// ResourceNotFoundException for another account's stream, or an id that no
// stream can have.
absl::StatusOr<StreamRef> ResolveStream(const StreamAddress& address,
                                        const Account& account);

// The same of an address without an id: the name; a view into it.
absl::StatusOr<absl::string_view> ResolveStreamName(
    const StreamAddress& address, const Account& account);

// InvalidArgumentException when the reference has a name, and it is not the
// stream's.
absl::Status CheckNamesAgree(const StreamRef& ref,
                             absl::string_view stream_name);

// 20 and 3 of [a-z0-9], with a - between them (kinesis-contract.md §1.1).
std::string StreamIdToString(StreamId id);

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
