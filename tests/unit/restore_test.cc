#include "replication/restore.h"

#include <utility>

#include "gtest/gtest.h"

namespace trireme {
namespace {

// A group's log with entries `first`..`last` of term 1.
ReplayedGroup LogOf(LogIndex first, LogIndex last, LogIndex trim = 0) {
  ReplayedGroup group;
  group.hard_state.term = 1;
  group.trim = trim;
  for (LogIndex i = first; i <= last; ++i) group.entries.push_back({i, 1});
  return group;
}

AppliedPosition AppliedTo(LogIndex index, LogIndex installed = 0) {
  AppliedPosition position;
  position.index = index;
  position.term = index == 0 ? 0 : 1;
  position.installed = installed;
  return position;
}

TEST(RestoreTest, EntriesBehindTheAppliedOneAreKept) {
  const RestoredGroup restored = RestoreGroup(LogOf(5, 20), AppliedTo(12));
  EXPECT_FALSE(restored.damaged);
  EXPECT_EQ(restored.core.base_index, 5u);
  ASSERT_EQ(restored.core.entries.size(), 15u);
  EXPECT_EQ(restored.core.entries.front().index, 6u);
  EXPECT_EQ(restored.core.applied, 12u);
}

TEST(RestoreTest, ALogThatEndsBelowWhatItBuiltHasLostEntries) {
  for (LogIndex last = 4; last < 12; ++last) {
    EXPECT_TRUE(RestoreGroup(LogOf(5, last), AppliedTo(12)).damaged) << last;
  }
  EXPECT_FALSE(RestoreGroup(LogOf(5, 12), AppliedTo(12)).damaged);
}

TEST(RestoreTest, AnInstalledStateMayBeAheadOfTheLog) {
  for (LogIndex last = 4; last < 12; ++last) {
    const RestoredGroup restored =
        RestoreGroup(LogOf(5, last), AppliedTo(12, /*installed=*/12));
    EXPECT_FALSE(restored.damaged) << last;
    EXPECT_EQ(restored.core.base_index, 12u);
    EXPECT_TRUE(restored.core.entries.empty());
  }
}

TEST(RestoreTest, EntriesAppliedAfterAnInstalledStateMustBeInTheLog) {
  const AppliedPosition applied = AppliedTo(14, /*installed=*/12);
  EXPECT_TRUE(RestoreGroup(LogOf(1, 0), applied).damaged);
  EXPECT_TRUE(RestoreGroup(LogOf(13, 13), applied).damaged);
  EXPECT_FALSE(RestoreGroup(LogOf(13, 14), applied).damaged);
}

TEST(RestoreTest, ALogThatIsTrimmedToItsEndIsWhole) {
  EXPECT_FALSE(RestoreGroup(LogOf(1, 0, /*trim=*/12), AppliedTo(12)).damaged);
  EXPECT_TRUE(RestoreGroup(LogOf(1, 0, /*trim=*/11), AppliedTo(12)).damaged);
}

TEST(RestoreTest, AGapBetweenStateAndLogIsLostEntries) {
  EXPECT_TRUE(RestoreGroup(LogOf(14, 20), AppliedTo(12)).damaged);
  EXPECT_FALSE(RestoreGroup(LogOf(13, 20), AppliedTo(12)).damaged);
}

}  // namespace
}  // namespace trireme
