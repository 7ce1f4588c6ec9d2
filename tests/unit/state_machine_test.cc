#include "storage/state_machine.h"

#include <fstream>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/errors.h"
#include "tests/unit/state_fixture.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kStart = 1'700'000'000'000;

TEST(StateMachineTest, AppliedRecordsAreRead) {
  Replica replica;
  replica.Command(1, OpenShards(7, {0, 1}), kStart);
  const ApplyResult result = replica.Apply(
      1, RecordsPayload(kStart + 5,
                        {{ShardOf(7, 0), {"a", "b"}}, {ShardOf(7, 1), {"c"}}}));
  ASSERT_EQ(result.batches.size(), 2u);
  EXPECT_OK(result.batches[0].status);
  EXPECT_OK(result.batches[1].status);
  EXPECT_THAT(replica.ReadAll(1, ShardOf(7, 0)),
              ElementsAre(At(2, 0, "a"), At(2, 1, "b")));
  EXPECT_THAT(replica.ReadAll(1, ShardOf(7, 0), MakeCounter(2, 1)),
              ElementsAre(At(2, 1, "b")));
  EXPECT_THAT(replica.ReadAll(1, ShardOf(7, 1)), ElementsAre(At(2, 0, "c")));
  // Another group's shard of the same name is another shard.
  EXPECT_THAT(replica.ReadAll(2, ShardOf(7, 0)), IsEmpty());
  const ShardState shard =
      replica.state().GetShardState(GroupId(1), ShardOf(7, 0));
  EXPECT_TRUE(shard.exists);
  EXPECT_EQ(shard.next, MakeCounter(2, 2));
  EXPECT_EQ(shard.last_arrival_ms, kStart + 5);
}

TEST(StateMachineTest, BlocksCarryArrivalAndCount) {
  Replica replica;
  replica.Command(1, OpenShards(7, {0}), kStart);
  replica.Apply(1, RecordsPayload(kStart + 9, {{ShardOf(7, 0), {"a", "b"}}}));
  const auto blocks =
      replica.state().shard_log().Read(GroupId(1), ShardOf(7, 0), 0, 1000, 0);
  ASSERT_OK(blocks);
  ASSERT_EQ(blocks->size(), 1u);
  EXPECT_EQ(blocks->front().first, MakeCounter(2, 0));
  EXPECT_EQ(blocks->front().last(), MakeCounter(2, 1));
  EXPECT_EQ(blocks->front().arrival_ms, kStart + 9);
}

TEST(StateMachineTest, OldEntriesAreSkipped) {
  Replica replica;
  replica.Command(1, OpenShards(7, {0}), kStart);
  const Payload payload = RecordsPayload(kStart, {{ShardOf(7, 0), {"a"}}});
  replica.Apply(1, payload);
  for (const LogIndex index : {1, 2}) {
    const auto again = replica.state().Apply(Entry(1, index, payload));
    ASSERT_OK(again);
    EXPECT_OK(again->status);
    EXPECT_THAT(again->batches, IsEmpty());
  }
  EXPECT_THAT(replica.ReadAll(1, ShardOf(7, 0)), ElementsAre(At(2, 0, "a")));
  EXPECT_EQ(replica.state().Applied(GroupId(1)).index, 2u);
}

TEST(StateMachineTest, EntriesWithoutPayloadMoveThePosition) {
  Replica replica;
  replica.Apply(1, nullptr);
  EXPECT_EQ(replica.state().Applied(GroupId(1)).index, 1u);
  EXPECT_EQ(replica.state().Applied(GroupId(2)).index, 0u);
}

TEST(StateMachineDeathTest, AGapInTheLogStopsTheProcess) {
  Replica replica;
  EXPECT_DEATH((void)replica.state().Apply(Entry(1, 2, nullptr)),
               "applies entry 2 after 0");
}

TEST(StateMachineTest, StampsNeverGoBack) {
  Replica replica;
  replica.Command(1, OpenShards(7, {0}), kStart);
  replica.Apply(1, RecordsPayload(kStart + 5000, {{ShardOf(7, 0), {"a"}}}));
  replica.Apply(1, RecordsPayload(kStart + 1000, {{ShardOf(7, 0), {"b"}}}));
  const auto blocks =
      replica.state().shard_log().Read(GroupId(1), ShardOf(7, 0), 0, 1000, 0);
  ASSERT_OK(blocks);
  EXPECT_EQ(blocks->back().arrival_ms, kStart + 5000);
}

