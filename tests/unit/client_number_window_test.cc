#include <gtest/gtest.h>

#include "client/number_window.h"

namespace trireme::client {
namespace {

TEST(NumberWindowTest, NumbersStayWithinTheWindow) {
  NumberWindow window(5);
  for (size_t i = 0; i < NumberWindow::kSize; ++i) {
    EXPECT_EQ(window.Take(), 5 + i);
  }
  std::thread waiting(
      [&] { EXPECT_EQ(window.Take(), 5 + NumberWindow::kSize); });
  window.Settle(6);
  EXPECT_EQ(window.oldest(), 5u);
  window.Settle(5);
  waiting.join();
  EXPECT_EQ(window.oldest(), 7u);
  window.Close();
  EXPECT_EQ(window.Take(), 0u);
}

TEST(NumberWindowTest, KeepsSomeNumbersForLanes) {
  NumberWindow window(1);
  for (size_t i = 1; i <= NumberWindow::kSize; ++i) {
    EXPECT_EQ(window.TryTake(), i);
  }
  EXPECT_EQ(window.TryTake(), 0u);
  EXPECT_FALSE(window.AwaitRoom(absl::Now()));
  for (size_t i = 0; i < NumberWindow::kReserve; ++i) {
    EXPECT_NE(window.TakeReserved(), 0u);
  }
  EXPECT_EQ(window.TakeReserved(), 0u);
  window.Settle(1);
  EXPECT_EQ(window.TakeReserved(),
            NumberWindow::kSize + NumberWindow::kReserve + 1);
  window.Close();
  EXPECT_TRUE(window.AwaitRoom(absl::Now()));
  EXPECT_EQ(window.TakeReserved(), 0u);
}

}  // namespace
}  // namespace trireme::client
