// Counts for ProducerMetrics. Lanes add once a request and once an answer, not
// once a record. Any thread.
#ifndef TRIREME_CLIENT_PRODUCER_COUNTERS_H_
#define TRIREME_CLIENT_PRODUCER_COUNTERS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/producer_metrics.h"

namespace trireme::client {

class ProducerCounters {
 public:
  // Other codes than the first so many are counted together.
  static constexpr size_t kCodesMax = 64;
  static constexpr char kOtherCodes[] = "Other";

  // Adds all that `more` has.
  void Add(const ProducerMetrics& more) {
    absl::MutexLock lock(&mu_);
    sum_.user_records_put += more.user_records_put;
    sum_.user_records_failed += more.user_records_failed;
    sum_.user_records_data_put += more.user_records_data_put;
    sum_.container_records_put += more.container_records_put;
    sum_.requests_sent += more.requests_sent;
    sum_.container_records_sent += more.container_records_sent;
    sum_.container_bytes_sent += more.container_bytes_sent;
    sum_.retries += more.retries;
    AddTimes(more.buffering_time, sum_.buffering_time);
    AddTimes(more.request_time, sum_.request_time);
    for (const auto& [code, count] : more.errors_by_code) {
      const bool is_known = sum_.errors_by_code.contains(code);
      const bool has_room = sum_.errors_by_code.size() < kCodesMax;
      sum_.errors_by_code[is_known || has_room ? code : kOtherCodes] += count;
      sum_.all_errors += count;
    }
  }

  ProducerMetrics Sum() const {
    absl::MutexLock lock(&mu_);
    return sum_;
  }

 private:
  static void AddTimes(const TimeSummary& more, TimeSummary& sum) {
    sum.count += more.count;
    sum.total += more.total;
    sum.max = std::max(sum.max, more.max);
  }

  mutable absl::Mutex mu_;
  ProducerMetrics sum_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_PRODUCER_COUNTERS_H_
