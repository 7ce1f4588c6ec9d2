#include "client/done_positions.h"
#include "gtest/gtest.h"
#include "tests/unit/batch_fixture.h"

namespace trireme::client {
namespace {

TEST(DonePositionsTest, TheFirstUnfinishedRecordBoundsWhatIsDone) {
  DonePositions positions;
  EXPECT_EQ(positions.done(), std::nullopt);
  const uint64_t first = positions.Add(PositionOf(1));
  const uint64_t second = positions.Add(PositionOf(2));
  const uint64_t third = positions.Add(PositionOf(3));
  positions.Finish(third);
  EXPECT_EQ(positions.done(), std::nullopt);
  EXPECT_EQ(positions.size(), 3u);
  positions.Finish(first);
  EXPECT_EQ(positions.done(), PositionOf(1));
  positions.Finish(second);
  EXPECT_EQ(positions.done(), PositionOf(3));
  EXPECT_EQ(positions.size(), 0u);
}

TEST(DonePositionsTest, RecordsDoneWithoutMoreTakeNoRoom) {
  DonePositions positions;
  positions.AddDone(PositionOf(1));
  EXPECT_EQ(positions.done(), PositionOf(1));
  const uint64_t second = positions.Add(PositionOf(2));
  positions.AddDone(PositionOf(3));
  positions.AddDone(PositionOf(4));
  EXPECT_EQ(positions.size(), 1u);
  EXPECT_EQ(positions.done(), PositionOf(1));
  positions.Finish(second);
  EXPECT_EQ(positions.done(), PositionOf(4));
}

}  // namespace
}  // namespace trireme::client
