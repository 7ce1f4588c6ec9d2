#include "server/lease_plan.h"

#include <algorithm>
#include <map>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

bool Never(ShardIndex) { return false; }

ConsumerGroup MakeGroup(uint32_t leases, uint32_t workers) {
  ConsumerGroup group;
  for (uint32_t i = 0; i < leases; ++i) group.leases[ShardIndex(i)].counter = 1;
  for (uint32_t i = 1; i <= workers; ++i) group.workers[i] = Worker{"w"};
  return group;
}

// As if each owner released at once. Gives how many leases had one.
size_t CarryOut(const std::vector<PlannedLease>& plan, ConsumerGroup* group) {
  size_t moves = 0;
  for (const PlannedLease& planned : plan) {
    Lease& lease = group->leases.at(planned.shard);
    EXPECT_EQ(lease.counter, planned.counter);
    moves += lease.owner != 0;
    lease.owner = planned.worker;
    lease.next_owner = 0;
    ++lease.counter;
  }
  return moves;
}

std::map<WorkerNumber, uint64_t> LeasesByWorker(const ConsumerGroup& group) {
  std::map<WorkerNumber, uint64_t> count;
  for (const auto& [worker, unused] : group.workers) count[worker] = 0;
  for (const auto& [shard, lease] : group.leases) {
    if (!lease.checkpoint.at_end()) ++count[lease.owner];
  }
  return count;
}
std::pair<uint64_t, uint64_t> LeastAndMost(const ConsumerGroup& group) {
  uint64_t least = UINT64_MAX, most = 0;
  for (const auto& [worker, count] : LeasesByWorker(group)) {
    least = std::min(least, count);
    most = std::max(most, count);
  }
  return {least, most};
}

void RemoveWorker(WorkerNumber worker, ConsumerGroup* group) {
  group->workers.erase(worker);
  for (auto& [shard, lease] : group->leases) {
    if (lease.owner == worker) lease.owner = 0;
  }
}

TEST(LeasePlanTest, LeasesAreSharedOutByNumberWhenNothingIsRead) {
  ConsumerGroup group = MakeGroup(10, 3);
  EXPECT_EQ(CarryOut(PlanLeases(group, Never), &group), 0u);
  EXPECT_EQ(LeastAndMost(group), (std::pair<uint64_t, uint64_t>{3, 4}));
  EXPECT_THAT(PlanLeases(group, Never), IsEmpty());
}

TEST(LeasePlanTest, NobodyIsGivenLeasesWithoutWorkers) {
  EXPECT_THAT(PlanLeases(MakeGroup(10, 0), Never), IsEmpty());
}

TEST(LeasePlanTest, ANewWorkerGetsItsShareAndNothingElseMoves) {
  ConsumerGroup group = MakeGroup(100, 4);
  CarryOut(PlanLeases(group, Never), &group);
  group.workers[5] = Worker{"new"};
  const auto plan = PlanLeases(group, Never);
  EXPECT_GE(plan.size(), 18u);
  EXPECT_LE(plan.size(), 20u);
  for (const PlannedLease& lease : plan) EXPECT_EQ(lease.worker, 5u);
  CarryOut(plan, &group);
  EXPECT_GE(LeastAndMost(group).first, 18u);
  EXPECT_LE(LeastAndMost(group).second, 21u);
}

TEST(LeasePlanTest, TheLeasesOfOneThatIsGoneAreShared) {
  ConsumerGroup group = MakeGroup(100, 5);
  CarryOut(PlanLeases(group, Never), &group);
  RemoveWorker(3, &group);
  EXPECT_EQ(CarryOut(PlanLeases(group, Never), &group), 0u);
  EXPECT_EQ(LeastAndMost(group), (std::pair<uint64_t, uint64_t>{25, 25}));
}

