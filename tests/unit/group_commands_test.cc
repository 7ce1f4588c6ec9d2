#include "storage/group_commands.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/errors.h"
#include "tests/unit/group_commands_fixture.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
TEST_F(GroupCommandsTest, TheFirstWorkerMakesTheGroupWithALeaseAShard) {
  AddShard();
  AddShard();
  const auto worker = Join("w");
  ASSERT_OK(worker);
  EXPECT_EQ(*worker, 101u);
  EXPECT_EQ(group_, 101u);
  EXPECT_THAT(Leased(), ElementsAre(0, 1));
  EXPECT_EQ(LeaseOf(0).owner, 0u);
  const auto other = Join("v");
  ASSERT_OK(other);
  EXPECT_EQ(group_, 101u);
  EXPECT_EQ(group().workers.size(), 2u);
}

TEST_F(GroupCommandsTest, JoiningIsRefusedWithTheNameAndTheLimit) {
  AddShard();
  ASSERT_OK(Join("w"));
  const absl::Status full = Join("v", {}, 1).status();
  EXPECT_EQ(ReasonOf(full), ErrorReason::kLimitExceeded);
  EXPECT_THAT(std::string(full.message()),
              HasSubstr("consumer group g has its limit of workers: 1"));
  EXPECT_EQ(ReasonOf(Join("").status()), ErrorReason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(Join(std::string(257, 'w')).status()),
            ErrorReason::kInvalidArgument);
  stream_.status = StreamStatus::kDeleting;
  Publish();
  EXPECT_EQ(ReasonOf(Join("v").status()), ErrorReason::kResourceNotFound);
  EXPECT_EQ(group().workers.size(), 1u);
}

TEST_F(GroupCommandsTest, AWorkerOfTheSameNameTakesItsLeasesBack) {
  AddShard();
  const auto first = Join("w");
  Assign(0, *first);
  const uint64_t counter = LeaseOf(0).counter;
  const auto second = Join("w");
  ASSERT_OK(second);
  EXPECT_EQ(LeaseOf(0).owner, *second);
  EXPECT_EQ(group().workers.size(), 1u);
  EXPECT_EQ(Checkpoint(0, *first, At(1), counter),
            Outcomes::OUTCOME_LEASE_LOST);
  EXPECT_FALSE(Hear(*first));
}

TEST_F(GroupCommandsTest, OneThatWasHeardSinceIsNotExpired) {
  AddShard();
  const auto worker = Join("w");
  Assign(0, *worker);
  EXPECT_TRUE(Hear(*worker, {{0, 77}}));
  EXPECT_EQ(LeaseOf(0).bytes_per_second, 77u);
  ASSERT_OK(Remove(*worker, 0));
  EXPECT_EQ(LeaseOf(0).owner, *worker);
  ASSERT_OK(Remove(*worker, 1));
  EXPECT_EQ(LeaseOf(0).owner, 0u);
  EXPECT_FALSE(Hear(*worker));
  EXPECT_THAT(group().workers, IsEmpty());
}

TEST_F(GroupCommandsTest, AHandOffWaitsForTheOwnerUnlessItIsForced) {
  AddShard();
  const auto a = Join("a");
  const auto b = Join("b");
  Assign(0, *a);
  Assign(0, *b);
  EXPECT_EQ(LeaseOf(0).owner, *a);
  EXPECT_EQ(LeaseOf(0).next_owner, *b);
  EXPECT_EQ(Checkpoint(0, *a, At(5)), Outcomes::OUTCOME_DONE);
  EXPECT_EQ(Release(0, *a), Outcomes::OUTCOME_DONE);
  EXPECT_EQ(LeaseOf(0).owner, *b);
  EXPECT_EQ(LeaseOf(0).checkpoint, At(5));
  EXPECT_EQ(Release(0, *a), Outcomes::OUTCOME_LEASE_LOST);
  Assign(0, *a, /*forced=*/true);
  EXPECT_EQ(LeaseOf(0).owner, *a);
  EXPECT_EQ(LeaseOf(0).next_owner, 0u);
}

TEST_F(GroupCommandsTest, WhatWasPlannedOnAnOlderCounterIsNotDone) {
  AddShard();
  const auto a = Join("a");
  const auto b = Join("b");
  const uint64_t planned_on = LeaseOf(0).counter;
  Assign(0, *a);
  Assign(0, *b, /*forced=*/true, planned_on);
  EXPECT_EQ(LeaseOf(0).owner, *a);
  Assign(0, /*worker=*/7);
  EXPECT_EQ(LeaseOf(0).owner, *a);
}

