#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "client/byte_budget.h"

namespace trireme::client {
namespace {

TEST(ByteBudgetTest, AFlushWaitsForWhatCameBeforeItOnly) {
  ByteBudget budget(100, 100);
  const auto before = budget.Acquire(1);
  ASSERT_TRUE(before.has_value());
  std::atomic<bool> flushed = false;
  std::thread flusher([&] {
    budget.Flush();
    flushed = true;
  });
  // The flush has begun when what comes is of the other half.
  auto after = budget.Acquire(1);
  while (after == before) {
    budget.Release(
        1, *after == 0 ? ByteBudget::Counts{1, 0} : ByteBudget::Counts{0, 1});
    after = budget.Acquire(1);
  }
  EXPECT_FALSE(flushed);
  budget.Release(
      1, *before == 0 ? ByteBudget::Counts{1, 0} : ByteBudget::Counts{0, 1});
  flusher.join();
  EXPECT_EQ(budget.count(), 1u);
}

}  // namespace
}  // namespace trireme::client
