// Claims are how one subscription at a time gets a shard for a registered
// consumer, over the whole cluster (docs/decisions/0007): what a data group
// knows of the newest, and what a command does to it, as a pure function.
#ifndef TRIREME_STORAGE_CLAIMS_H_
#define TRIREME_STORAGE_CLAIMS_H_

#include <compare>
#include <cstdint>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/ids.h"

namespace trireme {

namespace v1 {
class ClaimShardsCommand;
class ShardClaim;
}  // namespace v1

// What is claimed: a shard, for a consumer of its stream.
struct ClaimKey {
  ShardKey shard;
  uint32_t consumer = 0;  // Consumer::number

  friend auto operator<=>(const ClaimKey&, const ClaimKey&) = default;
};

struct Claim {
  uint64_t subscription = 0;
  int64_t stamp_ms = 0;  // Of the entry that granted it.
};

// Those that still hold against others, of one group.
using Claims = absl::btree_map<ClaimKey, Claim>;

ClaimKey KeyOf(const v1::ShardClaim& claim);

struct ClaimsDecision {
  std::string reply;  // ClaimShardsReply
  Claims claims;
};
ClaimsDecision DecideClaims(const Claims& held,
                            const v1::ClaimShardsCommand& command,
                            int64_t stamp_ms);

// A ClaimsRow (proto/trireme/v1/command.proto). Errors: DataLoss.
std::string EncodeClaims(const Claims& claims);
absl::StatusOr<Claims> DecodeClaims(absl::string_view row);

}  // namespace trireme

#endif  // TRIREME_STORAGE_CLAIMS_H_
