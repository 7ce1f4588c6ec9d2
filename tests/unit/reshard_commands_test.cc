#include "storage/reshard_commands.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/catalog_tables.h"
#include "storage/errors.h"
#include "storage/hash_key.h"
#include "tests/unit/state_fixture.h"

namespace trireme {
namespace {

constexpr int64_t kStart = 1'700'000'000'000;

v1::Command Split(uint32_t shard, HashKey new_start) {
  v1::Command command;
  command.mutable_split_shard()->set_stream_id(1);
  command.mutable_split_shard()->set_shard(shard);
  command.mutable_split_shard()->set_new_starting_hash_key(
      HashKeyToBytes(new_start));
  return command;
}

v1::Command Merge(uint32_t shard, uint32_t adjacent) {
  v1::Command command;
  command.mutable_merge_shards()->set_stream_id(1);
  command.mutable_merge_shards()->set_shard(shard);
  command.mutable_merge_shards()->set_adjacent_shard(adjacent);
  return command;
}

v1::Command UpdateTo(uint32_t target) {
  v1::Command command;
  command.mutable_update_shard_count()->set_stream_id(1);
  command.mutable_update_shard_count()->set_target(target);
  return command;
}

v1::Command Complete(const std::vector<uint32_t>& shards) {
  v1::Command command;
  command.mutable_complete_reshards()->set_stream_id(1);
  for (const uint32_t shard : shards) {
    auto* end = command.mutable_complete_reshards()->add_ends();
    end->set_shard(shard);
    end->set_end_counter(MakeCounter(50 + shard, 0));
  }
  return command;
}

class ReshardCommandsTest : public ::testing::Test {
 protected:
  ReshardCommandsTest() {
    replica_.Command(0, CreateStream("s", 2), kStart);
    v1::Command activate;
    activate.mutable_activate_stream()->set_stream_id(1);
    replica_.Command(0, activate, kStart);
  }

