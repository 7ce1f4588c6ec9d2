// Waiting times between attempts: doubling from 50 ms to 2 s, each drawn
// evenly from the upper half, so that many clients do not come back together;
// nor do they when a server told all of them to wait. One owner, one thread.
#ifndef TRIREME_CLIENT_BACKOFF_H_
#define TRIREME_CLIENT_BACKOFF_H_

#include <algorithm>

#include "absl/random/random.h"
#include "absl/time/time.h"

namespace trireme::client {

class Backoff {
 public:
  explicit Backoff(absl::Duration first = absl::Milliseconds(50),
                   absl::Duration max = absl::Seconds(2))
      : first_(first), max_(max), next_(first) {}

  absl::Duration Next() {
    const absl::Duration delay = next_ * absl::Uniform(random_, 0.5, 1.0);
    next_ = std::min(next_ * 2, max_);
    return delay;
  }
  // The same, but not before `at_least`: somewhere in the half of it that
  // follows.
  absl::Duration Next(absl::Duration at_least) {
    const absl::Duration delay = Next();
    if (at_least <= delay) return delay;
    return at_least * absl::Uniform(random_, 1.0, 1.5);
  }
  void Reset() { next_ = first_; }

 private:
  const absl::Duration first_;
  const absl::Duration max_;
  absl::Duration next_;
  absl::BitGen random_;
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_BACKOFF_H_
