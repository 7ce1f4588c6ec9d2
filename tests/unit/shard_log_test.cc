#include "storage/shard_log.h"

#include <algorithm>
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

constexpr int64_t kStart = 1'700'000'000'000;
constexpr int64_t kHour = 3'600'000;

// What a shard's log must hold, kept the simplest way.
struct ModelRecord {
  Counter counter = 0;
  int64_t arrival_ms = 0;
  std::string data;
};
using Model = std::map<ShardKey, std::vector<ModelRecord>>;

std::vector<std::string> Expected(const std::vector<ModelRecord>& records,
                                  Counter from, int64_t horizon_ms) {
  std::vector<std::string> found;
  for (const ModelRecord& record : records) {
    if (record.counter >= from && record.arrival_ms >= horizon_ms)
      found.push_back(std::to_string(record.counter) + ":" + record.data);
  }
  return found;
}

Counter ExpectedTime(const std::vector<ModelRecord>& records, int64_t time_ms,
                     Counter next) {
  for (const ModelRecord& record : records) {
    if (record.arrival_ms >= time_ms) return record.counter;
  }
  return next;
}

// Random entries to three shards of one group; some land in the same
// millisecond, some after hours.
void ApplyRandomEntry(Replica* replica, uint32_t group, std::mt19937_64* random,
                      int64_t* stamp_ms, Model* model) {
  const uint64_t dice = (*random)() % 10;
  *stamp_ms += dice < 3 ? 0 : dice < 9 ? (*random)() % 700 : (*random)() % 9000;
  const LogIndex index = replica->state().Applied(GroupId(group)).index + 1;
  DataByShard data;
  for (uint32_t shard = 0; shard < 3; ++shard) {
    // Shard 2 is written seldom: whole partitions are without it.
    if ((*random)() % (shard == 2 ? 25 : 2) != 0) continue;
    std::vector<std::string> records((*random)() % 4 + 1);
    for (uint32_t i = 0; i < records.size(); ++i) {
      records[i] = std::to_string((*random)() % 1000);
      (*model)[ShardOf(1, shard)].push_back(
          {MakeCounter(index, i), *stamp_ms, records[i]});
    }
    data.push_back({ShardOf(1, shard), records});
  }
  replica->Apply(group,
                 data.empty() ? nullptr : RecordsPayload(*stamp_ms, data));
}

void Compare(Replica* replica, uint32_t group, const Model& model,
             std::mt19937_64* random, int64_t stamp_ms, int probes) {
  for (const auto& [shard, records] : model) {
    const ShardState state =
        replica->state().GetShardState(GroupId(group), shard);
    ASSERT_EQ(state.next, records.back().counter + 1);
    for (int i = 0; i < probes; ++i) {
      const Counter from =
          i == 0 ? 0 : (*random)() % (records.back().counter + 70'000);
      const int64_t span = stamp_ms - kStart + 4000;
      const int64_t time =
          kStart - 2000 + static_cast<int64_t>((*random)() % span);
      const int64_t horizon = i % 2 == 0 ? 0 : time;
      ASSERT_EQ(replica->ReadAll(group, shard, from, horizon,
                                 i % 3 == 0 ? 1 << 20 : 1),
                Expected(records, from, horizon))
          << "from " << from << " horizon " << horizon;
      // Near a record's own time is where it goes wrong, if at all.
      for (const int64_t probe :
           {time, records[(*random)() % records.size()].arrival_ms,
            records[(*random)() % records.size()].arrival_ms + 1}) {
        const auto found =
            replica->state().shard_log().FindTime(GroupId(group), shard, probe);
        ASSERT_OK(found);
        ASSERT_EQ(*found, ExpectedTime(records, probe, state.next))
            << "time " << probe;
      }
    }
  }
}

TEST(ShardLogTest, ReadAndFindTimeAreRightAcrossTinyPartitions) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    StateMachineOptions options = Replica::SmallOptions();
    options.partition_ms = seed % 2 == 0 ? 2500 : 60'000;
    options.partition_bytes_max = seed % 2 == 0 ? 1 << 20 : 700;
    Replica replica(options);
    std::mt19937_64 random(seed);
    // Two groups share the partitions.
    Model models[3];
    int64_t stamps[3] = {0, kStart, kStart};
    for (const uint32_t group : {1, 2})
      replica.Command(group, OpenShards(1, {0, 1, 2}), kStart);
    for (int i = 0; i < 250; ++i) {
      const uint32_t group = random() % 4 == 0 ? 2 : 1;
      ApplyRandomEntry(&replica, group, &random, &stamps[group],
                       &models[group]);
      if (random() % 40 == 0) {
        ASSERT_OK(replica.state().Flush());
      }
    }
    Compare(&replica, 1, models[1], &random, stamps[1], 12);
    Compare(&replica, 2, models[2], &random, stamps[2], 6);
    // The same from the disk alone, and what comes after fits on.
    ASSERT_OK(replica.state().Flush());
    replica.Crash();
    for (int i = 0; i < 60; ++i)
      ApplyRandomEntry(&replica, 1, &random, &stamps[1], &models[1]);
    Compare(&replica, 1, models[1], &random, stamps[1], 6);
  }
}