  std::shared_ptr<const Stream> stream() {
    return replica_.state().catalog().Find("s");
  }
  absl::Status Do(const v1::Command& command) {
    return replica_.Command(0, command, kStart + 5'000).status;
  }

  Replica replica_;
};

TEST_F(ReshardCommandsTest, ASplitIsSeenOnceItIsComplete) {
  const auto before = stream();
  ASSERT_OK(Do(Split(0, 1000)));
  EXPECT_EQ(stream()->status, StreamStatus::kUpdating);
  EXPECT_EQ(stream()->open, before->open);
  ASSERT_EQ(stream()->reshards.size(), 1u);

  replica_.state().Flush().IgnoreError();
  replica_.Crash();  // What is under way is in the row.
  ASSERT_EQ(stream()->reshards.size(), 1u);

  ASSERT_OK(Do(Complete({0})));
  EXPECT_EQ(stream()->status, StreamStatus::kActive);
  EXPECT_EQ(stream()->reshards.size(), 0u);
  ASSERT_EQ(stream()->shards.size(), 4u);
  EXPECT_EQ(stream()->shards[0].end, MakeCounter(50, 0));
  EXPECT_EQ(stream()->shards[0].closed_s, kStart / 1000u + 5);
  EXPECT_EQ(stream()->ShardFor(999).index, ShardIndex(2));
  EXPECT_EQ(stream()->ShardFor(1000).index, ShardIndex(3));
  EXPECT_EQ(stream()->ShardFor(absl::Uint128Max()).index, ShardIndex(1));
}

TEST_F(ReshardCommandsTest, ALateCompletionChangesNothing) {
  ASSERT_OK(Do(Split(0, 1000)));
  ASSERT_OK(Do(Complete({0})));
  const auto done = stream();
  ASSERT_OK(Do(Complete({0})));
  EXPECT_EQ(stream(), done);
  ASSERT_OK(Do(Merge(2, 3)));
  ASSERT_OK(Do(Complete({0})));  // Other reshards are under way now.
  EXPECT_EQ(stream()->status, StreamStatus::kUpdating);
  EXPECT_EQ(stream()->shards.size(), 4u);
  ASSERT_OK(Do(Complete({2, 3})));
  EXPECT_EQ(stream()->status, StreamStatus::kActive);
  EXPECT_EQ(stream()->open.size(), 2u);
}

TEST_F(ReshardCommandsTest, OneReshardAtATime) {
  ASSERT_OK(Do(Split(0, 1000)));
  for (const v1::Command& command : {Split(1, 1000), Merge(0, 1), UpdateTo(4)})
    EXPECT_EQ(ReasonOf(Do(command)), ErrorReason::kResourceInUse);
}

TEST_F(ReshardCommandsTest, ACountIsReachedRoundByRound) {
  ASSERT_OK(Do(UpdateTo(3)));  // Splits both, then merges what is between.
  ASSERT_EQ(stream()->reshards.size(), 2u);
  ASSERT_OK(Do(Complete({1})));  // The other's group has no leader yet.
  EXPECT_EQ(stream()->open.size(), 3u);
  ASSERT_EQ(stream()->reshards.size(), 1u);
  ASSERT_OK(Do(Complete({0, 1})));
  EXPECT_EQ(stream()->status, StreamStatus::kUpdating);
  EXPECT_EQ(stream()->open.size(), 4u);
  ASSERT_EQ(stream()->reshards.size(), 1u);
  ASSERT_OK(DecodeStream(EncodeStream(*stream())));
  ASSERT_OK(Do(Complete({3, 4})));
  EXPECT_EQ(stream()->status, StreamStatus::kActive);
  EXPECT_EQ(stream()->open.size(), 3u);
  EXPECT_EQ(stream()->shard_count_target, 0u);
  ASSERT_OK(Do(UpdateTo(3)));  // As it is.
  EXPECT_EQ(stream()->status, StreamStatus::kActive);
}

TEST_F(ReshardCommandsTest, BadReshardsAreRefused) {
  const auto before = stream();
  EXPECT_EQ(ReasonOf(Do(Split(0, 1))), ErrorReason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(Do(Split(7, 1000))), ErrorReason::kResourceNotFound);
  EXPECT_EQ(ReasonOf(Do(Merge(0, 0))), ErrorReason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(Do(UpdateTo(0))), ErrorReason::kInvalidArgument);
  v1::Command malformed = Split(0, 1000);
  malformed.mutable_split_shard()->set_new_starting_hash_key("short");
  EXPECT_EQ(ReasonOf(Do(malformed)), ErrorReason::kInvalidArgument);
  v1::Command unknown = UpdateTo(3);
  unknown.mutable_update_shard_count()->set_stream_id(9);
  EXPECT_EQ(ReasonOf(Do(unknown)), ErrorReason::kResourceNotFound);
  v1::Command beyond = Split(0, 1000);
  beyond.mutable_split_shard()->set_shards_open_max(2);
  EXPECT_EQ(ReasonOf(Do(beyond)), ErrorReason::kLimitExceeded);
  v1::Command more = UpdateTo(4);
  more.mutable_update_shard_count()->set_shards_open_max(3);
  EXPECT_EQ(ReasonOf(Do(more)), ErrorReason::kLimitExceeded);
  // Two shards become three by way of four.
  v1::Command between = UpdateTo(3);
  between.mutable_update_shard_count()->set_shards_open_max(3);
  EXPECT_EQ(ReasonOf(Do(between)), ErrorReason::kLimitExceeded);
  EXPECT_EQ(stream(), before);
  between.mutable_update_shard_count()->set_shards_open_max(4);
  EXPECT_OK(Do(between));
}

TEST_F(ReshardCommandsTest, ADeletedStreamIsNotCompleted) {
  ASSERT_OK(Do(Split(0, 1000)));
  v1::Command remove;
  remove.mutable_delete_stream()->set_name("s");
  ASSERT_OK(Do(remove));
  EXPECT_EQ(stream()->status, StreamStatus::kDeleting);
  ASSERT_OK(Do(Complete({0})));
  EXPECT_EQ(stream()->status, StreamStatus::kDeleting);
  EXPECT_EQ(stream()->reshards.size(), 1u);  // To be dropped too.
}

}  // namespace
}  // namespace trireme
