#include "storage/state_transfer.h"

#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/crc32c.h"
#include "storage/fixed_ints.h"
#include "tests/unit/state_fixture.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kStart = 1'700'000'000'000;
constexpr uint32_t kShards = 4;

StateMachineOptions TinyPartitions() {
  StateMachineOptions options = Replica::SmallOptions();
  options.partition_ms = 3000;
  return options;
}

// The next entry of a group's log, the same for every replica.
Payload LogEntry(LogIndex index) {
  if (index == 1) return CommandPayload(kStart, OpenShards(1, {0, 1, 2}));
  if (index == 40) return CommandPayload(kStart + 4000, OpenShards(1, {3}));
  if (index == 70) return CommandPayload(kStart + 7000, SealShard(1, 1));
  if (index == 90) return CommandPayload(kStart + 9000, DropShards(1, {2}));
  std::mt19937_64 random(index);
  DataByShard data;
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    if (random() % 2 == 0) continue;
    std::vector<std::string> records(random() % 3 + 1);
    // Large enough that a pull takes several chunks.
    for (auto& record : records)
      record = std::to_string(random()) + std::string(20'000, 'r');
    data.push_back({ShardOf(1, shard), records});
  }
  return data.empty()
             ? nullptr
             : RecordsPayload(kStart + static_cast<int64_t>(index) * 100, data);
}

void ApplyUpTo(Replica* replica, LogIndex last) {
  while (replica->state().Applied(GroupId(1)).index < last)
    replica->Apply(1, LogEntry(replica->state().Applied(GroupId(1)).index + 1));
}

std::vector<std::string> ChunksFor(Replica* source, Replica* target,
                                   uint32_t group, AppliedPosition* position) {
  std::vector<std::string> chunks;
  const auto held = target->state().DescribeHeld(GroupId(group));
  EXPECT_OK(held);
  auto opened = source->state().OpenSource(GroupId(group), *held);
  EXPECT_OK(opened);
  if (!opened.ok()) return chunks;
  *position = (*opened)->position();
  while (true) {
    auto chunk = (*opened)->Next();
    EXPECT_OK(chunk);
    if (!chunk.ok() || chunk->empty()) return chunks;
    EXPECT_LT(chunk->size(), 2u << 20);
    chunks.push_back(*std::move(chunk));
  }
}

size_t Pull(Replica* source, Replica* target, uint32_t group) {
  AppliedPosition position;
  size_t bytes = 0;
  for (const std::string& chunk : ChunksFor(source, target, group, &position)) {
    EXPECT_OK(target->state().InstallChunk(GroupId(group), chunk));
    bytes += chunk.size();
  }
  EXPECT_OK(target->state().FinishInstall(GroupId(group), position));
  EXPECT_EQ(target->state().Applied(GroupId(group)).index, position.index);
  EXPECT_EQ(target->state().Durable(GroupId(group)).index, position.index);
  EXPECT_EQ(target->state().Applied(GroupId(group)).stamp_ms,
            position.stamp_ms);
  return bytes;
}

void ExpectSame(Replica* a, Replica* b) {
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    const ShardState left =
        a->state().GetShardState(GroupId(1), ShardOf(1, shard));
    const ShardState right =
        b->state().GetShardState(GroupId(1), ShardOf(1, shard));
    EXPECT_EQ(left.exists, right.exists) << shard;
    EXPECT_EQ(left.end, right.end) << shard;
    // Blocks of a dropped shard are nobody's.
    if (!left.exists) continue;
    EXPECT_EQ(left.next, right.next) << shard;
    EXPECT_EQ(left.last_arrival_ms, right.last_arrival_ms) << shard;
    EXPECT_EQ(a->ReadAll(1, ShardOf(1, shard)),
              b->ReadAll(1, ShardOf(1, shard)))
        << shard;
    // In one large read a block that is there twice shows.
    EXPECT_EQ(a->ReadAll(1, ShardOf(1, shard), 0, 0, 64 << 20),
              b->ReadAll(1, ShardOf(1, shard), 0, 0, 64 << 20))
        << shard;
    for (int64_t time = kStart - 50; time < kStart + 20'000; time += 730) {
      EXPECT_EQ(
          *a->state().shard_log().FindTime(GroupId(1), ShardOf(1, shard), time),
          *b->state().shard_log().FindTime(GroupId(1), ShardOf(1, shard), time))
          << shard << " at " << time;
    }
  }
}

