// The clock seam: the product reads the machine's clocks, the simulator its
// own. Time enters replicated state only through the log (design.md D6).
#ifndef TRIREME_STORAGE_CLOCK_H_
#define TRIREME_STORAGE_CLOCK_H_

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

}  // namespace trireme

#endif  // TRIREME_STORAGE_CLOCK_H_
