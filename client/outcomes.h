// Outcomes of user records, gathered under a lane's lock and told outside it.
// One thread.
#ifndef TRIREME_CLIENT_OUTCOMES_H_
#define TRIREME_CLIENT_OUTCOMES_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/byte_budget.h"
#include "client/number_window.h"
#include "client/producer_counters.h"
#include "client/producer_record.h"

namespace trireme::client {

// Who waits for the outcome of a user record.
struct Member {
  PutCallback done;
  absl::Time put_at;
  absl::Time expires;
  uint64_t tag = 0;
  uint64_t key_bytes = 0;
  uint64_t data_bytes = 0;
  ByteBudget::Half half = 0;
  bool has_time_to_live = false;  // Of its own.
  bool is_told = false;

  uint64_t bytes() const { return key_bytes + data_bytes; }
};

class Outcomes {
 public:
  // Once for each member.
  void Add(Member& member, absl::StatusOr<PutOutcome> outcome);
  // So many are going to be added.
  void Reserve(size_t count) { told_.reserve(told_.size() + count); }
  // A failed attempt.
  void AddError(const absl::Status& error);
  // The container is written.
  void AddContainer() { ++counts_.container_records_put; }
  // It needs no room any more.
  void Release(const Member& member) {
    bytes_ += member.bytes();
    ++records_[member.half];
  }
  // It will not be sent any more. 0: none.
  void Settle(uint64_t number) {
    if (number != 0) numbers_.push_back(number);
  }
  void AddRequestTime(absl::Duration time) { counts_.request_time.Add(time); }

  // Calls the callbacks, then makes room. Nothing is left. Not under a lock.
  void Tell(NumberWindow& numbers, ByteBudget& budget,
            ProducerCounters& counters);

 private:
  std::vector<std::pair<PutCallback, absl::StatusOr<PutOutcome>>> told_;
  std::vector<uint64_t> numbers_;
  uint64_t bytes_ = 0;
  ByteBudget::Counts records_ = {};
  ProducerMetrics counts_;
};

}  // namespace trireme::client

#endif  // TRIREME_CLIENT_OUTCOMES_H_
