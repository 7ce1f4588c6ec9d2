// What a Producer and its lanes share. Each field is set at construction or has
// a lock of its own.
#ifndef TRIREME_CLIENT_PRODUCER_SHARED_H_
#define TRIREME_CLIENT_PRODUCER_SHARED_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <utility>

#include "client/byte_budget.h"
#include "client/number_window.h"
#include "client/producer_counters.h"
#include "client/producer_options.h"

namespace trireme::client {

struct ProducerShared {
  // The options have an identity.
  explicit ProducerShared(ProducerOptions with)
      : options(std::move(with)),
        budget(options.unanswered_bytes_max, options.unanswered_records_max),
        numbers(std::max<uint64_t>(options.identity->first_number, 1)) {}

  bool is_numbered() const {
    return options.delivery == Delivery::kExactlyOnce;
  }

  const ProducerOptions options;
  ByteBudget budget;
  NumberWindow numbers;
  ProducerCounters counters;
  std::atomic<uint64_t> records_received = 0;
  // Who waits until records are settled: then what is buffered goes as soon as
  // its lane is idle.
  std::atomic<int> waiting = 0;
  // Records were written to other shards than they were sent for.
  std::atomic<bool> shards_changed = false;
};

// While it lives, somebody waits (ProducerShared::waiting).
class Waiting {
 public:
  explicit Waiting(ProducerShared& shared) : shared_(shared) {
    ++shared_.waiting;
  }
  ~Waiting() { --shared_.waiting; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  ProducerShared& shared_;
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_PRODUCER_SHARED_H_