TEST(StateTransferTest, AnEmptyReplicaGetsAll) {
  Replica source(TinyPartitions());
  ApplyUpTo(&source, 150);
  Replica target(TinyPartitions());
  EXPECT_GT(Pull(&source, &target, 1), 2u << 20);
  ExpectSame(&source, &target);
  // It goes on by the log, and all of it survives a crash.
  target.Crash();
  EXPECT_EQ(target.state().Applied(GroupId(1)).index, 150u);
  ApplyUpTo(&source, 180);
  ApplyUpTo(&target, 180);
  ExpectSame(&source, &target);
}

TEST(StateTransferTest, ALaggingReplicaGetsOnlyWhatItLacks) {
  Replica source(TinyPartitions());
  ApplyUpTo(&source, 150);
  Replica target(TinyPartitions());
  ApplyUpTo(&target, 130);
  Replica empty(TinyPartitions());
  const size_t all = Pull(&source, &empty, 1);
  EXPECT_LT(Pull(&source, &target, 1), all / 4);
  ExpectSame(&source, &target);
  // Nothing is left to pull.
  EXPECT_LT(Pull(&source, &target, 1), 1000u);
}

TEST(StateTransferTest, TheSourceStandsStillWhileItIsRead) {
  Replica source(TinyPartitions());
  ApplyUpTo(&source, 60);
  Replica expected(TinyPartitions());
  ApplyUpTo(&expected, 60);
  Replica target(TinyPartitions());
  auto opened = source.state().OpenSource(GroupId(1), "");
  ASSERT_OK(opened);
  ApplyUpTo(&source, 120);  // Shards are sealed and dropped meanwhile.
  ASSERT_OK(source.state().Flush());
  while (true) {
    const auto chunk = (*opened)->Next();
    ASSERT_OK(chunk);
    if (chunk->empty()) break;
    ASSERT_OK(target.state().InstallChunk(GroupId(1), *chunk));
  }
  EXPECT_EQ((*opened)->position().index, 60u);
  ASSERT_OK(target.state().FinishInstall(GroupId(1), (*opened)->position()));
  ExpectSame(&expected, &target);
}

TEST(StateTransferTest, AnInterruptedPullGoesOnWhereItStopped) {
  Replica source(TinyPartitions());
  ApplyUpTo(&source, 150);
  for (const bool flushed : {true, false}) {
    Replica target(TinyPartitions());
    ApplyUpTo(&target, 20);
    ASSERT_OK(target.state().Flush());
    AppliedPosition position;
    const auto chunks = ChunksFor(&source, &target, 1, &position);
    ASSERT_GE(chunks.size(), 3u);
    size_t all = 0;
    for (const std::string& chunk : chunks) all += chunk.size();
    for (size_t i = 0; i < chunks.size() / 2; ++i)
      ASSERT_OK(target.state().InstallChunk(GroupId(1), chunks[i]));
    EXPECT_EQ(target.state().Applied(GroupId(1)).index, 20u);
    if (flushed) {
      ASSERT_OK(target.state().Flush());
    }
    target.Crash();
    EXPECT_EQ(target.state().Applied(GroupId(1)).index, 20u);
    // The end of the old pull means nothing any more.
    EXPECT_FALSE(target.state().FinishInstall(GroupId(1), position).ok());
    const size_t rest = Pull(&source, &target, 1);
    if (flushed) {
      EXPECT_LT(rest, all * 3 / 4);
    }
    ExpectSame(&source, &target);
  }
}