TEST(ShardLogTest, ReadStopsAtTheBytesAskedFor) {
  Replica replica;
  replica.Command(1, OpenShards(1, {0}), kStart);
  const std::string data(1000, 'x');
  for (int i = 0; i < 10; ++i)
    replica.Apply(1, RecordsPayload(kStart, {{ShardOf(1, 0), {data}}}));
  const auto read = [&](size_t bytes_max) {
    return replica.state()
        .shard_log()
        .Read(GroupId(1), ShardOf(1, 0), 0, bytes_max, 0)
        ->size();
  };
  EXPECT_EQ(read(0), 1u);
  EXPECT_EQ(read(1), 1u);
  EXPECT_EQ(read(3 * 1011), 3u);
  EXPECT_EQ(read(3 * 1011 - 1), 2u);
  EXPECT_EQ(read(1 << 20), 10u);
}

TEST(ShardLogTest, ThePositionsOfAnEmptyShard) {
  Replica replica;
  replica.Command(1, OpenShards(1, {0}), kStart);
  EXPECT_THAT(replica.ReadAll(1, ShardOf(1, 0)), IsEmpty());
  EXPECT_EQ(*replica.state().shard_log().FindTime(GroupId(1), ShardOf(1, 0), 5),
            0u);
}

TEST(ShardLogTest, ExpiredRecordsAreOutOfSightAtOnce) {
  Replica replica;
  replica.Command(1, OpenShards(1, {0}), kStart);
  for (int i = 0; i < 5; ++i) {
    replica.Apply(
        1, RecordsPayload(kStart + i, {{ShardOf(1, 0), {std::to_string(i)}}}));
  }
  EXPECT_THAT(replica.ReadAll(1, ShardOf(1, 0), 0, kStart + 3),
              ElementsAre(At(5, 0, "3"), At(6, 0, "4")));
  // What arrived at the horizon itself is the last to go.
  EXPECT_THAT(replica.ReadAll(1, ShardOf(1, 0), 0, kStart + 4),
              ElementsAre(At(6, 0, "4")));
  EXPECT_THAT(replica.ReadAll(1, ShardOf(1, 0), 0, kStart + 9), IsEmpty());
}

TEST(ShardLogTest, DroppingExpiredPartitionsReturnsTheirSpace) {
  StateMachineOptions options = Replica::SmallOptions();
  options.partition_ms = kHour;
  Replica replica(options);
  replica.Command(1, OpenShards(1, {0}), kStart);
  const std::string data(1 << 20, 'x');
  for (int hour = 0; hour < 6; ++hour) {
    replica.Apply(
        1, RecordsPayload(kStart + hour * kHour,
                          {{ShardOf(1, 0), {data + std::to_string(hour)}}}));
    ASSERT_OK(replica.state().Flush());
  }
  const uint64_t before = replica.DirectoryBytes();
  EXPECT_GT(before, 6u << 20);
  // Nothing is a day old yet.
  ASSERT_OK(replica.state().DropExpired(kStart + 23 * kHour));
  EXPECT_EQ(replica.ReadAll(1, ShardOf(1, 0)).size(), 6u);
  ASSERT_OK(replica.state().DropExpired(kStart + (24 + 3) * kHour));
  EXPECT_EQ(replica.ReadAll(1, ShardOf(1, 0)).size(), 3u);
  EXPECT_LT(replica.state().bytes_on_disk(), 4u << 20);
  EXPECT_LT(replica.DirectoryBytes(), before - (2u << 20));
  ASSERT_OK(replica.state().Flush());
  replica.Crash();
  EXPECT_EQ(replica.ReadAll(1, ShardOf(1, 0)).size(), 3u);
  EXPECT_EQ(replica.state().GetShardState(GroupId(1), ShardOf(1, 0)).next,
            MakeCounter(7, 1));
  // Even the newest partition goes when all in it is old; writing goes on.
  ASSERT_OK(replica.state().DropExpired(kStart + 100 * kHour));
  EXPECT_THAT(replica.ReadAll(1, ShardOf(1, 0)), IsEmpty());
  replica.Apply(
      1, RecordsPayload(kStart + 101 * kHour, {{ShardOf(1, 0), {"new"}}}));
  EXPECT_THAT(replica.ReadAll(1, ShardOf(1, 0)), ElementsAre(At(8, 0, "new")));
  ASSERT_OK(replica.state().Flush());
  replica.Crash();
  EXPECT_THAT(replica.ReadAll(1, ShardOf(1, 0)), ElementsAre(At(8, 0, "new")));
}

