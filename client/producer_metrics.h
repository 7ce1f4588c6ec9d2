// What a Producer has done since it was made. Values.
#ifndef TRIREME_CLIENT_PRODUCER_METRICS_H_
#define TRIREME_CLIENT_PRODUCER_METRICS_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

#include "absl/time/time.h"

namespace trireme::client {

struct TimeSummary {
  uint64_t count = 0;
  absl::Duration total;
  absl::Duration max;

  void Add(absl::Duration time) {
    ++count;
    total += time;
    max = std::max(max, time);
  }
  absl::Duration mean() const {
    return count == 0 ? absl::ZeroDuration() : total / count;
  }
};

// The names are those of Kinesis's producer library, where it has them
// (kinesis-contract.md §4.3). A container record is what the stream stores: a
// user record, or an aggregate of several.
struct ProducerMetrics {
  uint64_t user_records_received = 0;  // Put has taken them.
  uint64_t user_records_pending = 0;   // Their outcomes are not told yet.
  uint64_t user_records_put = 0;
  uint64_t user_records_failed = 0;    // An unknown outcome is one too.
  uint64_t user_records_data_put = 0;  // Bytes, without keys.
  uint64_t pending_bytes = 0;          // With keys.
  uint64_t container_records_put = 0;
  uint64_t requests_sent = 0;
  uint64_t container_records_sent = 0;  // In all requests, repeated ones too.
  uint64_t container_bytes_sent = 0;    // Their data, compressed or not.
  uint64_t retries = 0;  // Container records that were sent again.
  // Of attempts to put a container record, and of records that expired. Of 64
  // codes; others count as "Other".
  std::map<std::string, uint64_t> errors_by_code;
  uint64_t all_errors = 0;
  TimeSummary buffering_time;  // Of user records, from Put to the first send.
  TimeSummary request_time;    // From sending a request to its answer.
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_PRODUCER_METRICS_H_
