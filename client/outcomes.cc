#include "client/outcomes.h"

#include "client/error.h"

namespace trireme::client {

void Outcomes::Add(Member& member, absl::StatusOr<PutOutcome> outcome) {
  if (outcome.ok()) {
    ++counts_.user_records_put;
    counts_.user_records_data_put += member.data_bytes;
  } else {
    ++counts_.user_records_failed;
  }
  member.is_told = true;
  if (member.done)
    told_.emplace_back(std::move(member.done), std::move(outcome));
}

void Outcomes::AddError(const absl::Status& error) {
  std::string code = Reason(error);
  if (code.empty()) code = absl::StatusCodeToString(error.code());
  ++counts_.errors_by_code[code];
}

void Outcomes::Tell(NumberWindow& numbers, ByteBudget& budget,
                    ProducerCounters& counters) {
  counters.Add(std::exchange(counts_, {}));
  for (auto& [done, outcome] : std::exchange(told_, {})) {
    done(std::move(outcome));
  }
  for (const uint64_t number : std::exchange(numbers_, {})) {
    numbers.Settle(number);
  }
  if (records_ != ByteBudget::Counts()) budget.Release(bytes_, records_);
  bytes_ = 0;
  records_ = {};
}

}  // namespace trireme::client