TEST(StateTransferTest, TheLogCanTakeOverFromAnInterruptedPull) {
  // The blocks that came ahead are not written twice, nor do later seals,
  // drops and openings act before their entries.
  Replica source(TinyPartitions());
  ApplyUpTo(&source, 150);
  AppliedPosition position;
  Replica probe(TinyPartitions());
  const size_t chunk_count = ChunksFor(&source, &probe, 1, &position).size();
  for (size_t kept = 1; kept < chunk_count; ++kept) {
    Replica target(TinyPartitions());
    ApplyUpTo(&target, 20);
    const auto chunks = ChunksFor(&source, &target, 1, &position);
    for (size_t i = 0; i < std::min(kept, chunks.size()); ++i)
      ASSERT_OK(target.state().InstallChunk(GroupId(1), chunks[i]));
    EXPECT_FALSE(
        target.state().GetShardState(GroupId(1), ShardOf(1, 3)).exists);
    if (kept % 2 == 0) {
      ASSERT_OK(target.state().Flush());
      target.Crash();
    }
    ApplyUpTo(&target, 150);
    ExpectSame(&source, &target);
    // And it is a good source itself, of any moment.
    Replica third(TinyPartitions());
    Pull(&target, &third, 1);
    ExpectSame(&source, &third);
  }
}

TEST(StateTransferTest, AHalfPulledReplicaGivesOnlyWhatItApplied) {
  Replica source(TinyPartitions());
  ApplyUpTo(&source, 150);
  Replica half(TinyPartitions());
  ApplyUpTo(&half, 30);
  AppliedPosition position;
  const auto chunks = ChunksFor(&source, &half, 1, &position);
  for (const std::string& chunk : chunks)
    ASSERT_OK(half.state().InstallChunk(GroupId(1), chunk));
  Replica target(TinyPartitions());
  Pull(&half, &target, 1);
  EXPECT_EQ(target.state().Applied(GroupId(1)).index, 30u);
  ApplyUpTo(&target, 150);
  ExpectSame(&source, &target);
}

TEST(StateTransferTest, APullFromASourceFurtherBackKeepsWhatCameAhead) {
  Replica ahead(TinyPartitions());
  ApplyUpTo(&ahead, 150);
  Replica behind(TinyPartitions());
  ApplyUpTo(&behind, 60);
  Replica target(TinyPartitions());
  AppliedPosition position;
  for (const std::string& chunk : ChunksFor(&ahead, &target, 1, &position))
    ASSERT_OK(target.state().InstallChunk(GroupId(1), chunk));
  Pull(&behind, &target, 1);
  EXPECT_EQ(target.state().Applied(GroupId(1)).index, 60u);
  ApplyUpTo(&target, 150);
  ExpectSame(&ahead, &target);
}

TEST(StateTransferTest, TheCatalogueIsReplacedAsAWhole) {
  Replica source;
  for (const char* name : {"a", "b", "c"})
    source.Command(0, CreateStream(name, 3), kStart);
  Replica target;
  target.Command(0, CreateStream("a", 3), kStart);
  source.Command(0, [] {
    v1::Command command;
    command.mutable_delete_stream()->set_name("a");
    return command;
  }());
  source.Command(
      0,
      [] {
        v1::Command command;
        command.mutable_remove_stream()->set_stream_id(1);
        return command;
      }(),
      kStart + 1000);
  source.Command(0, CreateStream("a", 5), kStart);
  source.Command(
      0,
      [] {
        v1::Command command;
        command.mutable_update_account_settings()->set_commitment(true);
        return command;
      }(),
      kStart);
  Pull(&source, &target, 0);
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_EQ(target.state().catalog().stream_count(), 3u);
    EXPECT_EQ(target.state().catalog().Find("a")->id, StreamId(4));
    EXPECT_EQ(target.state().catalog().Find("a")->shards.size(), 5u);
    EXPECT_EQ(target.state().catalog().Find(StreamId(1)), nullptr);
    EXPECT_EQ(target.state().catalog().account().commitment.status,
              CommitmentStatus::kEnabled);
    target.Crash();
  }
  target.Command(0, CreateStream("d", 1), kStart);
  EXPECT_EQ(target.state().catalog().Find("d")->id, StreamId(5));
}

