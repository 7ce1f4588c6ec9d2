// Changes of a stream of which Kinesis allows so many in any 24 hours
// (kinesis-contract.md §1.4, §1.7). They are counted in the catalogue, by the
// stamps of the commands that make them (design.md D6), and only while a limit
// is asked for.
#ifndef TRIREME_STORAGE_DAILY_CHANGES_H_
#define TRIREME_STORAGE_DAILY_CHANGES_H_

#include <cstdint>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace trireme {

// Written to disk; never renumber.
enum class DailyChange : uint32_t {
  kShardCount = 1,       // UpdateShardCount
  kMode = 2,             // UpdateStreamMode
  kEncryptionStart = 3,  // StartStreamEncryption
  kEncryptionStop = 4,   // StopStreamEncryption
};

// The stamps, Unix milliseconds, of those of the last 24 hours, oldest first.
using DailyChanges = absl::btree_map<DailyChange, std::vector<int64_t>>;

// Notes one more at `stamp_ms`. LimitExceeded, and nothing noted, beyond `max`
// (0: no limit, and nothing is noted).
absl::Status NoteDailyChange(DailyChange change, uint32_t max, int64_t stamp_ms,
                             absl::string_view stream_name,
                             DailyChanges* changes);

}  // namespace trireme

#endif  // TRIREME_STORAGE_DAILY_CHANGES_H_