TEST(StateMachineTest, MalformedEntriesAreDataLossAndLeaveNoTrace) {
  Replica replica;
  for (const std::string& bytes :
       {std::string(), std::string("x"), std::string(16, '\x01'),
        EncodeCommandPayload(kStart, "\xff\xff\xff")}) {
    const auto result = replica.state().Apply(Entry(1, 1, MakePayload(bytes)));
    EXPECT_EQ(result.status().code(), absl::StatusCode::kDataLoss);
  }
  EXPECT_EQ(replica.state().Applied(GroupId(1)).index, 0u);
}

TEST(StateMachineTest, CommandsOfLaterVersionsAreNotSkipped) {
  Replica replica;
  const auto result =
      replica.state().Apply(Entry(1, 1, CommandPayload(kStart, v1::Command())));
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnimplemented);
}

TEST(StateMachineTest, CommandsToTheWrongGroupChangeNothing) {
  Replica replica;
  EXPECT_EQ(ReasonOf(replica.Command(1, CreateStream("s", 1)).status),
            ErrorReason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(replica.Command(0, OpenShards(1, {0})).status),
            ErrorReason::kInvalidArgument);
  EXPECT_EQ(replica.state().catalog().stream_count(), 0u);
}

// --- open, sealed, dropped ---

TEST(StateMachineTest, RecordsToUnknownShardsAreRefused) {
  Replica replica;
  replica.Command(1, OpenShards(7, {1}), kStart);
  const ApplyResult result = replica.Apply(
      1, RecordsPayload(
             kStart, {{ShardOf(7, 0), {"lost"}}, {ShardOf(7, 1), {"kept"}}}));
  ASSERT_EQ(result.batches.size(), 2u);
  EXPECT_EQ(ReasonOf(result.batches[0].status), ErrorReason::kResourceNotFound);
  EXPECT_THAT(std::string(result.batches[0].status.message()),
              HasSubstr("is not open in this group"));
  EXPECT_OK(result.batches[1].status);
  EXPECT_THAT(replica.ReadAll(1, ShardOf(7, 0)), IsEmpty());
  EXPECT_THAT(replica.ReadAll(1, ShardOf(7, 1)), ElementsAre(At(2, 0, "kept")));
  EXPECT_FALSE(replica.state().GetShardState(GroupId(1), ShardOf(7, 0)).exists);
}

TEST(StateMachineTest, ASealedShardTakesNothingMore) {
  Replica replica;
  replica.Command(1, OpenShards(7, {0}), kStart);
  replica.Apply(1, RecordsPayload(kStart, {{ShardOf(7, 0), {"a"}}}));
  const ApplyResult seal = replica.Command(1, SealShard(7, 0), kStart);
  v1::SealShardsReply reply;
  ASSERT_TRUE(reply.ParseFromString(seal.reply));
  EXPECT_THAT(reply.end_counters(), ElementsAre(MakeCounter(3, 0)));
  const ApplyResult late =
      replica.Apply(1, RecordsPayload(kStart, {{ShardOf(7, 0), {"late"}}}));
  EXPECT_EQ(ReasonOf(late.batches.at(0).status), ErrorReason::kShardSealed);
  // Sealing again finds the first end.
  ASSERT_TRUE(reply.ParseFromString(replica.Command(1, SealShard(7, 0)).reply));
  EXPECT_THAT(reply.end_counters(), ElementsAre(MakeCounter(3, 0)));
  EXPECT_THAT(replica.ReadAll(1, ShardOf(7, 0)), ElementsAre(At(2, 0, "a")));
  EXPECT_EQ(replica.state().GetShardState(GroupId(1), ShardOf(7, 0)).end,
            MakeCounter(3, 0));
}

TEST(StateMachineTest, SealingAnUnknownShardIsRefused) {
  Replica replica;
  EXPECT_EQ(ReasonOf(replica.Command(1, SealShard(7, 0)).status),
            ErrorReason::kResourceNotFound);
}

TEST(StateMachineTest, ADroppedShardStaysDropped) {
  Replica replica;
  replica.Command(1, OpenShards(7, {0, 1}), kStart);
  replica.Command(1, DropShards(7, {0, 2}), kStart);
  replica.Command(1, OpenShards(7, {0, 1, 2}), kStart);
  const ApplyResult result =
      replica.Apply(1, RecordsPayload(kStart, {{ShardOf(7, 0), {"x"}},
                                               {ShardOf(7, 1), {"y"}},
                                               {ShardOf(7, 2), {"z"}}}));
  EXPECT_EQ(ReasonOf(result.batches.at(0).status),
            ErrorReason::kResourceNotFound);
  EXPECT_OK(result.batches.at(1).status);
  EXPECT_EQ(ReasonOf(result.batches.at(2).status),
            ErrorReason::kResourceNotFound);
  EXPECT_FALSE(replica.state().GetShardState(GroupId(1), ShardOf(7, 0)).exists);
}

// --- crash and replay ---

