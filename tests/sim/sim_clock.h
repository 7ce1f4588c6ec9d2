// A node's clocks in virtual time: the monotonic one counts from the node's
// own start of the world, the wall clock is skewed and may jump.
#ifndef TRIREME_TESTS_SIM_SIM_CLOCK_H_
#define TRIREME_TESTS_SIM_SIM_CLOCK_H_

#include "absl/time/time.h"
#include "storage/clock.h"
#include "tests/sim/sim_events.h"

namespace trireme::sim {

class SimClock : public Clock {
 public:
  // `events` must outlive the clock.
  SimClock(const Events* events, absl::Duration monotonic_base)
      : events_(events), monotonic_base_(monotonic_base) {}

  absl::Time WallNow() const override {
    return absl::FromUnixSeconds(1'750'000'000) +
           absl::Microseconds(events_->now()) + wall_offset_;
  }
  absl::Duration MonotonicNow() const override {
    return monotonic_base_ + absl::Microseconds(events_->now());
  }

  void JumpWall(absl::Duration by) { wall_offset_ += by; }

 private:
  const Events* const events_;
  const absl::Duration monotonic_base_;
  absl::Duration wall_offset_;
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_SIM_CLOCK_H_
