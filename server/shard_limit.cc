#include "server/shard_limit.h"

#include "absl/strings/str_cat.h"
#include "server/limits.h"
#include "storage/errors.h"
#include "storage/shard_places.h"

namespace trireme {

absl::Status CheckShardLimit(const Catalog& catalog, uint32_t group_count,
                             uint64_t more, const Account& account) {
  const uint64_t open =
      ShardPlaces(catalog.OpenShardsByGroup(group_count)).shard_count();
  if (open + more <= kShardsMax) return absl::OkStatus();
  return MakeError(
      ErrorReason::kLimitExceeded,
      absl::StrCat("This request would exceed the shard limit for the account ",
                   account.id, " in ", account.region,
                   ". Current shard count for the account: ", open,
                   ". Limit: ", kShardsMax,
                   ". Number of additional shards that would have resulted "
                   "from this request: ",
                   more, "."));
}

}  // namespace trireme
