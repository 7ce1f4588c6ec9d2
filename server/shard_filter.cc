#include "server/shard_filter.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "storage/errors.h"

namespace trireme {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

bool NeedsTime(ShardFilterType type) {
  return type == ShardFilterType::kAtTimestamp ||
         type == ShardFilterType::kFromTimestamp;
}

absl::Status Wrong(absl::string_view what) {
  return MakeError(ErrorReason::kInvalidArgument,
                   absl::StrCat("ShardFilter: ", what));
}

}  // namespace

bool ShardWindow::Has(const Shard& shard) const {
  if (static_cast<int64_t>(shard.created_s) > began_by_s) return false;
  return !shard.end.has_value() ||
         static_cast<int64_t>(shard.closed_s) >= ended_from_s;
}

absl::Status CheckShardFilter(const ShardFilter& filter) {
  const bool needs_shard = filter.type == ShardFilterType::kAfterShardId;
  if (needs_shard && filter.shard_id.empty()) {
    return Wrong("type AFTER_SHARD_ID needs a ShardId");
  }
  if (!needs_shard && !filter.shard_id.empty()) {
    return Wrong("a ShardId goes with type AFTER_SHARD_ID only");
  }
  if (NeedsTime(filter.type) && !filter.timestamp.has_value()) {
    return Wrong("types AT_TIMESTAMP and FROM_TIMESTAMP need a Timestamp");
  }
  if (!NeedsTime(filter.type) && filter.timestamp.has_value()) {
    return Wrong(
        "a Timestamp goes with types AT_TIMESTAMP and FROM_TIMESTAMP only");
  }
  return absl::OkStatus();
}

ShardWindow WindowOf(const ShardFilter& filter, const Stream& stream,
                     absl::Time now) {
  const int64_t horizon_s = absl::ToUnixSeconds(std::max(
      stream.created, absl::FromUnixMillis(stream.TrimHorizonMs(now))));
  int64_t time_s = horizon_s;
  if (filter.timestamp.has_value()) {
    time_s = std::max(horizon_s, absl::ToUnixSeconds(*filter.timestamp));
  }
  switch (filter.type) {
    case ShardFilterType::kAtTrimHorizon:
    case ShardFilterType::kAtTimestamp:
      return {time_s, time_s};
    case ShardFilterType::kFromTimestamp:
      return {kNever, time_s};
    case ShardFilterType::kAtLatest:
      return {kNever, kNever};
    case ShardFilterType::kUnspecified:
    case ShardFilterType::kAfterShardId:
    case ShardFilterType::kFromTrimHorizon:
      break;
  }
  return {};
}

}  // namespace trireme
