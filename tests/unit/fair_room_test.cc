#include "replication/fair_room.h"

#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace trireme {
namespace {

TEST(FairRoomTest, OneHolderLeavesHalfForTheNext) {
  FairRoom room(100);
  EXPECT_TRUE(room.Take(1, 40));
  EXPECT_TRUE(room.Take(1, 10));
  EXPECT_FALSE(room.Take(1, 1));
  EXPECT_EQ(room.held(), 50u);
  EXPECT_TRUE(room.Take(2, 20));
  EXPECT_EQ(room.FreeFor(2), 5u);
  EXPECT_TRUE(room.Take(2, 5));
  EXPECT_FALSE(room.Take(2, 1));
  EXPECT_TRUE(room.Take(3, 10));
}

TEST(FairRoomTest, HoldersWhoWantAllComeToHoldTheSame) {
  FairRoom room(1000);
  for (int round = 0; round < 200; ++round) {
    for (uint64_t holder = 1; holder <= 4; ++holder) {
      while (room.Take(holder, 1)) {
      }
      room.Release(holder, room.HeldBy(holder) / 10);
    }
  }
  for (uint64_t holder = 1; holder <= 4; ++holder) {
    EXPECT_NEAR(static_cast<double>(room.HeldBy(holder)), 200, 30) << holder;
  }
  EXPECT_TRUE(room.Take(5, 100));  // The next finds room.
}

TEST(FairRoomTest, RoomIsThereAgainWhenOthersHaveLeft) {
  FairRoom room(100);
  ASSERT_TRUE(room.Take(1, 30));
  ASSERT_TRUE(room.Take(2, 30));
  EXPECT_EQ(room.FreeFor(1), 5u);
  room.Release(2, 30);
  EXPECT_EQ(room.FreeFor(1), 20u);
  EXPECT_TRUE(room.Take(1, 20));
}

TEST(FairRoomTest, WhoHoldsNothingMayTakeMoreThanHisPart) {
  FairRoom room(100);
  EXPECT_TRUE(room.Take(1, 90));
  EXPECT_FALSE(room.Take(2, 11));
  EXPECT_TRUE(room.Take(2, 10));
  room.Release(1, 90);
  room.Release(2, 10);
  EXPECT_TRUE(room.Take(1, 1000));  // Alone.
}

TEST(FairRoomTest, NothingIsLostWhenManyTakeAndRelease) {
  FairRoom room(1000);
  std::vector<std::thread> threads;
  for (uint64_t holder = 0; holder < 4; ++holder) {
    threads.emplace_back([&room, holder] {
      for (uint64_t i = 1; i < 20'000; ++i) {
        const uint64_t amount = i % 300;
        if (room.Take(holder % 2, amount)) room.Release(holder % 2, amount);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(room.held(), 0u);
  EXPECT_EQ(room.HeldBy(0), 0u);
}

}  // namespace
}  // namespace trireme