TEST(LeasePlanTest, WhatIsReadCountsAsMuchAsHowManyThereAre) {
  ConsumerGroup group = MakeGroup(8, 2);
  CarryOut(PlanLeases(group, Never), &group);
  // All of the load on the leases of one.
  for (auto& [shard, lease] : group.leases) {
    lease.bytes_per_second = lease.owner == 1 ? 1000 : 0;
  }
  CarryOut(PlanLeases(group, Never), &group);
  std::map<WorkerNumber, uint64_t> bytes;
  for (const auto& [shard, lease] : group.leases) {
    bytes[lease.owner] += lease.bytes_per_second;
  }
  EXPECT_EQ(bytes[1] + bytes[2], 4000u);
  EXPECT_GE(std::min(bytes[1], bytes[2]), 1000u);
  EXPECT_THAT(PlanLeases(group, Never), IsEmpty());
}

TEST(LeasePlanTest, OneHotShardDoesNotWander) {
  ConsumerGroup group = MakeGroup(1, 2);
  CarryOut(PlanLeases(group, Never), &group);
  group.leases.at(ShardIndex(0)).bytes_per_second = 1 << 20;
  EXPECT_THAT(PlanLeases(group, Never), IsEmpty());
}

TEST(LeasePlanTest, AHandOffIsForcedWhenItsTimeIsOver) {
  ConsumerGroup group = MakeGroup(2, 2);
  Lease& lease = group.leases.at(ShardIndex(0));
  lease.owner = 1;
  lease.next_owner = 2;
  group.leases.at(ShardIndex(1)).owner = 1;
  EXPECT_THAT(PlanLeases(group, Never), IsEmpty());
  EXPECT_THAT(
      PlanLeases(group, [](ShardIndex shard) { return shard.value() == 0; }),
      ElementsAre(PlannedLease{ShardIndex(0), 1, 2, true, 2}));
}

TEST(LeasePlanTest, WhatIsReadToItsEndIsNobodys) {
  ConsumerGroup group = MakeGroup(2, 1);
  group.leases.at(ShardIndex(0)).checkpoint.kind = LeasePositionKind::kShardEnd;
  EXPECT_THAT(PlanLeases(group, Never),
              ElementsAre(PlannedLease{ShardIndex(1), 1, 1, false}));
}

TEST(LeasePlanTest, WhatADrainingWorkerHasGoesToTheOthers) {
  ConsumerGroup group = MakeGroup(2, 2);
  group.workers.at(1).draining = true;
  for (auto& [shard, lease] : group.leases) lease.owner = 1;
  EXPECT_THAT(PlanLeases(group, Never),
              ElementsAre(PlannedLease{ShardIndex(0), 1, 2},
                          PlannedLease{ShardIndex(1), 1, 2}));
  group.workers.at(2).draining = true;
  EXPECT_THAT(PlanLeases(group, Never), IsEmpty());
}

// Whatever comes and goes, one plan balances the group, and the next does
// nothing.
TEST(LeasePlanTest, OnePlanIsEnough) {
  for (uint32_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    ConsumerGroup group = MakeGroup(1 + random() % 300, 1 + random() % 20);
    for (int round = 0; round < 10; ++round) {
      if (random() % 2 == 0) {
        group.workers[100 + round] = Worker{"new"};
      } else if (group.workers.size() > 1) {
        RemoveWorker(group.workers.begin()->first, &group);
      }
      const bool loaded = random() % 2 == 0;
      for (auto& [shard, lease] : group.leases) {
        lease.bytes_per_second = loaded ? random() % 1000 : 0;
      }
      CarryOut(PlanLeases(group, Never), &group);
      EXPECT_THAT(PlanLeases(group, Never), IsEmpty());
      EXPECT_FALSE(LeasesByWorker(group).contains(0));
      if (!loaded) {
        const auto [least, most] = LeastAndMost(group);
        EXPECT_LE(most - least,
                  1 + group.leases.size() / (10 * group.workers.size()));
      }
    }
  }
}

}  // namespace
}  // namespace trireme
