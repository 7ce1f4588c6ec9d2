#include "storage/daily_changes.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/catalog_tables.h"
#include "storage/errors.h"
#include "tests/unit/state_fixture.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kHour = 3'600'000;
constexpr int64_t kStart = 1'700'000'000'000;

absl::Status Note(DailyChange change, uint32_t max, int64_t at,
                  DailyChanges* changes) {
  return NoteDailyChange(change, max, at, "s", changes);
}

TEST(DailyChangesTest, SoManyPassInAny24Hours) {
  DailyChanges changes;
  EXPECT_OK(Note(DailyChange::kMode, 2, kStart, &changes));
  EXPECT_OK(Note(DailyChange::kMode, 2, kStart + 10 * kHour, &changes));
  const absl::Status refused =
      Note(DailyChange::kMode, 2, kStart + 24 * kHour - 1, &changes);
  EXPECT_EQ(ReasonOf(refused), ErrorReason::kLimitExceeded);
  EXPECT_EQ(refused.message(),
            "Rate exceeded for stream s. UpdateStreamMode may be done 2 times "
            "in 24 hours; the next time at 2023-11-15T22:13:20+00:00");
  EXPECT_OK(Note(DailyChange::kMode, 2, kStart + 24 * kHour, &changes));
  EXPECT_FALSE(Note(DailyChange::kMode, 2, kStart + 30 * kHour, &changes).ok());
  EXPECT_THAT(changes[DailyChange::kMode],
              ElementsAre(kStart + 10 * kHour, kStart + 24 * kHour));
}

TEST(DailyChangesTest, ChangesAreCountedByKind) {
  DailyChanges changes;
  EXPECT_OK(Note(DailyChange::kEncryptionStart, 1, kStart, &changes));
  EXPECT_OK(Note(DailyChange::kEncryptionStop, 1, kStart, &changes));
  EXPECT_FALSE(Note(DailyChange::kEncryptionStart, 1, kStart, &changes).ok());
}

TEST(DailyChangesTest, WithoutALimitNothingIsNoted) {
  DailyChanges changes;
  for (int i = 0; i < 100; ++i) {
    EXPECT_OK(Note(DailyChange::kMode, 0, kStart, &changes));
  }
  EXPECT_TRUE(changes.empty());
}

// All replicas count the same: by the stamps, in what the catalogue stores.
TEST(DailyChangesTest, UpdateShardCountIsCountedInTheCatalogue) {
  Replica replica;
  replica.Command(0, CreateStream("s", 2), kStart);
  v1::Command activate;
  activate.mutable_activate_stream()->set_stream_id(1);
  replica.Command(0, activate, kStart);
  int64_t now = kStart;
  const auto update = [&](uint32_t target) {
    v1::Command command;
    command.mutable_update_shard_count()->set_stream_id(1);
    command.mutable_update_shard_count()->set_target(target);
    command.mutable_update_shard_count()->set_times_a_day_max(10);
    absl::Status status = replica.Command(0, command, now).status;
    // The parents are sealed.
    v1::Command complete;
    complete.mutable_complete_reshards()->set_stream_id(1);
    for (const Reshard& reshard :
         replica.state().catalog().Find("s")->reshards) {
      for (const ShardIndex parent : reshard.parents) {
        auto* end = complete.mutable_complete_reshards()->add_ends();
        end->set_shard(parent.value());
        end->set_end_counter(MakeCounter(50 + parent.value(), 0));
      }
    }
    replica.Command(0, complete, now);
    return status;
  };
  for (uint32_t i = 0; i < 10; ++i) {
    now += kHour;
    ASSERT_OK(update(i % 2 == 0 ? 4 : 2)) << i;
    // What changes nothing is not counted.
    ASSERT_OK(update(i % 2 == 0 ? 4 : 2)) << i;
  }
  // A crash forgets nothing.
  EXPECT_OK(replica.state().Flush());
  replica.Crash();
  now += kHour;
  const absl::Status refused = update(4);
  EXPECT_EQ(ReasonOf(refused), ErrorReason::kLimitExceeded);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("UpdateShardCount may be done 10 times in 24 hours"));
  now = kStart + 25 * kHour;
  EXPECT_OK(update(4));
}

}  // namespace
}  // namespace trireme