// A log of one data group with all kinds of entries.
std::vector<Payload> MixedLog(int entries, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Payload> log = {CommandPayload(kStart, OpenShards(1, {0, 1, 2}))};
  int64_t stamp = kStart;
  while (static_cast<int>(log.size()) < entries) {
    stamp += static_cast<int64_t>(random() % 400);
    const uint64_t dice = random() % 20;
    if (dice == 0) {
      log.push_back(nullptr);
    } else if (dice == 1) {
      log.push_back(CommandPayload(
          stamp, OpenShards(2, {static_cast<uint32_t>(random() % 4)})));
    } else if (dice == 2) {
      log.push_back(CommandPayload(
          stamp, SealShard(2, static_cast<uint32_t>(random() % 8))));
    } else {
      DataByShard data;
      for (uint32_t shard = 0; shard < 3; ++shard) {
        if (random() % 2 == 0) continue;
        std::vector<std::string> records(random() % 3 + 1);
        for (auto& record : records) record = std::to_string(random());
        data.push_back({ShardOf(1 + shard % 2, shard), records});
      }
      log.push_back(RecordsPayload(stamp, data));
    }
  }
  return log;
}

std::vector<std::string> Contents(Replica& replica, uint32_t group) {
  std::vector<std::string> all;
  for (const uint32_t stream : {1, 2}) {
    for (uint32_t shard = 0; shard < 4; ++shard) {
      const ShardState state =
          replica.state().GetShardState(GroupId(group), ShardOf(stream, shard));
      all.push_back(std::to_string(state.exists) + "/" +
                    std::to_string(state.next) + "/" +
                    std::to_string(state.last_arrival_ms) + "/" +
                    std::to_string(state.end.value_or(0)));
      for (auto& record : replica.ReadAll(group, ShardOf(stream, shard)))
        all.push_back(std::move(record));
    }
  }
  return all;
}

TEST(StateMachineTest, ReplayAfterACrashGivesTheSameState) {
  StateMachineOptions options = Replica::SmallOptions();
  options.partition_ms = 5'000;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const std::vector<Payload> log = MixedLog(300, seed);
    Replica expected(options);
    for (const Payload& payload : log) expected.Apply(1, payload);

    Replica crashing(options);
    std::mt19937_64 random(seed);
    LogIndex flushed = 0;
    int crashes = 0;
    while (crashing.state().Applied(GroupId(1)).index < log.size()) {
      const LogIndex applied = crashing.state().Applied(GroupId(1)).index;
      if (random() % 30 == 0) {
        ASSERT_OK(crashing.state().Flush());
        flushed = applied;
        EXPECT_EQ(crashing.state().Durable(GroupId(1)).index, flushed);
      }
      if (random() % 60 == 0) {
        crashing.Crash();
        ++crashes;
        EXPECT_EQ(crashing.state().Applied(GroupId(1)).index, flushed);
        EXPECT_EQ(crashing.state().Durable(GroupId(1)).index, flushed);
        continue;
      }
      crashing.Apply(1, log[applied]);
    }
    EXPECT_GT(crashes, 0);
    EXPECT_EQ(Contents(crashing, 1), Contents(expected, 1)) << seed;
    EXPECT_EQ(crashing.state().Applied(GroupId(1)).stamp_ms,
              expected.state().Applied(GroupId(1)).stamp_ms);
  }
}

TEST(StateMachineTest, TheCatalogueSurvivesACrashUpToTheFlush) {
  Replica replica;
  replica.Command(0, CreateStream("kept", 3), kStart);
  ASSERT_OK(replica.state().Flush());
  replica.Command(0, CreateStream("lost", 3), kStart);
  replica.Crash();
  EXPECT_NE(replica.state().catalog().Find("kept"), nullptr);
  EXPECT_EQ(replica.state().catalog().Find("lost"), nullptr);
  EXPECT_EQ(replica.state().Applied(GroupId(0)).index, 1u);
  EXPECT_EQ(replica.state().Applied(GroupId(0)).stamp_ms, kStart);
  // Applied again, it gets the same number.
  replica.Command(0, CreateStream("lost", 3), kStart);
  EXPECT_EQ(replica.state().catalog().Find("lost")->id, StreamId(2));
}

TEST(StateMachineTest, AFlushIsDueAtHalfTheMemory) {
  Replica replica;  // 8 MiB
  replica.Command(1, OpenShards(7, {0}), kStart);
  const std::string megabyte(1 << 20, 'x');
  for (int i = 0; i < 3; ++i) {
    replica.Apply(1, RecordsPayload(kStart, {{ShardOf(7, 0), {megabyte}}}));
    EXPECT_FALSE(replica.state().FlushDue());
  }
  replica.Apply(1, RecordsPayload(kStart, {{ShardOf(7, 0), {megabyte}}}));
  EXPECT_TRUE(replica.state().FlushDue());
  ASSERT_OK(replica.state().Flush());
  EXPECT_FALSE(replica.state().FlushDue());
  EXPECT_EQ(replica.state().Durable(GroupId(1)).index, 5u);
  EXPECT_GT(replica.state().bytes_on_disk(), 4u << 20);
}

