// Which shards ListShards shows (kinesis-contract.md §1.4): every filter by
// time is a window on when shards began and ended.
#ifndef TRIREME_SERVER_SHARD_FILTER_H_
#define TRIREME_SERVER_SHARD_FILTER_H_

#include <cstdint>
#include <limits>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "storage/catalog.h"

namespace trireme {

// On both wires by name; the numbers are ours alone.
enum class ShardFilterType {
  kUnspecified,
  kAfterShardId,
  kAtTrimHorizon,
  kFromTrimHorizon,
  kAtLatest,
  kAtTimestamp,
  kFromTimestamp,
};

struct ShardFilter {
  ShardFilterType type = ShardFilterType::kUnspecified;  // All there are.
  absl::string_view shard_id;                            // Empty: none.
  std::optional<absl::Time> timestamp;
};

// Unix seconds. A shard is in it that began by `began_by_s` and is open or was
// closed at `ended_from_s` or later.
struct ShardWindow {
  int64_t began_by_s = std::numeric_limits<int64_t>::max();
  int64_t ended_from_s = 0;

  bool Has(const Shard& shard) const;
  friend bool operator==(const ShardWindow&, const ShardWindow&) = default;
};

// InvalidArgument for a filter that lacks what its type needs, or has what it
// does not take.
absl::Status CheckShardFilter(const ShardFilter& filter);

// What a checked filter means now. The trim horizon of a young stream is its
// creation; a time before it means the horizon.
ShardWindow WindowOf(const ShardFilter& filter, const Stream& stream,
                     absl::Time now);

}  // namespace trireme

#endif  // TRIREME_SERVER_SHARD_FILTER_H_
