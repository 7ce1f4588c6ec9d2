// The cluster's limit of open shards, in the service's words
// (kinesis-contract.md §1.2, LimitExceededException).
#ifndef TRIREME_SERVER_SHARD_LIMIT_H_
#define TRIREME_SERVER_SHARD_LIMIT_H_

#include <cstdint>

#include "absl/status/status.h"
#include "server/resource_names.h"
#include "storage/catalog.h"

namespace trireme {

// Whether `more` open shards fit. Commands that come at the same time meet the
// limit again where they are applied (storage/catalog_decision.h).
absl::Status CheckShardLimit(const Catalog& catalog, uint32_t group_count,
                             uint64_t more, const Account& account);

}  // namespace trireme

#endif  // TRIREME_SERVER_SHARD_LIMIT_H_