TEST(StateMachineTest, WritersWaitWhenNobodyFlushes) {
  // RocksDB flushes by itself then, and the state stays whole.
  Replica replica;
  replica.Command(1, OpenShards(7, {0}), kStart);
  const std::string data(1 << 20, 'x');
  for (int i = 0; i < 40; ++i)
    replica.Apply(1, RecordsPayload(kStart, {{ShardOf(7, 0), {data}}}));
  replica.Crash();
  const LogIndex applied = replica.state().Applied(GroupId(1)).index;
  EXPECT_GT(applied, 10u);
  EXPECT_EQ(replica.ReadAll(1, ShardOf(7, 0)).size(), applied - 1);
  EXPECT_EQ(replica.state().GetShardState(GroupId(1), ShardOf(7, 0)).next,
            MakeCounter(applied, 1));
}

TEST(StateMachineTest, RefusesToOpenWithFewerGroupsThanItHolds) {
  Replica replica;
  replica.Apply(2, nullptr);
  ASSERT_OK(replica.state().Flush());
  replica.Close();
  StateMachineOptions options = Replica::SmallOptions();
  options.group_count = 2;
  const auto opened = StateMachine::Open(replica.path(), options);
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kFailedPrecondition);
}

// --- damage ---

std::vector<std::string> FilesEndingIn(const std::string& directory,
                                       const std::string& ending) {
  std::vector<std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    if (file.path().string().ends_with(ending))
      files.push_back(file.path().string());
  }
  return files;
}

void FlipByte(const std::string& path, uint64_t offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  const char byte = static_cast<char>(file.get() ^ 0x10);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(byte);
}

TEST(StateMachineTest, DamagedRecordsAreNeverServed) {
  Replica replica;
  replica.Command(1, OpenShards(7, {0}), kStart);
  const std::string data(200'000, 'd');
  for (int i = 0; i < 3; ++i)
    replica.Apply(1, RecordsPayload(kStart, {{ShardOf(7, 0), {data}}}));
  ASSERT_OK(replica.state().Flush());
  replica.Close();
  // The one large file holds the blocks; its middle is the second block's.
  int damaged = 0;
  for (const std::string& path : FilesEndingIn(replica.path(), ".sst")) {
    const uint64_t size = std::filesystem::file_size(path);
    if (size < 500'000) continue;
    FlipByte(path, size / 2);
    ++damaged;
  }
  ASSERT_EQ(damaged, 1);
  replica.Open();
  const auto& log = replica.state().shard_log();
  const auto first = log.Read(GroupId(1), ShardOf(7, 0), 0, 1, 0);
  ASSERT_OK(first);
  EXPECT_EQ(first->size(), 1u);
  const auto second =
      log.Read(GroupId(1), ShardOf(7, 0), MakeCounter(3, 0), 1, 0);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr("stream 7, shard 0"));
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr(std::to_string(MakeCounter(3, 0))));
  EXPECT_OK(log.Read(GroupId(1), ShardOf(7, 0), MakeCounter(4, 0), 1, 0));
}

TEST(StateMachineTest, ADamagedManifestSaysWhatToDo) {
  Replica replica;
  replica.Apply(1, nullptr);
  ASSERT_OK(replica.state().Flush());
  replica.Close();
  for (const auto& file : std::filesystem::directory_iterator(replica.path())) {
    if (file.path().filename().string().starts_with("MANIFEST-"))
      FlipByte(file.path().string(), 40);
  }
  const auto opened =
      StateMachine::Open(replica.path(), Replica::SmallOptions());
  EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(opened.status().message()),
              HasSubstr(replica.path()));
  EXPECT_THAT(std::string(opened.status().message()),
              HasSubstr("Move the directory away"));
}

TEST(StateMachineTest, MissingFilesAreDamageNotAnEmptyNode) {
  for (const char* ending : {"CURRENT", ".sst"}) {
    Replica replica;
    replica.Command(1, OpenShards(7, {0}), kStart);
    replica.Apply(1, RecordsPayload(kStart, {{ShardOf(7, 0), {"a"}}}));
    ASSERT_OK(replica.state().Flush());
    replica.Close();
    for (const std::string& file : FilesEndingIn(replica.path(), ending))
      std::filesystem::remove(file);
    const auto opened =
        StateMachine::Open(replica.path(), Replica::SmallOptions());
    EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss)
        << opened.status();
  }
}

}  // namespace
}  // namespace trireme
