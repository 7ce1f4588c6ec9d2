// Adds up what the calls of one load see, while the time is on. Any thread.
#ifndef TRIREME_TESTS_BENCH_TALLY_H_
#define TRIREME_TESTS_BENCH_TALLY_H_

#include <cstdint>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tests/bench/load.h"

namespace trireme::bench {

class Tally {
 public:
  // The time begins now.
  explicit Tally(LoadTimes times)
      : begins_(SteadyNow() + static_cast<int64_t>(times.warm_up_s * 1e9)),
        ends_(begins_ + static_cast<int64_t>(times.measured_s * 1e9)) {
    result_.seconds = times.measured_s;
  }

  bool over() const { return SteadyNow() >= ends_; }

  // A call that was sent then has ended now.
  void Add(int64_t sent_at, uint64_t records, uint64_t failed) {
    const int64_t now = SteadyNow();
    if (now < begins_ || now >= ends_) return;
    absl::MutexLock lock(&mu_);
    result_.records += records;
    result_.failed += failed;
    result_.latencies_ms.push_back(static_cast<double>(now - sent_at) / 1e6);
  }

  LoadResult Take() {
    absl::MutexLock lock(&mu_);
    return std::move(result_);
  }

 private:
  const int64_t begins_;
  const int64_t ends_;
  absl::Mutex mu_;
  LoadResult result_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme::bench

#endif  // TRIREME_TESTS_BENCH_TALLY_H_
