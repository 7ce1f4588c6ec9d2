#include "storage/group_commands.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/catalog_tables.h"
#include "storage/errors.h"
#include "tests/unit/state_fixture.h"
#include "trireme/v1/group_commands.pb.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Outcomes = v1::LeaseOutcomes;

constexpr uint64_t kCreated = 1'700'000'000;

class GroupCommandsTest : public ::testing::Test {
 protected:
  GroupCommandsTest() {
    stream_.id = StreamId(1);
    stream_.name = "s";
    stream_.status = StreamStatus::kActive;
  }

  ShardIndex AddShard(std::vector<uint32_t> parents = {}) {
    Shard shard;
    shard.index = ShardIndex(static_cast<uint32_t>(stream_.shards.size()));
    shard.group = GroupId(1);
    shard.created_s = now_s_;
    for (const uint32_t parent : parents) {
      stream_.shards[parent].end = MakeCounter(9, 0);
      stream_.shards[parent].closed_s = now_s_;
    }
    if (!parents.empty()) shard.parent = ShardIndex(parents[0]);
    if (parents.size() > 1) shard.adjacent_parent = ShardIndex(parents[1]);
    stream_.shards.push_back(shard);
    Publish();
    return shard.index;
  }
  void Publish() {
    ListOpenShards(&stream_);
    catalog_.Put(std::make_shared<Stream>(stream_));
  }

