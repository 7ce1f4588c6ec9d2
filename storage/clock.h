// The clock seam: the product reads the machine's clocks, the simulator its
// own. Time enters replicated state only through the log (design.md D6).
#ifndef TRIREME_STORAGE_CLOCK_H_
#define TRIREME_STORAGE_CLOCK_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace trireme {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time; one machine's may jump or be wrong. What is decided by the time
  // of day goes by the cluster's (replication/cluster_clock.h).
  virtual absl::Time WallNow() const = 0;
  // Time since some fixed moment; never goes back. All timeouts use it.
  virtual absl::Duration MonotonicNow() const = 0;
};

// The machine's clocks. Thread-safe.
class SystemClock : public Clock {
 public:
  static SystemClock* Get();
  absl::Time WallNow() const override;
  absl::Duration MonotonicNow() const override;
};

// The second a stamp is of; all before 1970 are of the first.
inline uint64_t UnixSecondOf(int64_t stamp_ms) {
  return static_cast<uint64_t>(std::max<int64_t>(stamp_ms, 0)) / 1000;
}

}  // namespace trireme

#endif  // TRIREME_STORAGE_CLOCK_H_
