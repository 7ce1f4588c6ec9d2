// Streams of different and of changing retention over one state machine.
#include "storage/retention.h"

#include <atomic>
#include <random>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/state_fixture.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kStart = 1'700'000'000'000;
constexpr int64_t kHour = 3'600'000;
constexpr int64_t kDay = 24 * kHour;

// A partition of kDay is an hour, of kWeek eight, of kYear and what is kept
// eight days.
StateMachineOptions HourPartitions() {
  StateMachineOptions options = Replica::SmallOptions();
  options.partition_ms = kHour;
  return options;
}

v1::Command SetRetention(uint32_t stream, uint32_t hours) {
  v1::Command command;
  auto* set = command.mutable_set_retention();
  set->set_stream_id(stream);
  set->set_retention_hours(hours);
  set->add_shards(0);
  return command;
}

class RetentionTest : public ::testing::Test {
 protected:
  RetentionTest() : replica_(HourPartitions()) {}

  // Stream `stream` has shard 0, in group 1.
  void Open(uint32_t stream, uint32_t hours) {
    v1::Command open = OpenShards(stream, {0});
    open.mutable_open_shards()->set_retention_hours(hours);
    replica_.Command(1, open, now_);
  }
  void Put(uint32_t stream, const std::string& data) {
    replica_.Apply(1, RecordsPayload(now_, {{ShardOf(stream, 0), {data}}}));
  }
  void Raise(uint32_t stream, uint32_t hours) {
    replica_.Command(1, SetRetention(stream, hours), now_);
  }
  // A record each hour, named by its number.
  void PutHours(std::vector<uint32_t> streams, int hours) {
    for (int i = 0; i < hours; ++i, now_ += kHour, ++hour_) {
      for (const uint32_t stream : streams) Put(stream, std::to_string(hour_));
    }
  }
  void Upkeep() {
    ASSERT_OK(replica_.state().DropExpired(now_));
    while (replica_.state().HasRaised(now_))
      ASSERT_OK(replica_.state().KeepRaised(now_));
  }
  // Numbers of the records that are on disk and not older than `horizon_ms`.
  std::vector<int> Read(uint32_t stream, int64_t horizon_ms = 0,
                        size_t bytes_max = 1) {
    std::vector<int> numbers;
    for (const std::string& record :
         replica_.ReadAll(1, ShardOf(stream, 0), 0, horizon_ms, bytes_max))
      numbers.push_back(std::stoi(record.substr(record.find(':') + 1)));
    return numbers;
  }
  static std::vector<int> Range(int first, int end) {
    std::vector<int> numbers;
    for (; first < end; ++first) numbers.push_back(first);
    return numbers;
  }

  Replica replica_;
  int64_t now_ = kStart;
  int hour_ = 0;
};

TEST(RetentionClassTest, EachRetentionHasItsClass) {
  EXPECT_EQ(ClassOfRetention(24), RetentionClass::kDay);
  EXPECT_EQ(ClassOfRetention(25), RetentionClass::kWeek);
  EXPECT_EQ(ClassOfRetention(168), RetentionClass::kWeek);
  EXPECT_EQ(ClassOfRetention(169), RetentionClass::kYear);
  EXPECT_EQ(ClassOfRetention(8760), RetentionClass::kYear);
}

TEST_F(RetentionTest, StreamsOfDifferentRetentionExpireEachInItsTime) {
  Open(1, 24);
  Open(2, 168);
  Open(3, 8760);
  PutHours({1, 2, 3}, 10 * 24);
  Upkeep();
  // Gone with whole partitions: an hour's, eight hours', eight days'.
  EXPECT_EQ(Read(1), Range(216, 240));
  EXPECT_THAT(Read(2), SizeIs(::testing::AllOf(::testing::Ge(168u),
                                               ::testing::Le(176u))));
  EXPECT_EQ(Read(3), Range(0, 240));
  ASSERT_OK(replica_.state().Flush());
  replica_.Crash();
  EXPECT_EQ(Read(1), Range(216, 240));
  EXPECT_EQ(Read(3), Range(0, 240));
  // The horizon is exact, whatever lies on disk.
  EXPECT_EQ(Read(2, kStart + 72 * kHour), Range(72, 240));
  EXPECT_EQ(Read(3, kStart + 33 * kHour), Range(33, 240));
}