  GroupsDecision Do(const v1::GroupCommand& command) {
    GroupsDecision decision =
        DecideGroups({groups_, catalog_, ++index_}, command);
    for (const GroupChange& change : decision.changes) {
      ApplyChange(change, &groups_);
    }
    return decision;
  }
  v1::GroupRef Ref() const {
    v1::GroupRef ref;
    ref.set_stream_id(1);
    ref.set_group(group_);
    return ref;
  }
  absl::StatusOr<WorkerNumber> Join(const std::string& worker,
                                    LeasePosition from = {},
                                    uint32_t workers_max = 0) {
    v1::GroupCommand command;
    v1::JoinGroupCommand& join = *command.mutable_join_group();
    join.set_stream_id(1);
    join.set_group_name("g");
    join.set_worker_name(worker);
    join.mutable_settings()->set_lease_ms(10'000);
    join.mutable_settings()->set_hand_off_ms(30'000);
    join.mutable_settings()->mutable_from()->set_kind(
        static_cast<uint32_t>(from.kind));
    join.mutable_settings()->mutable_from()->set_timestamp_ms(
        from.timestamp_ms);
    join.set_groups_max(2);
    join.set_workers_max(workers_max);
    const GroupsDecision decision = Do(command);
    if (!decision.status.ok()) return decision.status;
    v1::JoinGroupReply reply;
    EXPECT_TRUE(reply.ParseFromString(decision.reply));
    group_ = reply.group();
    return reply.worker();
  }
  bool Hear(WorkerNumber worker, std::map<uint32_t, uint64_t> loads = {}) {
    v1::GroupCommand command;
    v1::Heartbeat& heartbeat = *command.mutable_heartbeats()->add_heartbeats();
    *heartbeat.mutable_group() = Ref();
    heartbeat.set_worker(worker);
    for (const auto& [shard, bytes] : loads) {
      v1::LeaseLoad& load = *heartbeat.add_loads();
      load.set_shard(shard);
      load.set_bytes_per_second(bytes);
    }
    v1::HeartbeatsReply reply;
    EXPECT_TRUE(reply.ParseFromString(Do(command).reply));
    return reply.known(0);
  }
  absl::Status Remove(WorkerNumber worker,
                      std::optional<uint64_t> heartbeats = std::nullopt) {
    v1::GroupCommand command;
    v1::RemoveWorkerCommand& remove = *command.mutable_remove_worker();
    *remove.mutable_group() = Ref();
    remove.set_worker(worker);
    if (heartbeats) remove.set_heartbeats(*heartbeats);
    return Do(command).status;
  }
  // As it was planned on `counter`; on what there is when that is nothing.
  void Assign(uint32_t shard, WorkerNumber worker, bool forced = false,
              std::optional<uint64_t> counter = std::nullopt) {
    v1::GroupCommand command;
    *command.mutable_assign()->mutable_group() = Ref();
    v1::Assignment& assignment = *command.mutable_assign()->add_assignments();
    assignment.set_shard(shard);
    assignment.set_counter(counter.value_or(LeaseOf(shard).counter));
    assignment.set_worker(worker);
    assignment.set_forced(forced);
    assignment.set_next_owner(LeaseOf(shard).next_owner);
    ASSERT_OK(Do(command).status);
  }
  Outcomes::Outcome OutcomeOf(const GroupsDecision& decision) {
    EXPECT_OK(decision.status);
    Outcomes reply;
    EXPECT_TRUE(reply.ParseFromString(decision.reply));
    return reply.outcomes(0);
  }
  Outcomes::Outcome Release(uint32_t shard, WorkerNumber worker) {
    v1::GroupCommand command;
    v1::ReleaseLeasesCommand& release = *command.mutable_release();
    *release.mutable_group() = Ref();
    release.set_worker(worker);
    release.add_leases()->set_shard(shard);
    release.mutable_leases(0)->set_counter(LeaseOf(shard).counter);
    return OutcomeOf(Do(command));
  }
  Outcomes::Outcome Checkpoint(uint32_t shard, WorkerNumber worker,
                               LeasePosition position,
                               std::optional<uint64_t> counter = std::nullopt,
                               const char* pending = nullptr) {
    v1::GroupCommand command;
    *command.mutable_checkpoint()->mutable_group() = Ref();
    command.mutable_checkpoint()->set_worker(worker);
    v1::LeaseCheckpoint& one = *command.mutable_checkpoint()->add_checkpoints();
    one.mutable_lease()->set_shard(shard);
    one.mutable_lease()->set_counter(counter.value_or(LeaseOf(shard).counter));
    one.mutable_position()->set_kind(static_cast<uint32_t>(position.kind));
    one.mutable_position()->set_counter(position.counter);
    one.mutable_position()->set_sub_sequence(position.sub_sequence);
    one.set_pending(pending != nullptr);
    if (pending != nullptr) one.set_state(pending);
    return OutcomeOf(Do(command));
  }
  // The shard's new owner reads it to its end.
  Outcomes::Outcome ReadToEnd(uint32_t shard, WorkerNumber worker) {
    Assign(shard, worker);
    return Checkpoint(shard, worker, kEnd);
  }
  const ConsumerGroup& group() const {
    return groups_.at({StreamId(1), group_});
  }
  Lease LeaseOf(uint32_t shard) const {
    const auto found = group().leases.find(ShardIndex(shard));
    return found == group().leases.end() ? Lease() : found->second;
  }
  std::vector<uint32_t> Leased() const {
    std::vector<uint32_t> shards;
    for (const auto& [shard, lease] : group().leases) {
      shards.push_back(shard.value());
    }
    return shards;
  }
  std::vector<uint32_t> ToRead() const {
    std::vector<uint32_t> shards;
    for (const auto& [shard, lease] : group().leases) {
      if (!lease.checkpoint.at_end()) shards.push_back(shard.value());
    }
    return shards;
  }
  // As retention does, when their records have expired.
  void Forget(std::vector<uint32_t> shards) {
    std::erase_if(stream_.shards, [&shards](const Shard& shard) {
      return std::count(shards.begin(), shards.end(), shard.index.value()) > 0;
    });
    Publish();
    for (const auto& change : ForgetLeases(groups_, stream_, ++index_)) {
      ApplyChange(change, &groups_);
    }
  }

  static LeasePosition At(uint64_t counter, uint64_t sub_sequence = 0) {
    return {LeasePositionKind::kSequenceNumber, 0, counter, sub_sequence};
  }
  static constexpr LeasePosition kEnd{LeasePositionKind::kShardEnd};
  static constexpr LeasePosition kLatest{LeasePositionKind::kLatest};

  Stream stream_;
  Catalog catalog_;
  ConsumerGroups groups_;
  LogIndex index_ = 100;
  GroupNumber group_ = 0;
  uint64_t now_s_ = kCreated;
};

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
              HasSubstr("consumer group g has 1 workers; the limit is 1"));
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

// Workers come, go, are expired and overtaken while shards split and merge:
// every shard is read to its end once, no shard before its parents, and no
// counter of a lease has two owners.
TEST_F(GroupCommandsTest, EveryShardIsReadAfterItsParentsWhateverHappens) {
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto pick = [&random](size_t count) {
      return static_cast<uint32_t>(random() % count);
    };
    stream_.shards.clear();
    groups_.clear();
    for (int i = 0; i < 3; ++i) AddShard();
    std::vector<WorkerNumber> workers = {*Join("w")};
    std::map<std::pair<uint32_t, uint64_t>, WorkerNumber> owners;
    std::set<uint32_t> ended;
    for (int step = 0; step < 600; ++step) {
      const auto leased = Leased();
      const uint32_t shard = leased[pick(leased.size())];
      const WorkerNumber worker = workers[pick(workers.size())];
      switch (pick(8)) {
        case 0:
          workers.push_back(*Join("w" + std::to_string(pick(5))));
          break;
        case 1:
          (void)Remove(worker);
          break;
        case 2:
        case 3:
          Assign(shard, worker, pick(3) == 0);
          break;
        case 4:
          Release(shard, worker);
          break;
        case 5:
        case 6:
          if (LeaseOf(shard).checkpoint.at_end()) break;
          if (Checkpoint(shard, worker, kEnd) == Outcomes::OUTCOME_DONE) {
            EXPECT_TRUE(ended.insert(shard).second);
            const Shard& row = stream_.shards[shard];
            for (const auto& parent : {row.parent, row.adjacent_parent}) {
              EXPECT_TRUE(!parent || ended.contains(parent->value()));
            }
          }
          break;
        default: {
          if (stream_.shards.size() > 30) break;
          const auto open = [this, &pick] {
            return stream_.open[pick(stream_.open.size())];
          };
          const uint32_t one = open(), other = open();
          if (one != other) {
            AddShard({one, other});
          } else {
            AddShard({one});
            AddShard({one});
          }
        }
      }
      for (const auto& [index, lease] : group().leases) {
        if (lease.owner == 0) continue;
        const auto [at, is_new] =
            owners.try_emplace({index.value(), lease.counter}, lease.owner);
        EXPECT_EQ(at->second, lease.owner);
        EXPECT_TRUE(group().workers.contains(lease.owner));
      }
    }
    // With one worker left to itself, all comes to its end.
    const WorkerNumber last = *Join("last");
    for (const Shard& shard : std::vector<Shard>(stream_.shards)) {
      if (!shard.end.has_value() || ended.contains(shard.index.value())) {
        continue;
      }
      Assign(shard.index.value(), last, /*forced=*/true);
      EXPECT_EQ(Checkpoint(shard.index.value(), last, kEnd),
                Outcomes::OUTCOME_DONE)
          << shard.index.value();
    }
    for (const uint32_t position : stream_.open) {
      EXPECT_TRUE(group().leases.contains(stream_.shards[position].index));
    }
  }
}

}  // namespace
}  // namespace trireme
