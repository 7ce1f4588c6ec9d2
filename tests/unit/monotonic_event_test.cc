#include "storage/monotonic_event.h"

#include <thread>

#include "gtest/gtest.h"
#include "storage/clock.h"

namespace trireme {
namespace {

TEST(MonotonicEventTest, AWaitEndsWhenItsTimeHasPassed) {
  MonotonicEvent event;
  const absl::Duration start = SystemClock::Get()->MonotonicNow();
  EXPECT_FALSE(event.WaitFor(absl::Milliseconds(20)));
  EXPECT_GE(SystemClock::Get()->MonotonicNow() - start, absl::Milliseconds(20));
  EXPECT_FALSE(event.WaitFor(absl::ZeroDuration()));
}

TEST(MonotonicEventTest, AWaitEndsWhenItIsSet) {
  MonotonicEvent event;
  std::thread setter([&] { event.Set(); });
  EXPECT_TRUE(event.WaitFor(absl::InfiniteDuration()));
  setter.join();
  EXPECT_TRUE(event.WaitFor(absl::Hours(1)));  // Set stays set.
  event.Reset();
  EXPECT_FALSE(event.WaitFor(absl::ZeroDuration()));
}

}  // namespace
}  // namespace trireme
