#include "server/limits_profile.h"

#include "server/limits.h"

namespace trireme {

std::optional<PutLimits> PutLimitsOf(const LimitsOptions& options,
                                     const Catalog* catalog) {
  if (!options.LimitAny()) return std::nullopt;
  return PutLimits{{kShardRecordsPerSecond, kShardRecordsPerSecond},
                   {kShardBytesPerSecond, kShardBytesBurst},
                   [options, catalog](StreamId id) -> std::optional<bool> {
                     const auto stream = catalog->Find(id);
                     if (stream == nullptr) return std::nullopt;
                     return options.LimitsStream(stream->name);
                   }};
}

}  // namespace trireme