TEST(StateTransferTest, AnOlderSourceTakesNothingAway) {
  Replica source(TinyPartitions());
  ApplyUpTo(&source, 50);
  Replica target(TinyPartitions());
  ApplyUpTo(&target, 80);
  AppliedPosition position;
  for (const std::string& chunk : ChunksFor(&source, &target, 1, &position))
    ASSERT_OK(target.state().InstallChunk(GroupId(1), chunk));
  ASSERT_OK(target.state().FinishInstall(GroupId(1), position));
  EXPECT_EQ(target.state().Applied(GroupId(1)).index, 80u);
  Replica expected(TinyPartitions());
  ApplyUpTo(&expected, 80);
  ExpectSame(&expected, &target);
}

TEST(StateTransferTest, DamagedChunksAreRefusedAndHarmless) {
  Replica source;
  source.Command(1, OpenShards(1, {0}), kStart);
  for (int i = 0; i < 20; ++i)
    source.Apply(1, RecordsPayload(kStart, {{ShardOf(1, 0), {"some data"}}}));
  Replica target;
  AppliedPosition position;
  const auto chunks = ChunksFor(&source, &target, 1, &position);
  ASSERT_EQ(chunks.size(), 1u);
  std::mt19937_64 random(2);
  int refused = 0;
  for (int i = 0; i < 2'000; ++i) {
    std::string chunk = chunks[0];
    chunk[random() % chunk.size()] ^= static_cast<char>(1 << random() % 8);
    if (random() % 3 == 0) chunk.resize(random() % chunk.size());
    refused += !target.state().InstallChunk(GroupId(1), chunk).ok();
  }
  EXPECT_EQ(refused, 2'000);
  for (int i = 0; i < 2'000; ++i) {
    std::string held = *source.state().DescribeHeld(GroupId(1));
    held[random() % held.size()] = static_cast<char>(random());
    held.resize(random() % (held.size() + 1));
    (void)source.state().OpenSource(GroupId(1), held);
  }
  EXPECT_EQ(target.state().Applied(GroupId(1)).index, 0u);
  Pull(&source, &target, 1);
  EXPECT_EQ(target.ReadAll(1, ShardOf(1, 0)), source.ReadAll(1, ShardOf(1, 0)));
}

TEST(StateTransferTest, ChunksOutOfOrderAreRefused) {
  Replica source;
  source.Command(1, OpenShards(1, {0}), kStart);
  Replica target;
  AppliedPosition position;
  const auto chunks = ChunksFor(&source, &target, 1, &position);
  EXPECT_EQ(target.state().InstallChunk(GroupId(2), chunks[0]).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(target.state().FinishInstall(GroupId(1), position).ok());
  ASSERT_OK(target.state().InstallChunk(GroupId(1), chunks[0]));
  AppliedPosition other = position;
  ++other.index;
  EXPECT_FALSE(target.state().FinishInstall(GroupId(1), other).ok());
  EXPECT_OK(target.state().FinishInstall(GroupId(1), position));
  EXPECT_FALSE(target.state().FinishInstall(GroupId(1), position).ok());
}

// Blocks before it would be measured by another position than their own.
TEST(StateTransferTest, AChunkThatBeginsAnewInItsMiddleIsRefused) {
  constexpr size_t kCrcBytes = 4;
  constexpr size_t kHeaderBytes = kCrcBytes + 1 + 4;  // Version and group.
  Replica source;
  source.Command(1, OpenShards(1, {0}), kStart);
  source.Apply(1, RecordsPayload(kStart, {{ShardOf(1, 0), {"data"}}}));
  Replica target;
  AppliedPosition position;
  std::string chunk = ChunksFor(&source, &target, 1, &position)[0];
  chunk.pop_back();  // The end.
  chunk += chunk.substr(kHeaderBytes);
  StoreLittle(Crc32c(absl::string_view(chunk).substr(kCrcBytes)), chunk.data());
  EXPECT_EQ(target.state().InstallChunk(GroupId(1), chunk).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace trireme
