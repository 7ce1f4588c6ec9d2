#include "storage/consumer_commands.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/errors.h"
#include "storage/tag_rows.h"
#include "tests/unit/state_fixture.h"

namespace trireme {
namespace {

constexpr int64_t kStart = 1'700'000'000'000;
constexpr uint64_t kStartSecond = 1'700'000'000;

v1::Command Activate(uint32_t stream) {
  v1::Command command;
  command.mutable_activate_stream()->set_stream_id(stream);
  return command;
}
v1::Command Deregistration(uint32_t stream, uint32_t consumer) {
  v1::Command command;
  command.mutable_deregister_consumer()->set_stream_id(stream);
  command.mutable_deregister_consumer()->set_consumer(consumer);
  return command;
}
v1::Command Deletion(bool enforced) {
  v1::Command command;
  command.mutable_delete_stream()->set_name("s");
  command.mutable_delete_stream()->set_enforce_consumer_deletion(enforced);
  return command;
}

class ConsumerCommandsTest : public ::testing::Test {
 protected:
  ConsumerCommandsTest() {
    replica_.Command(0, CreateStream("s", 1), kStart);
    replica_.Command(0, Activate(1), kStart);
  }

  // When it was created.
  absl::StatusOr<uint64_t> Register(const std::string& name,
                                    int64_t stamp_ms = kStart,
                                    uint32_t consumers_max = 20) {
    v1::Command command;
    v1::RegisterConsumerCommand& registration =
        *command.mutable_register_consumer();
    registration.set_stream_id(1);
    registration.set_name(name);
    registration.set_consumers_max(consumers_max);
    AppendTags({{"team", name}}, registration.mutable_tags());
    const ApplyResult result = replica_.Command(0, command, stamp_ms);
    if (!result.status.ok()) return result.status;
    v1::RegisterConsumerReply reply;
    EXPECT_TRUE(reply.ParseFromString(result.reply));
    return reply.created_s();
  }
  absl::Status Run(const v1::Command& command, int64_t stamp_ms = kStart) {
    return replica_.Command(0, command, stamp_ms).status;
  }
  const Consumers& consumers() {
    stream_ = replica_.state().catalog().Find(StreamId(1));
    return stream_->consumers;
  }

