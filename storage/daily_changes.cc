#include "storage/daily_changes.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "storage/errors.h"

namespace trireme {
namespace {

constexpr int64_t kDayMs = 24 * 3'600'000;

absl::string_view OperationOf(DailyChange change) {
  switch (change) {
    case DailyChange::kShardCount:
      return "UpdateShardCount";
    case DailyChange::kMode:
      return "UpdateStreamMode";
    case DailyChange::kEncryptionStart:
      return "StartStreamEncryption";
    case DailyChange::kEncryptionStop:
      return "StopStreamEncryption";
  }
  return "a change";
}

}  // namespace

absl::Status NoteDailyChange(DailyChange change, uint32_t max, int64_t stamp_ms,
                             absl::string_view stream_name,
                             DailyChanges* changes) {
  if (max == 0) return absl::OkStatus();
  std::vector<int64_t>& stamps = (*changes)[change];
  stamps.erase(stamps.begin(), std::upper_bound(stamps.begin(), stamps.end(),
                                                stamp_ms - kDayMs));
  if (stamps.size() >= max) {
    // The one that must be a day old then.
    const absl::Time again =
        absl::FromUnixMillis(stamps[stamps.size() - max] + kDayMs);
    return MakeError(
        ErrorReason::kLimitExceeded,
        absl::StrCat(
            "Rate exceeded for stream ", stream_name, ". ", OperationOf(change),
            " may be done ", max, " times in 24 hours; the next time at ",
            absl::FormatTime(absl::RFC3339_sec, again, absl::UTCTimeZone())));
  }
  stamps.push_back(stamp_ms);
  return absl::OkStatus();
}

}  // namespace trireme
