#include "storage/catalog.h"

#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/catalog_commands.h"
#include "storage/catalog_tables.h"
#include "storage/errors.h"
#include "tests/unit/state_fixture.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;

constexpr int64_t kStart = 1'700'000'000'000;

v1::Command Activate(uint32_t id) {
  v1::Command command;
  command.mutable_activate_stream()->set_stream_id(id);
  return command;
}
v1::Command Delete(const std::string& name) {
  v1::Command command;
  command.mutable_delete_stream()->set_name(name);
  return command;
}
v1::Command Remove(uint32_t id) {
  v1::Command command;
  command.mutable_remove_stream()->set_stream_id(id);
  return command;
}

std::shared_ptr<Stream> MakeStream(uint32_t id, const std::string& name,
                                   uint32_t shards) {
  auto stream = std::make_shared<Stream>();
  stream->id = StreamId(id);
  stream->name = name;
  const auto ranges = DivideHashKeySpace(shards);
  for (uint32_t i = 0; i < shards; ++i) {
    Shard shard;
    shard.index = ShardIndex(i);
    shard.group = GroupId(1 + i % 2);
    shard.range = ranges[i];
    stream->shards.push_back(shard);
  }
  ListOpenShards(stream.get());
  return stream;
}

TEST(CatalogTest, ListsByNameAfterAName) {
  Catalog catalog;
  for (const char* name : {"b", "d", "a", "c"})
    catalog.Put(MakeStream(static_cast<uint32_t>(name[0]), name, 1));
  std::vector<std::string> names;
  for (const auto& stream : catalog.List("a", 2)) names.push_back(stream->name);
  EXPECT_THAT(names, ElementsAre("b", "c"));
  EXPECT_EQ(catalog.List("", 10).size(), 4u);
  EXPECT_EQ(catalog.List("d", 10).size(), 0u);
}

TEST(CatalogTest, AFoundStreamStaysAsItWas) {
  Catalog catalog;
  catalog.Put(MakeStream(1, "s", 1));
  const auto found = catalog.Find("s");
  catalog.Put(MakeStream(1, "s", 2));
  EXPECT_EQ(found->shards.size(), 1u);
  EXPECT_EQ(catalog.Find(StreamId(1))->shards.size(), 2u);
  catalog.Remove(StreamId(1));
  EXPECT_EQ(catalog.Find("s"), nullptr);
  EXPECT_EQ(catalog.stream_count(), 0u);
}

TEST(CatalogTest, RemovingAnOldStreamKeepsTheNewOneOfItsName) {
  Catalog catalog;
  catalog.Put(MakeStream(1, "s", 1));
  catalog.Put(MakeStream(2, "s", 1));
  catalog.Remove(StreamId(1));
  ASSERT_NE(catalog.Find("s"), nullptr);
  EXPECT_EQ(catalog.Find("s")->id, StreamId(2));
}

TEST(CatalogTest, EveryHashKeyHasItsShard) {
  auto stream = MakeStream(1, "s", 5);
  // Shard 1 was split in two.
  Shard low = stream->shards[1];
  low.index = ShardIndex(5);
  low.parent = ShardIndex(1);
  Shard high = low;
  high.index = ShardIndex(6);
  low.range.end = low.range.start + 1000;
  high.range.start = low.range.end + 1;
  stream->shards[1].end = MakeCounter(10, 0);
  stream->shards.push_back(low);
  stream->shards.push_back(high);
  ListOpenShards(stream.get());
  for (const Shard& shard : stream->shards) {
    if (shard.end) continue;
    EXPECT_EQ(stream->ShardFor(shard.range.start).index, shard.index);
    EXPECT_EQ(stream->ShardFor(shard.range.end).index, shard.index);
  }
  EXPECT_EQ(stream->FindShard(ShardIndex(6))->parent, ShardIndex(1));
  EXPECT_EQ(stream->FindShard(ShardIndex(7)), nullptr);

  const auto decoded = DecodeStream(EncodeStream(*stream));
  ASSERT_OK(decoded);
  EXPECT_EQ((*decoded)->open, stream->open);
  EXPECT_EQ((*decoded)->shards[1].end, MakeCounter(10, 0));
  EXPECT_EQ((*decoded)->shards[6].range, high.range);
}

TEST(CatalogTest, DamagedRowsAreDataLoss) {
  const auto stream = MakeStream(1, "s", 4);
  auto gap = std::make_shared<Stream>(*stream);
  gap->shards[1].range.end = gap->shards[1].range.end - 1;
  auto overlap = std::make_shared<Stream>(*stream);
  overlap->shards[3].range.start = 0;
  auto short_end = std::make_shared<Stream>(*stream);
  short_end->shards[3].range.end = absl::Uint128Max() - 1;
  auto unsorted = std::make_shared<Stream>(*stream);
  unsorted->shards[0].index = ShardIndex(9);
  auto empty = std::make_shared<Stream>(*stream);
  empty->shards.clear();
  for (const auto& bad : {gap, overlap, short_end, unsorted, empty}) {
    EXPECT_EQ(DecodeStream(EncodeStream(*bad)).status().code(),
              absl::StatusCode::kDataLoss);
  }
  std::mt19937_64 random(1);
  const std::string good = EncodeStream(*stream);
  for (int i = 0; i < 5'000; ++i) {
    std::string row = good;
    row[random() % row.size()] = static_cast<char>(random());
    if (random() % 2 == 0) row.resize(random() % row.size());
    const auto decoded = DecodeStream(row);
    if (decoded.ok()) {
      EXPECT_FALSE((*decoded)->open.empty());
    }
  }
}

// --- commands ---