TEST_F(GroupCommandsTest, AHandOffToOneThatDiesIsOff) {
  AddShard();
  const auto a = Join("a");
  const auto b = Join("b");
  Assign(0, *a);
  Assign(0, *b);
  ASSERT_OK(Remove(*b));
  EXPECT_EQ(LeaseOf(0).owner, *a);
  EXPECT_EQ(LeaseOf(0).next_owner, 0u);
}

TEST_F(GroupCommandsTest, ACheckpointNeverGoesBackNorComesFromAFormerOwner) {
  AddShard();
  const auto a = Join("a");
  Assign(0, *a);
  const uint64_t counter = LeaseOf(0).counter;
  EXPECT_EQ(Checkpoint(0, *a, At(5, 2)), Outcomes::OUTCOME_DONE);
  EXPECT_EQ(Checkpoint(0, *a, At(5, 2)), Outcomes::OUTCOME_DONE);
  EXPECT_EQ(Checkpoint(0, *a, At(5, 1)), Outcomes::OUTCOME_BEHIND);
  EXPECT_EQ(Checkpoint(0, *a, {}), Outcomes::OUTCOME_BEHIND);
  EXPECT_EQ(Checkpoint(0, *a, kLatest), Outcomes::OUTCOME_BEHIND);
  const auto b = Join("b");
  Assign(0, *b, /*forced=*/true);
  EXPECT_EQ(Checkpoint(0, *a, At(9), counter), Outcomes::OUTCOME_LEASE_LOST);
  EXPECT_EQ(Checkpoint(0, *b, At(9), counter), Outcomes::OUTCOME_LEASE_LOST);
  EXPECT_EQ(LeaseOf(0).checkpoint, At(5, 2));
}

TEST_F(GroupCommandsTest, OneStartIsNoProgressFromAnother) {
  AddShard();
  const auto a = Join("a");
  Assign(0, *a);
  EXPECT_EQ(Checkpoint(0, *a, kLatest), Outcomes::OUTCOME_BEHIND);
  EXPECT_EQ(Checkpoint(0, *a, {}), Outcomes::OUTCOME_DONE);
  EXPECT_EQ(LeaseOf(0).checkpoint, LeasePosition());
}