TEST_F(RetentionTest, WhatWasThereWhenRetentionWasRaisedIsKept) {
  Open(1, 24);
  Open(2, 24);
  PutHours({1, 2}, 30);
  Upkeep();
  ASSERT_EQ(Read(1), Range(6, 30));
  Raise(1, 168);
  const size_t families_before = replica_.state().partition_count();
  PutHours({1, 2}, 3 * 24);
  EXPECT_TRUE(replica_.state().HasRaised(now_));
  Upkeep();
  EXPECT_FALSE(replica_.state().HasRaised(now_));
  EXPECT_EQ(Read(1), Range(6, 102));
  // In one large read a block that is there twice shows.
  EXPECT_EQ(Read(1, 0, 1 << 20), Range(6, 102));
  EXPECT_EQ(Read(2), Range(78, 102));
  // No partition of an hour is held by the other stream's records.
  EXPECT_LE(replica_.state().partition_count(), families_before + 12);
  replica_.Crash();
  EXPECT_EQ(Read(1), Range(6, 102));
  for (int hour = 6; hour < 102; ++hour) {
    const auto found = replica_.state().shard_log().FindTime(
        GroupId(1), ShardOf(1, 0), kStart + hour * kHour);
    ASSERT_OK(found);
    const auto records = replica_.ReadAll(1, ShardOf(1, 0), *found);
    ASSERT_THAT(records, SizeIs(102 - hour)) << hour;
    EXPECT_THAT(records[0], ::testing::EndsWith(":" + std::to_string(hour)));
  }
  // And goes in its own time.
  PutHours({1, 2}, 24 * 24);
  Upkeep();
  EXPECT_EQ(Read(1, now_ - 168 * kHour), Range(hour_ - 168, hour_));
  EXPECT_THAT(Read(1), SizeIs(::testing::Le(176u)));
}

TEST_F(RetentionTest, RecordsKeepTheirOrderHoweverOftenRetentionChanges) {
  Open(1, 24);
  Open(2, 8760);  // Keeps partitions of all classes in use.
  std::mt19937_64 random(7);
  const std::vector<uint32_t> retentions = {24, 100, 168, 400, 8760};
  for (int change = 0; change < 60; ++change) {
    PutHours({1, 2}, static_cast<int>(random() % 9));
    if (random() % 3 == 0) Upkeep();
    if (random() % 5 == 0) {
      ASSERT_OK(replica_.state().Flush());
      replica_.Crash();
    }
    Raise(1, retentions[random() % retentions.size()]);
    Raise(2, 8760);
    const std::vector<int> numbers = Read(1, 0, 1 << 20);
    ASSERT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
    // Nothing younger than the shortest retention is ever missing.
    const int young = std::max(0, hour_ - 24);
    const auto first = std::lower_bound(numbers.begin(), numbers.end(), young);
    ASSERT_EQ(std::vector<int>(first, numbers.end()), Range(young, hour_));
    ASSERT_EQ(Read(2, 0, 1 << 20), Range(0, hour_));
  }
}

TEST_F(RetentionTest, ADecreaseReturnsSpaceAndIncreaseBringsNothingBack) {
  Open(1, 168);
  PutHours({1}, 100);
  Upkeep();
  ASSERT_EQ(Read(1), Range(0, 100));
  Raise(1, 24);
  PutHours({1}, 1);
  Upkeep();
  EXPECT_THAT(Read(1), SizeIs(::testing::Le(33u)));
  PutHours({1}, 30);
  Upkeep();
  // No block of the old class is left.
  EXPECT_EQ(Read(1), Range(107, 131));
}

TEST_F(RetentionTest, PartitionsOfNobodyGoAtOnce) {
  Open(1, 8760);
  PutHours({1}, 5);
  ASSERT_OK(replica_.state().Flush());
  EXPECT_FALSE(replica_.state().HasExpired(now_));
  replica_.Command(1, DropShards(1, {0}), now_);
  EXPECT_TRUE(replica_.state().HasExpired(now_));
  Upkeep();
  EXPECT_EQ(replica_.state().partition_count(), 0u);
  EXPECT_FALSE(replica_.state().HasExpired(now_));
}

TEST_F(RetentionTest, AnEmptyReplicaGetsWhatLiesInSeveralClasses) {
  Open(1, 24);
  Open(2, 24);
  PutHours({1, 2}, 5);
  for (const uint32_t hours : {168u, 24u, 8760u, 168u}) {
    Raise(1, hours);
    PutHours({1, 2}, 5);
  }
  Replica target(HourPartitions());
  const auto held = target.state().DescribeHeld(GroupId(1));
  ASSERT_OK(held);
  auto source = replica_.state().OpenSource(GroupId(1), *held);
  ASSERT_OK(source);
  PutHours({1}, 1);  // Not part of it any more.
  while (true) {
    const auto chunk = (*source)->Next();
    ASSERT_OK(chunk);
    if (chunk->empty()) break;
    ASSERT_OK(target.state().InstallChunk(GroupId(1), *chunk));
  }
  ASSERT_OK(target.state().FinishInstall(GroupId(1), (*source)->position()));
  auto expected = replica_.ReadAll(1, ShardOf(1, 0));
  expected.pop_back();
  EXPECT_THAT(expected, SizeIs(25));
  EXPECT_EQ(target.ReadAll(1, ShardOf(1, 0)), expected);
  EXPECT_EQ(target.ReadAll(1, ShardOf(2, 0)),
            replica_.ReadAll(1, ShardOf(2, 0)));
  // It keeps them as long as the shard's retention says: in one class.
  target.Crash();
  EXPECT_EQ(target.ReadAll(1, ShardOf(1, 0)), expected);
  ASSERT_OK(target.state().DropExpired(now_ + 100 * kHour));
  EXPECT_EQ(target.ReadAll(1, ShardOf(1, 0)), expected);
  EXPECT_THAT(target.ReadAll(1, ShardOf(2, 0)), IsEmpty());
}