TEST(CatalogCommandsTest, AStreamLivesThroughItsStates) {
  Replica replica;
  v1::CreateStreamReply created;
  ASSERT_TRUE(created.ParseFromString(
      replica.Command(0, CreateStream("s", 3), kStart + 7).reply));
  EXPECT_EQ(created.stream_id(), 1u);
  auto stream = replica.state().catalog().Find("s");
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(stream->status, StreamStatus::kCreating);
  EXPECT_EQ(stream->created, absl::FromUnixMillis(kStart + 7));
  EXPECT_EQ(stream->shards.size(), 3u);
  EXPECT_EQ(stream->shards[2].created_s, kStart / 1000u);
  EXPECT_EQ(stream->shards[2].range.end, absl::Uint128Max());

  EXPECT_OK(replica.Command(0, Activate(1)).status);
  EXPECT_EQ(replica.state().catalog().Find("s")->status, StreamStatus::kActive);
  EXPECT_EQ(ReasonOf(replica.Command(0, Remove(1)).status),
            ErrorReason::kResourceInUse);

  v1::DeleteStreamReply deleted;
  ASSERT_TRUE(deleted.ParseFromString(replica.Command(0, Delete("s")).reply));
  EXPECT_EQ(deleted.stream_id(), 1u);
  EXPECT_EQ(replica.state().catalog().Find("s")->status,
            StreamStatus::kDeleting);
  // A late activation does not bring it back.
  EXPECT_OK(replica.Command(0, Activate(1)).status);
  EXPECT_EQ(replica.state().catalog().Find("s")->status,
            StreamStatus::kDeleting);
  EXPECT_EQ(ReasonOf(replica.Command(0, Delete("s")).status),
            ErrorReason::kResourceInUse);
  EXPECT_EQ(ReasonOf(replica.Command(0, CreateStream("s", 1)).status),
            ErrorReason::kResourceInUse);

  EXPECT_OK(replica.Command(0, Remove(1), kStart + 1000).status);
  EXPECT_OK(replica.Command(0, Remove(1)).status);
  EXPECT_EQ(replica.state().catalog().Find("s"), nullptr);
}

// So that the sequence numbers of the two differ.
TEST(CatalogCommandsTest, AStreamsNameIsNotFreeInTheSecondOfItsCreation) {
  Replica replica;
  const int64_t second_begins_ms = kStart / 1000 * 1000;
  replica.Command(0, CreateStream("s", 1), second_begins_ms + 10);
  const uint64_t created_s =
      replica.state().catalog().Find("s")->shards[0].created_s;
  replica.Command(0, Delete("s"), second_begins_ms + 20);
  EXPECT_EQ(
      ReasonOf(replica.Command(0, Remove(1), second_begins_ms + 999).status),
      ErrorReason::kResourceInUse);
  EXPECT_OK(replica.Command(0, Remove(1), second_begins_ms + 1000).status);
  replica.Command(0, CreateStream("s", 1), second_begins_ms + 1000);
  EXPECT_GT(replica.state().catalog().Find("s")->shards[0].created_s,
            created_s);
}

TEST(CatalogCommandsTest, NumbersAreNeverUsedAgain) {
  Replica replica;
  replica.Command(0, CreateStream("s", 1));
  replica.Command(0, Delete("s"));
  replica.Command(0, Remove(1), 1000);
  ASSERT_OK(replica.state().Flush());
  replica.Crash();
  replica.Command(0, CreateStream("s", 1));
  EXPECT_EQ(replica.state().catalog().Find("s")->id, StreamId(2));
}

TEST(CatalogCommandsTest, RefusesWithTheServicesErrors) {
  Replica replica;
  replica.Command(0, CreateStream("s", 1));
  const ApplyResult again = replica.Command(0, CreateStream("s", 1));
  EXPECT_EQ(ReasonOf(again.status), ErrorReason::kResourceInUse);
  EXPECT_EQ(again.status.message(), "Stream s already exists.");
  EXPECT_EQ(again.reply, "");
  EXPECT_EQ(ReasonOf(replica.Command(0, Delete("absent")).status),
            ErrorReason::kResourceNotFound);
  EXPECT_EQ(ReasonOf(replica.Command(0, Activate(99)).status),
            ErrorReason::kResourceNotFound);
  EXPECT_EQ(ReasonOf(replica.Command(0, CreateStream("none", 0)).status),
            ErrorReason::kInvalidArgument);
  EXPECT_EQ(
      ReasonOf(replica.Command(0, CreateStream("huge", 0xffffffff)).status),
      ErrorReason::kInvalidArgument);
  EXPECT_EQ(replica.state().catalog().stream_count(), 1u);
}

TEST(CatalogCommandsTest, ShardsGoWhereThereIsRoom) {
  StateMachineOptions options = Replica::SmallOptions();
  options.group_count = 5;
  Replica replica(options);
  const auto counts = [&] {
    return replica.state().catalog().OpenShardsByGroup(5);
  };
  replica.Command(0, CreateStream("a", 6));
  EXPECT_THAT(counts(), ElementsAre(0, 2, 2, 1, 1));
  replica.Command(0, CreateStream("b", 3));
  EXPECT_THAT(counts(), ElementsAre(0, 3, 2, 2, 2));
  replica.Command(0, Delete("a"));
  replica.Command(0, Remove(1), 1000);
  EXPECT_THAT(counts(), ElementsAre(0, 1, 0, 1, 1));
  replica.Command(0, CreateStream("c", 1));
  EXPECT_EQ(replica.state().catalog().Find("c")->shards[0].group, GroupId(2));
}

}  // namespace
}  // namespace trireme