TEST_F(GroupCommandsTest, AWorkerThatComesBackMakesNoGroup) {
  AddShard();
  v1::GroupCommand command;
  v1::JoinGroupCommand& join = *command.mutable_join_group();
  join.set_stream_id(1);
  join.set_group_name("g");
  join.set_worker_name("a");
  join.mutable_settings()->set_lease_ms(10'000);
  join.set_existing_only(true);
  EXPECT_EQ(ReasonOf(Do(command).status), ErrorReason::kResourceNotFound);
  EXPECT_TRUE(groups_.empty());
  ASSERT_OK(Join("b"));
  EXPECT_OK(Do(command).status);
}

TEST_F(GroupCommandsTest, APendingCheckpointStandsBesideTheOther) {
  AddShard();
  const auto a = Join("a");
  Assign(0, *a);
  EXPECT_EQ(Checkpoint(0, *a, At(5), std::nullopt, "mine"),
            Outcomes::OUTCOME_DONE);
  EXPECT_EQ(LeaseOf(0).checkpoint, LeasePosition());
  EXPECT_EQ(LeaseOf(0).pending, (PendingCheckpoint{At(5), "mine"}));
  EXPECT_EQ(Checkpoint(0, *a, At(5)), Outcomes::OUTCOME_DONE);
  EXPECT_EQ(LeaseOf(0).pending, std::nullopt);
}

TEST_F(GroupCommandsTest, PendingStatesOfAGroupAreBounded) {
  const std::string state(kPendingStateBytesMax, 'x');
  constexpr uint32_t kFit = kPendingStatesBytesMax / kPendingStateBytesMax;
  for (uint32_t i = 0; i <= kFit; ++i) AddShard();
  const auto a = Join("a");
  for (uint32_t i = 0; i <= kFit; ++i) Assign(i, *a);
  const auto announce = [&](uint32_t shard) {
    return Checkpoint(shard, *a, At(5), std::nullopt, state.c_str());
  };
  for (uint32_t i = 0; i < kFit; ++i) {
    ASSERT_EQ(announce(i), Outcomes::OUTCOME_DONE);
  }
  EXPECT_EQ(announce(kFit), Outcomes::OUTCOME_NO_ROOM);
  EXPECT_EQ(LeaseOf(kFit).pending, std::nullopt);
  // Its own place is its own again, and what is checkpointed makes room.
  EXPECT_EQ(announce(0), Outcomes::OUTCOME_DONE);
  EXPECT_EQ(Checkpoint(0, *a, At(5)), Outcomes::OUTCOME_DONE);
  EXPECT_EQ(announce(kFit), Outcomes::OUTCOME_DONE);
}

TEST_F(GroupCommandsTest, ChildrenComeWhenTheirParentIsReadToItsEnd) {
  AddShard();
  const auto worker = Join("w");
  Assign(0, *worker);
  // No end before the stream's row knows it.
  EXPECT_EQ(Checkpoint(0, *worker, kEnd), Outcomes::OUTCOME_NOT_CLOSED);
  EXPECT_EQ(Checkpoint(0, *worker, kEnd, std::nullopt, "almost"),
            Outcomes::OUTCOME_NOT_CLOSED);
  AddShard({0});
  AddShard({0});
  EXPECT_THAT(Leased(), ElementsAre(0));
  EXPECT_EQ(Checkpoint(0, *worker, kEnd), Outcomes::OUTCOME_DONE);
  EXPECT_THAT(Leased(), ElementsAre(0, 1, 2));
  EXPECT_EQ(LeaseOf(0).owner, 0u);
  EXPECT_EQ(LeaseOf(1).checkpoint, LeasePosition());
  Assign(0, *worker);
  EXPECT_EQ(LeaseOf(0).owner, 0u);
}

TEST_F(GroupCommandsTest, AnEndThatIsToldTwiceIsDoneOnce) {
  AddShard();
  const auto worker = Join("w");
  Assign(0, *worker);
  const uint64_t counter = LeaseOf(0).counter;
  AddShard({0});
  EXPECT_EQ(Checkpoint(0, *worker, kEnd, counter), Outcomes::OUTCOME_DONE);
  const ConsumerGroup before = group();
  EXPECT_EQ(Checkpoint(0, *worker, kEnd, counter), Outcomes::OUTCOME_DONE);
  EXPECT_EQ(Checkpoint(0, *worker, At(5), counter),
            Outcomes::OUTCOME_LEASE_LOST);
  EXPECT_EQ(group(), before);
}

TEST_F(GroupCommandsTest, OneThatReplacesAnotherHandsOffForIt) {
  AddShard();
  const auto a = Join("a");
  const auto b = Join("b");
  Assign(0, *a);
  Assign(0, *b);
  const auto again = Join("a");
  EXPECT_EQ(LeaseOf(0).owner, *again);
  EXPECT_EQ(LeaseOf(0).next_owner, *b);
}

TEST_F(GroupCommandsTest, AMergedShardWaitsForParentsThatHaveNoLeaseYet) {
  AddShard();        // 0
  AddShard();        // 1
  AddShard({1});     // 2
  AddShard({1});     // 3
  AddShard({0, 2});  // 4 waits for 2, which waits for 1.
  const auto worker = Join("w");
  EXPECT_THAT(Leased(), ElementsAre(0, 1));
  EXPECT_EQ(ReadToEnd(0, *worker), Outcomes::OUTCOME_DONE);
  EXPECT_THAT(Leased(), ElementsAre(0, 1));
  EXPECT_EQ(ReadToEnd(1, *worker), Outcomes::OUTCOME_DONE);
  EXPECT_THAT(Leased(), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(ReadToEnd(2, *worker), Outcomes::OUTCOME_DONE);
  EXPECT_THAT(Leased(), ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(GroupCommandsTest, AGroupBeginsWhereItIsToldTo) {
  AddShard();
  now_s_ = kCreated + 100;
  AddShard({0});
  now_s_ = kCreated + 200;
  AddShard({1});
  const auto first = [this](LeasePosition from) {
    groups_.clear();
    EXPECT_OK(Join("w", from));
    return ToRead();
  };
  const auto at = [](uint64_t second) {
    return LeasePosition{LeasePositionKind::kAtTimestamp,
                         static_cast<int64_t>(second) * 1000};
  };
  EXPECT_THAT(first({}), ElementsAre(0));
  EXPECT_THAT(first(kLatest), ElementsAre(2));
  EXPECT_THAT(first(at(kCreated - 5)), ElementsAre(0));
  EXPECT_THAT(first(at(kCreated + 50)), ElementsAre(0));
  // Its records' stamps may be ahead of the one that tells when it was closed.
  EXPECT_THAT(first(at(kCreated + 160)), ElementsAre(0));
  EXPECT_THAT(first(at(kCreated + 161)), ElementsAre(1));
  EXPECT_THAT(first(at(kCreated + 999)), ElementsAre(2));
}

TEST_F(GroupCommandsTest, WhatLiesBeforeTheStartIsNeverRead) {
  AddShard();
  AddShard({0});
  AddShard({0});
  ASSERT_OK(Join("w", kLatest));
  EXPECT_THAT(Leased(), ElementsAre(0, 1, 2));
  EXPECT_THAT(ToRead(), ElementsAre(1, 2));
  // Nor does it hold up what comes after it.
  AddShard({1, 2});
  EXPECT_EQ(ReadToEnd(1, *Join("w")), Outcomes::OUTCOME_DONE);
  EXPECT_THAT(ToRead(), ElementsAre(2));
  EXPECT_EQ(ReadToEnd(2, *Join("w")), Outcomes::OUTCOME_DONE);
  EXPECT_THAT(ToRead(), ElementsAre(3));
}

TEST_F(GroupCommandsTest, ShardsThatAreForgottenUnreadDoNotHoldUpTheOthers) {
  AddShard();        // 0
  AddShard();        // 1
  AddShard({0});     // 2
  AddShard({2, 1});  // 3
  AddShard({3});     // 4
  const auto worker = Join("w");
  Assign(0, *worker);
  EXPECT_THAT(ToRead(), ElementsAre(0, 1));
  Forget({0, 2});
  EXPECT_THAT(Leased(), ElementsAre(1));
  EXPECT_EQ(Checkpoint(0, *worker, At(3)), Outcomes::OUTCOME_LEASE_LOST);
  Forget({1, 3});
  EXPECT_THAT(Leased(), ElementsAre(4));
  EXPECT_EQ(LeaseOf(4).checkpoint, LeasePosition());
}

TEST_F(GroupCommandsTest, SettingsAreRefusedWithTheirRange) {
  AddShard();
  v1::GroupCommand command;
  v1::JoinGroupCommand& join = *command.mutable_join_group();
  join.set_stream_id(1);
  join.set_group_name("g");
  join.set_worker_name("w");
  join.mutable_settings()->set_hand_off_ms(30'000);
  const absl::Status refused = Do(command).status;
  EXPECT_EQ(ReasonOf(refused), ErrorReason::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("leaseDurationMs is 0; it must be 1000 to 3600000"));
  join.mutable_settings()->set_lease_ms(1'000);
  join.mutable_settings()->set_hand_off_ms(-1);
  EXPECT_EQ(ReasonOf(Do(command).status), ErrorReason::kInvalidArgument);
  EXPECT_THAT(groups_, IsEmpty());
}

TEST_F(GroupCommandsTest, AHandOffIsRedirectedOnlyByWhoKnewWhereItWent) {
  AddShard();
  const auto a = Join("a");
  const auto b = Join("b");
  const auto c = Join("c");
  Assign(0, *a);
  v1::GroupCommand late;
  *late.mutable_assign()->mutable_group() = Ref();
  v1::Assignment& assignment = *late.mutable_assign()->add_assignments();
  assignment.set_counter(LeaseOf(0).counter);
  assignment.set_worker(*c);
  Assign(0, *b);
  ASSERT_OK(Do(late).status);
  EXPECT_EQ(LeaseOf(0).next_owner, *b);
  assignment.set_next_owner(*b);
  ASSERT_OK(Do(late).status);
  EXPECT_EQ(LeaseOf(0).next_owner, *c);
}

TEST_F(GroupCommandsTest, AnIdleGroupIsResetAndDeleted) {
  AddShard();
  const auto worker = Join("w");
  Assign(0, *worker);
  Checkpoint(0, *worker, At(5));
  v1::GroupCommand reset;
  *reset.mutable_reset_group()->mutable_group() = Ref();
  reset.mutable_reset_group()->mutable_from()->set_kind(1);
  v1::GroupCommand remove;
  *remove.mutable_delete_group()->mutable_group() = Ref();
  EXPECT_EQ(ReasonOf(Do(reset).status), ErrorReason::kResourceInUse);
  EXPECT_EQ(ReasonOf(Do(remove).status), ErrorReason::kResourceInUse);
  ASSERT_OK(Remove(*worker));
  AddShard({0});
  ASSERT_OK(Do(reset).status);
  EXPECT_THAT(ToRead(), ElementsAre(1));
  EXPECT_EQ(LeaseOf(1).checkpoint, kLatest);
  EXPECT_EQ(group().name, "g");
  reset.mutable_reset_group()->mutable_from()->set_kind(4);
  EXPECT_EQ(ReasonOf(Do(reset).status), ErrorReason::kInvalidArgument);
  ASSERT_OK(Do(remove).status);
  EXPECT_THAT(groups_, IsEmpty());
  EXPECT_EQ(ReasonOf(Do(remove).status), ErrorReason::kResourceNotFound);
}

TEST_F(GroupCommandsTest, AStreamTakesItsGroupsWithIt) {
  AddShard();
  ASSERT_OK(Join("w"));
  EXPECT_THAT(RemoveGroupsOf(groups_, StreamId(2)), IsEmpty());
  for (const auto& change : RemoveGroupsOf(groups_, StreamId(1))) {
    ApplyChange(change, &groups_);
  }
  EXPECT_THAT(groups_, IsEmpty());
}

}  // namespace
}  // namespace trireme
