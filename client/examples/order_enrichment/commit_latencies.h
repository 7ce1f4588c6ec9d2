// How long each item took, from when it was put to when it was committed; and
// how many were given again. Any thread.
#ifndef TRIREME_CLIENT_EXAMPLES_ORDER_ENRICHMENT_COMMIT_LATENCIES_H_
#define TRIREME_CLIENT_EXAMPLES_ORDER_ENRICHMENT_COMMIT_LATENCIES_H_

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace trireme::examples {

struct LatencySummary {
  double mean_ms = 0;
  double p50_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
  absl::Time last_commit;
  size_t repeated = 0;
};

class CommitLatencies {
 public:
  // Of one batch that is committed: when its new items were put.
  void Add(const std::vector<int64_t>& put_at_ns, size_t repeated) {
    const int64_t now = absl::GetCurrentTimeNanos();
    absl::MutexLock lock(&mu_);
    for (const int64_t put : put_at_ns) nanoseconds_.push_back(now - put);
    repeated_ += repeated;
    last_commit_ = absl::FromUnixNanos(now);
  }

  // False when nothing was committed for so long.
  bool Await(size_t items, absl::Duration patience) {
    absl::MutexLock lock(&mu_);
    while (nanoseconds_.size() < items) {
      const size_t before = nanoseconds_.size();
      auto grew = [this, before]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
        return nanoseconds_.size() > before;
      };
      if (!mu_.AwaitWithTimeout(absl::Condition(&grew), patience)) return false;
    }
    return true;
  }

  size_t items() {
    absl::MutexLock lock(&mu_);
    return nanoseconds_.size();
  }

  LatencySummary Summarize() {
    absl::MutexLock lock(&mu_);
    if (nanoseconds_.empty()) return {};
    std::sort(nanoseconds_.begin(), nanoseconds_.end());
    const double sum =
        std::accumulate(nanoseconds_.begin(), nanoseconds_.end(), 0.0);
    const size_t count = nanoseconds_.size();
    const auto at = [this](size_t place) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return static_cast<double>(nanoseconds_[place]) / 1e6;
    };
    return {sum / 1e6 / static_cast<double>(count),
            at((count - 1) / 2),
            at((count - 1) * 99 / 100),
            at(count - 1),
            last_commit_,
            repeated_};
  }

 private:
  absl::Mutex mu_;
  std::vector<int64_t> nanoseconds_ ABSL_GUARDED_BY(mu_);
  size_t repeated_ ABSL_GUARDED_BY(mu_) = 0;
  absl::Time last_commit_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme::examples

#endif  // TRIREME_CLIENT_EXAMPLES_ORDER_ENRICHMENT_COMMIT_LATENCIES_H_
