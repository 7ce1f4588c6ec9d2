#include "server/limits_profile.h"

#include "server/limits.h"

namespace trireme {

std::optional<PutLimits> PutLimitsOf(const LimitsOptions& options,
                                     const Catalog* catalog) {
  if (!options.LimitAny()) return std::nullopt;
  return PutLimits{{kShardRecordsPerSecond, kShardRecordsPerSecond},
                   {kShardBytesPerSecond, kShardBytesBurst},
                   [options, catalog](StreamId id) {
                     const auto stream = catalog->Find(id);
                     return options.LimitsStream(
                         stream == nullptr ? absl::string_view()
                                           : absl::string_view(stream->name));
                   }};
}

}  // namespace trireme
