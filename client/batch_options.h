// How a shard's records are made into batches, and what happens to batches that
// fail: the settings of an event source mapping (kinesis-contract.md §6.1), by
// our names. docs/batch-processing.md explains them.
#ifndef TRIREME_CLIENT_BATCH_OPTIONS_H_
#define TRIREME_CLIENT_BATCH_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/failure_destination.h"

namespace trireme::client {

struct BatchOptions {
  static constexpr int kBatchSizeMax = 10'000;
  static constexpr uint64_t kBatchBytesMax = uint64_t{64} << 20;
  static constexpr absl::Duration kBatchingWindowMax = absl::Seconds(300);
  static constexpr int kParallelizationFactorMax = 10;
  static constexpr absl::Duration kRecordAgeMin = absl::Seconds(60);
  static constexpr absl::Duration kRecordAgeMax = absl::Seconds(604'800);
  static constexpr int kRetryAttemptsMax = 10'000;
  static constexpr absl::Duration kTumblingWindowMax = absl::Seconds(900);

  // Records of a batch, 1..10,000.
  int batch_size = 100;
  // Keys and data of a batch, 1 byte to 64 MiB. One record may have more.
  uint64_t batch_bytes_max = 6 << 20;
  // A batch that is not full waits so long for more records, 0..300 s.
  absl::Duration batching_window = absl::ZeroDuration();
  // Batches of a shard that are worked on at once, each on a thread of its own,
  // 1..10. Records of one partition key stay in order.
  int parallelization_factor = 1;
  // Older records are discarded: 60..604,800 s, or infinite.
  absl::Duration max_record_age = absl::InfiniteDuration();
  // A batch that failed once and so many times again is discarded: 0..10,000,
  // or -1: never.
  int max_retry_attempts = -1;
  // A batch that fails is split in two, and each part tried on its own. That
  // uses up no attempts.
  bool bisect_on_error = false;
  // BatchResult::failed counts.
  bool report_batch_item_failures = false;
  // 1..900 whole seconds, or 0: none. Not with a parallelization factor.
  absl::Duration tumbling_window = absl::ZeroDuration();
  // Records that match none of these patterns are skipped; at most 5
  // (client/event_filter.h). None: all are handled.
  std::vector<std::string> filters;
  // Where discarded batches are told of. Null: nowhere.
  std::shared_ptr<FailureDestination> failure_destination;
  // For what the failure destination is told; the lease has the name alone.
  std::string stream_arn;
  // The time of day; any thread.
  std::function<absl::Time()> now = absl::Now;
};

// Errors: InvalidArgument (InvalidArgumentException) that names the option, its
// value and its range. Does not look into the filters.
absl::Status Validate(const BatchOptions& options);

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_BATCH_OPTIONS_H_