  Replica replica_;
  std::shared_ptr<const Stream> stream_;
};

TEST_F(ConsumerCommandsTest, ConsumersOutliveACrash) {
  ASSERT_OK(Register("a"));
  ASSERT_OK(Register("b", kStart + 5'000));
  ASSERT_OK(Register("c", kStart + 6'000));
  ASSERT_OK(Run(Deregistration(1, 3), kStart + 7'000));
  ASSERT_OK(replica_.state().Flush());
  replica_.Crash();
  ASSERT_EQ(consumers().by_name.size(), 2u);
  const Consumer& b = consumers().by_name.at("b");
  EXPECT_EQ(b.number, 2u);
  EXPECT_EQ(b.created_s, kStartSecond + 5);
  EXPECT_EQ(b.tags, (Tags{{"team", "b"}}));
  EXPECT_EQ(consumers().next_number, 4u);
  EXPECT_EQ(consumers().created_s_min, kStartSecond + 7);
}

TEST_F(ConsumerCommandsTest, ANameIsRegisteredOnce) {
  ASSERT_OK(Register("a"));
  EXPECT_EQ(ReasonOf(Register("a").status()), ErrorReason::kResourceInUse);
  EXPECT_EQ(ReasonOf(Register("a b").status()), ErrorReason::kValidation);
  EXPECT_EQ(consumers().by_name.size(), 1u);
}

TEST_F(ConsumerCommandsTest, TheLimitHoldsWhereTheyAreApplied) {
  ASSERT_OK(Register("a", kStart, 2));
  ASSERT_OK(Register("b", kStart, 2));
  EXPECT_EQ(ReasonOf(Register("c", kStart, 2).status()),
            ErrorReason::kLimitExceeded);
  ASSERT_OK(Run(Deregistration(1, 1)));
  EXPECT_OK(Register("c", kStart, 2));
}

// An ARN holds the second of the creation.
TEST_F(ConsumerCommandsTest, ALaterConsumerOfTheNameHasALaterSecond) {
  EXPECT_EQ(*Register("a"), kStartSecond);
  ASSERT_OK(Run(Deregistration(1, 1)));
  EXPECT_EQ(*Register("a"), kStartSecond + 1);
  EXPECT_EQ(consumers().by_name.at("a").number, 2u);
  EXPECT_EQ(ReasonOf(Run(Deregistration(1, 1))),
            ErrorReason::kResourceNotFound);
}

TEST_F(ConsumerCommandsTest, AStreamOfTheNameHasLaterConsumers) {
  ASSERT_OK(Register("a", kStart + 2'000));
  ASSERT_OK(Run(Deletion(true), kStart + 2'100));
  v1::Command remove;
  remove.mutable_remove_stream()->set_stream_id(1);
  EXPECT_EQ(ReasonOf(Run(remove, kStart + 2'900)), ErrorReason::kResourceInUse);
  EXPECT_OK(Run(remove, kStart + 3'000));
}

TEST_F(ConsumerCommandsTest, AStreamWithConsumersIsDeletedWhenThatIsEnforced) {
  ASSERT_OK(Register("a"));
  EXPECT_EQ(ReasonOf(Run(Deletion(false))), ErrorReason::kResourceInUse);
  EXPECT_EQ(consumers().by_name.size(), 1u);
  EXPECT_OK(Run(Deletion(true)));
  EXPECT_EQ(stream_->status, StreamStatus::kActive);
  EXPECT_TRUE(consumers().by_name.empty());
  EXPECT_EQ(stream_->status, StreamStatus::kDeleting);
  EXPECT_EQ(ReasonOf(Register("b").status()), ErrorReason::kResourceInUse);
}

TEST_F(ConsumerCommandsTest, WithoutConsumersNothingNeedsToBeEnforced) {
  ASSERT_OK(Register("a"));
  ASSERT_OK(Run(Deregistration(1, 1)));
  EXPECT_OK(Run(Deletion(false)));
}

TEST_F(ConsumerCommandsTest, ConsumersComeAndGoDuringAReshard) {
  v1::Command update;
  update.mutable_update_shard_count()->set_stream_id(1);
  update.mutable_update_shard_count()->set_target(2);
  ASSERT_OK(Run(update));
  EXPECT_OK(Register("a"));
  EXPECT_EQ(consumers().by_name.size(), 1u);
  EXPECT_EQ(stream_->status, StreamStatus::kUpdating);
  EXPECT_OK(Run(Deregistration(1, 1)));
}

TEST_F(ConsumerCommandsTest, TagsAreTheConsumersOwn) {
  ASSERT_OK(Register("a"));
  v1::Command command;
  v1::TagConsumerCommand& tag = *command.mutable_tag_consumer();
  tag.set_stream_id(1);
  tag.set_consumer(1);
  tag.set_tags_max(2);
  tag.add_remove_keys("team");
  AppendTags({{"x", "1"}, {"y", "2"}}, tag.mutable_add());
  ASSERT_OK(Run(command));
  EXPECT_EQ(consumers().by_name.at("a").tags, (Tags{{"x", "1"}, {"y", "2"}}));
  EXPECT_TRUE(stream_->tags.empty());
  tag.clear_add();
  AppendTags({{"z", "3"}}, tag.mutable_add());
  EXPECT_EQ(ReasonOf(Run(command)), ErrorReason::kInvalidArgument);
  tag.set_consumer(7);
  EXPECT_EQ(ReasonOf(Run(command)), ErrorReason::kResourceNotFound);
}

}  // namespace
}  // namespace trireme