TEST_F(RetentionTest, ReadersMissNothingWhileBlocksAreMoved) {
  Open(1, 24);
  PutHours({1}, 20);
  Raise(1, 8760);
  std::atomic<bool> stop = false;
  std::atomic<int> reads = 0;
  std::thread reader([&] {
    while (!stop) {
      const auto blocks = replica_.state().shard_log().Read(
          GroupId(1), ShardOf(1, 0), 0, 1 << 20, 0);
      EXPECT_OK(blocks);
      if (blocks.ok()) {
        EXPECT_GE(blocks->size(), 20u);
      }
      ++reads;
    }
  });
  for (int hour = 0; hour < 24; ++hour) {
    PutHours({1}, 1);
    const int before = reads;
    Upkeep();
    while (reads == before) std::this_thread::yield();
  }
  stop = true;
  reader.join();
  EXPECT_EQ(Read(1), Range(0, 44));
}

// Simulated clock, small records: what a node holds open stays bounded.
TEST_F(RetentionTest, MonthsOfDataKeepTheNumberOfPartitionsBounded) {
  Open(1, 24);
  Open(2, 168);
  Open(3, 8760);
  Open(4, 24);
  size_t most = 0;
  for (int day = 0; day < 24; ++day) {
    // Somebody is raised, and lowered again, all the time.
    Raise(4, day % 2 == 0 ? 8760 : 24);
    PutHours({1, 2, 3, 4}, 24);
    Upkeep();
    most = std::max(most, replica_.state().partition_count());
  }
  // 24 + 1 of an hour, 21 + 1 of eight, 3 + 1 of eight days twice, some to
  // spare.
  EXPECT_LE(most, 25u + 22u + 8u + 8u);
  EXPECT_EQ(Read(3, 0, 1 << 20), Range(0, 24 * 24));
}

// Of a driver that was deposed, and whose change another one has followed.
TEST(RetentionChangeTest, OneThatComesLateDoesNothing) {
  Replica replica;
  replica.Command(1, OpenShards(7, {0}));
  const auto set = [&](uint32_t hours, uint32_t change) {
    v1::Command command = SetRetention(7, hours);
    command.mutable_set_retention()->set_change(change);
    EXPECT_OK(replica.Command(1, command).status);
  };
  set(168, 2);
  set(48, 1);
  // By what a source would tell of the shard.
  auto source = replica.state().OpenSource(GroupId(1), "");
  ASSERT_OK(source);
  GroupInstall install;
  std::vector<BlockView> blocks;
  const auto chunk = (*source)->Next();
  ASSERT_OK(chunk);
  ASSERT_OK(install.Add(GroupId(1), *chunk, &blocks));
  EXPECT_EQ(install.RetentionHoursOf(ShardOf(7, 0)), 168u);

  replica.Command(0, CreateStream("s", 1), 1'700'000'000'000);
  v1::Command command;
  command.mutable_activate_stream()->set_stream_id(1);
  replica.Command(0, command);
  const auto update = [&](uint32_t hours) {
    v1::Command change;
    change.mutable_update_retention()->set_stream_id(1);
    change.mutable_update_retention()->set_retention_hours(hours);
    EXPECT_OK(replica.Command(0, change).status);
  };
  const auto complete = [&](uint32_t change) {
    v1::Command done;
    done.mutable_complete_retention()->set_stream_id(1);
    done.mutable_complete_retention()->set_change(change);
    EXPECT_OK(replica.Command(0, done, 1'700'000'000'000).status);
    return replica.state().catalog().Find("s")->retention_hours;
  };
  update(100);
  EXPECT_EQ(complete(1), 100u);
  update(200);
  EXPECT_EQ(complete(1), 100u);
  EXPECT_EQ(complete(2), 200u);
}

}  // namespace
}  // namespace trireme
