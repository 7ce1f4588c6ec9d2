// How requests name registered consumers: by ARN, or by stream and name
// (kinesis-contract.md §1.1, §1.6); and what is said of one that is not there.
#ifndef TRIREME_SERVER_CONSUMER_NAMES_H_
#define TRIREME_SERVER_CONSUMER_NAMES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/resource_names.h"
#include "storage/catalog.h"

namespace trireme {

// The views belong to the caller.
struct ConsumerAddress {
  StreamAddress stream;
  absl::string_view name;
  absl::string_view arn;
  // By ARN only, which errors call resourceARN.
  bool is_resource = false;
};

// A consumer that a request means.
struct ConsumerName {
  std::string stream;
  std::string name;
  std::optional<uint64_t> created_s;  // When it was named by ARN.
};

// A stream's consumer with its name.
using ConsumerRow = std::pair<const std::string, Consumer>;

// True for what can only be meant as the ARN of a consumer.
bool IsConsumerArn(absl::string_view arn);

// ValidationException for a malformed name or ARN, InvalidArgumentException
// when too little is given, or what is given does not agree,
// ResourceNotFoundException for another account's.
absl::StatusOr<ConsumerName> ResolveConsumer(const ConsumerAddress& address,
                                             const Account& account);

// Null when the stream does not have it, or has a later one of its name.
const ConsumerRow* FindConsumer(const Stream& stream, const ConsumerName& name);

std::string ConsumerArn(const Account& account, absl::string_view stream_name,
                        absl::string_view name, uint64_t created_s);

absl::Status ConsumerNotFound(const ConsumerName& name, const Account& account);

}  // namespace trireme

#endif  // TRIREME_SERVER_CONSUMER_NAMES_H_
