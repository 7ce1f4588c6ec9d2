// Names as clients write them: a stream's name, and a shard's id
// ("shardId-000000000007"), which is only another spelling of its index
// (kinesis-contract.md §1.1, §2.1).
#ifndef TRIREME_STORAGE_STREAM_NAME_H_
#define TRIREME_STORAGE_STREAM_NAME_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/ids.h"

namespace trireme {

inline constexpr size_t kNameCharactersMax = 128;

// A checked name: whoever has one need not check it again.
class StreamName {
 public:
  // Validation error, in the service's words, for what is not 1..128
  // characters of [a-zA-Z0-9_.-]. `member` is the request's path to it.
  static absl::StatusOr<StreamName> Parse(
      absl::string_view text, absl::string_view member = "streamName");

  const std::string& value() const { return value_; }
  friend auto operator<=>(const StreamName&, const StreamName&) = default;

 private:
  explicit StreamName(std::string value) : value_(std::move(value)) {}

  std::string value_;
};

// The rule that names of streams, consumers and shards share.
absl::Status CheckName(absl::string_view text, absl::string_view member);

// "shardId-" and 12 digits.
std::string ShardIdToString(ShardIndex shard);
// Also takes "7" and "shardId-7". Validation error for what no shard id may
// hold, ResourceNotFound for a name that is no shard's.
absl::StatusOr<ShardIndex> ParseShardId(absl::string_view text,
                                        absl::string_view member = "shardId");

}  // namespace trireme

#endif  // TRIREME_STORAGE_STREAM_NAME_H_
