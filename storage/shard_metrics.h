// Which metrics a stream's shards report one by one: enhanced monitoring
// (kinesis-contract.md §1.1, §1.7, §7.1).
#ifndef TRIREME_STORAGE_SHARD_METRICS_H_
#define TRIREME_STORAGE_SHARD_METRICS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"

namespace trireme {

// A set of metrics. As bits it is written to disk: never renumber.
class ShardMetrics {
 public:
  ShardMetrics() = default;
  // Bits that mean no metric are dropped.
  static ShardMetrics FromBits(uint32_t bits);
  // One metric by its name, e.g. "IncomingBytes", or all by "ALL".
  static std::optional<ShardMetrics> Parse(absl::string_view name);
  // What Parse takes, in the contract's order.
  static std::vector<absl::string_view> AllNames();

  uint32_t bits() const { return bits_; }
  // Of the metrics in the set; never "ALL".
  std::vector<absl::string_view> Names() const;

  ShardMetrics With(ShardMetrics more) const {
    return FromBits(bits_ | more.bits_);
  }
  ShardMetrics Without(ShardMetrics less) const {
    return FromBits(bits_ & ~less.bits_);
  }
  friend bool operator==(const ShardMetrics&, const ShardMetrics&) = default;

 private:
  uint32_t bits_ = 0;
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_SHARD_METRICS_H_
