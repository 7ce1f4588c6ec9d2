// Subscribers of shards by gRPC: count and time the records of RunPaced that
// are pushed to them. Thread-safe.
#ifndef TRIREME_TESTS_BENCH_SUBSCRIBERS_H_
#define TRIREME_TESTS_BENCH_SUBSCRIBERS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/subscriber.h"

namespace trireme::bench {

class Subscribers {
 public:
  struct Wanted {
    std::string shard;
    std::string consumer_arn;  // Empty: none is registered.
  };

  // Counts records of that size only: not the short ones that opened the
  // shards. `client` must outlive them.
  Subscribers(client::Client& client, const std::string& stream,
              const std::vector<Wanted>& wanted, uint32_t record_bytes);

  // Stops the run if they do not come in 30 seconds.
  void AwaitRecords(uint64_t count);

  std::vector<double> Latencies();  // Of each record, in milliseconds.
  int64_t last();                   // When the last one came.
  double bytes();

 private:
  void OnEvent(const v1::SubscribeToShardEvent& event);
  bool Enough() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return records_ >= awaited_;
  }

  const uint32_t record_bytes_;  // Set at construction.

  absl::Mutex mu_;
  uint64_t records_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t awaited_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t last_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<double> latencies_ms_ ABSL_GUARDED_BY(mu_);
  std::vector<std::unique_ptr<client::Subscriber>> subscribers_;  // Last.
};

}  // namespace trireme::bench

#endif  // TRIREME_TESTS_BENCH_SUBSCRIBERS_H_
