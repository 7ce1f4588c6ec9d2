#include "storage/shard_metrics.h"

#include <array>
#include <cstddef>

namespace trireme {
namespace {

// A metric's place is its bit: written to disk, never renumber.
constexpr std::array<absl::string_view, 7> kNames = {
    "IncomingBytes",
    "IncomingRecords",
    "OutgoingBytes",
    "OutgoingRecords",
    "WriteProvisionedThroughputExceeded",
    "ReadProvisionedThroughputExceeded",
    "IteratorAgeMilliseconds"};
constexpr absl::string_view kAll = "ALL";
constexpr uint32_t kAllBits = (1u << kNames.size()) - 1;

}  // namespace

ShardMetrics ShardMetrics::FromBits(uint32_t bits) {
  ShardMetrics metrics;
  metrics.bits_ = bits & kAllBits;
  return metrics;
}

std::optional<ShardMetrics> ShardMetrics::Parse(absl::string_view name) {
  if (name == kAll) return FromBits(kAllBits);
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) return FromBits(1u << i);
  }
  return std::nullopt;
}

std::vector<absl::string_view> ShardMetrics::AllNames() {
  std::vector<absl::string_view> names(kNames.begin(), kNames.end());
  names.push_back(kAll);
  return names;
}

std::vector<absl::string_view> ShardMetrics::Names() const {
  std::vector<absl::string_view> names;
  for (size_t i = 0; i < kNames.size(); ++i) {
    if ((bits_ & (1u << i)) != 0) names.push_back(kNames[i]);
  }
  return names;
}

}  // namespace trireme
