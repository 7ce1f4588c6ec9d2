// Which rates a node holds its callers to (design.md D13): none of its own, or
// those of Kinesis. The same on every node of a cluster.
#ifndef TRIREME_SERVER_LIMITS_PROFILE_H_
#define TRIREME_SERVER_LIMITS_PROFILE_H_

#include <optional>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"
#include "replication/shard_rates.h"
#include "storage/catalog.h"

namespace trireme {

enum class LimitsProfile { kNone, kKinesis };

struct LimitsOptions {
  LimitsProfile profile = LimitsProfile::kNone;
  // Of streams, by name, that differ from the rest.
  absl::btree_map<std::string, LimitsProfile> of_streams;

  bool LimitsStream(absl::string_view name) const {
    const auto found = of_streams.find(name);
    return (found == of_streams.end() ? profile : found->second) ==
           LimitsProfile::kKinesis;
  }
  // Calls that concern no stream, or many.
  bool LimitsAccount() const { return profile == LimitsProfile::kKinesis; }
  // Whether anything is limited at all.
  bool LimitAny() const {
    if (LimitsAccount()) return true;
    for (const auto& [name, of_stream] : of_streams) {
      if (of_stream == LimitsProfile::kKinesis) return true;
    }
    return false;
  }
};

// For the leaders of groups, which count what is put; `catalog` must outlive
// it. Nothing when no stream is limited.
std::optional<PutLimits> PutLimitsOf(const LimitsOptions& options,
                                     const Catalog* catalog);

}  // namespace trireme

#endif  // TRIREME_SERVER_LIMITS_PROFILE_H_