TEST(ShardLogTest, ADropThatWasNotFlushedIsFinishedAtTheStart) {
  StateMachineOptions options = Replica::SmallOptions();
  options.partition_ms = kHour;
  Replica replica(options);
  replica.Command(1, OpenShards(1, {0}), kStart);
  for (int hour = 0; hour < 3; ++hour) {
    replica.Apply(1, RecordsPayload(kStart + hour * kHour,
                                    {{ShardOf(1, 0), {std::to_string(hour)}}}));
  }
  ASSERT_OK(replica.state().Flush());
  // The families are gone for good, the rows of them come back.
  ASSERT_OK(replica.state().DropExpired(kStart + 26 * kHour));
  replica.Crash();
  EXPECT_THAT(replica.ReadAll(1, ShardOf(1, 0)), ElementsAre(At(4, 0, "2")));
  EXPECT_EQ(*replica.state().shard_log().FindTime(GroupId(1), ShardOf(1, 0), 0),
            MakeCounter(4, 0));
}

TEST(ShardLogTest, ALongerRetentionKeepsPartitionsLonger) {
  StateMachineOptions options = Replica::SmallOptions();
  options.partition_ms = kHour;
  Replica replica(options);
  v1::Command open = OpenShards(1, {0});
  open.mutable_open_shards()->set_retention_hours(48);
  replica.Command(1, open, kStart);
  replica.Apply(1, RecordsPayload(kStart, {{ShardOf(1, 0), {"a"}}}));
  ASSERT_OK(replica.state().DropExpired(kStart + 47 * kHour));
  EXPECT_THAT(replica.ReadAll(1, ShardOf(1, 0)), ElementsAre(At(2, 0, "a")));
  ASSERT_OK(replica.state().DropExpired(kStart + 49 * kHour));
  EXPECT_THAT(replica.ReadAll(1, ShardOf(1, 0)), IsEmpty());
}

TEST(ShardLogTest, ReadersGoOnWhilePartitionsAreWrittenAndDropped) {
  StateMachineOptions options = Replica::SmallOptions();
  options.partition_ms = 1000;
  Replica replica(options);
  replica.Command(1, OpenShards(1, {0}), kStart);
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> reads = 0;
  std::thread reader([&] {
    while (!stop) {
      const Counter next =
          replica.state().GetShardState(GroupId(1), ShardOf(1, 0)).next;
      const auto blocks = replica.state().shard_log().Read(
          GroupId(1), ShardOf(1, 0), next == 0 ? 0 : next - 1, 1 << 20, 0);
      EXPECT_OK(blocks);
      // What the shard's state promises can be read.
      if (next != 0 && blocks.ok()) {
        EXPECT_FALSE(blocks->empty());
      }
      ++reads;
    }
  });
  // At least as many as needed, and until the reader has had its turns.
  for (int i = 0; i < 200 || reads < 100; ++i) {
    replica.Apply(1, RecordsPayload(kStart + i * 20, {{ShardOf(1, 0), {"x"}}}));
    if (i % 50 != 0) continue;
    ASSERT_OK(replica.state().Flush());
    // A day and a second behind the newest.
    ASSERT_OK(replica.state().DropExpired(kStart + i * 20 - 1000 + 24 * kHour));
  }
  stop = true;
  reader.join();
}

}  // namespace
}  // namespace trireme
