// The simulator's time: a queue of things that happen at given moments of
// virtual time. Everything of a simulated cluster runs from it, in one thread;
// equal moments run in the order in which they were asked for.
#ifndef TRIREME_TESTS_SIM_SIM_EVENTS_H_
#define TRIREME_TESTS_SIM_SIM_EVENTS_H_

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"

namespace trireme::sim {

// Virtual time in microseconds since the simulation began.
using Micros = int64_t;
inline constexpr Micros kMillisecond = 1000;
inline constexpr Micros kSecond = 1000 * kMillisecond;

class Events {
 public:
  using Run = absl::AnyInvocable<void()>;

  Micros now() const { return now_; }

  void At(Micros time, Run run) {
    heap_.push_back({std::max(time, now_), next_number_++, std::move(run)});
    std::push_heap(heap_.begin(), heap_.end(), Later);
  }
  void After(Micros delay, Run run) { At(now_ + delay, std::move(run)); }

  // Runs everything up to and including the moment `until`.
  void RunUntil(Micros until) {
    while (!heap_.empty() && heap_.front().time <= until) RunNext();
    now_ = std::max(now_, until);
  }

 private:
  struct Event {
    Micros time;
    uint64_t number;
    Run run;
  };

  static bool Later(const Event& a, const Event& b) {
    return a.time != b.time ? a.time > b.time : a.number > b.number;
  }

  void RunNext() {
    std::pop_heap(heap_.begin(), heap_.end(), Later);
    Event event = std::move(heap_.back());
    heap_.pop_back();
    now_ = event.time;
    event.run();
  }

  Micros now_ = 0;
  uint64_t next_number_ = 0;
  std::vector<Event> heap_;
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_SIM_EVENTS_H_
