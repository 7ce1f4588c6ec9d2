#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/cli_fixture.h"

namespace trireme::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kShard[] = "shardId-000000000000";

class ConsumeCliTest : public CliTest {
 protected:
  void Put(const std::string& data) {
    ASSERT_EQ(Run({"put", "s", "--key", "k", "--data", data}), kExitOk) << err_;
  }
  // `trireme consume s --group g <arguments>`, with Ctrl-C once all that is
  // there is checkpointed.
  int ConsumeAll(std::vector<std::string> arguments) {
    const auto records = fake_.records("s");
    std::thread user([this, last = records.back().sequence_number()] {
      fake_.AwaitCheckpoint("s", "g", kShard, [last](const auto& position) {
        return position.sequence_number() == last;
      });
      interrupt_.Cancel();
    });
    arguments.insert(arguments.begin(), {"consume", "s", "--group", "g"});
    const int code = Run(std::move(arguments));
    user.join();
    return code;
  }
};

TEST_F(ConsumeCliTest, AProgramAcknowledgesWhatItWasGiven) {
  MakeStream(1);
  for (const char* data : {"a", "b", "c"}) Put(data);
  ASSERT_EQ(ConsumeAll({"--worker-id", "w", "--", "cat"}), kExitOk) << err_;
  EXPECT_EQ(out_, "");
  EXPECT_THAT(err_, AllOf(HasSubstr("worker w is done: 3 records acknowledged"),
                          HasSubstr("1 lease gained, 0 lost, 0 restarts")));
  EXPECT_EQ(fake_.calls("LeaveConsumerGroup"), 1);
}

TEST_F(ConsumeCliTest, AProgramThatOnlyReadsIsTakenAtThat) {
  MakeStream(1);
  for (const char* data : {"a", "b"}) Put(data);
  ASSERT_EQ(Run({"get", "s", "--output", "json"}), kExitOk);
  const std::string records = out_;
  ASSERT_EQ(
      ConsumeAll({"--ack", "read", "--poll", "--output", "json", "--", "cat"}),
      kExitOk)
      << err_;
  EXPECT_EQ(out_, records);
  EXPECT_EQ(Json::parse(err_)["AcknowledgedRecords"], 2);
}

TEST_F(ConsumeCliTest, AShardIsReadToItsEndBeforeItsChildren) {
  MakeStream(1);
  Put("a");
  fake_.CloseShard("s", kShard, {"shardId-000000000001"});
  Put("b");
  std::thread user([this] {
    fake_.AwaitCheckpoint("s", "g", "shardId-000000000001",
                          [](const v1::ShardPosition& position) {
                            return !position.sequence_number().empty();
                          });
    interrupt_.Cancel();
  });
  EXPECT_EQ(Run({"consume", "s", "--group", "g", "--ack", "read", "--", "cat"}),
            kExitOk)
      << err_;
  user.join();
  const std::vector<Json> lines = JsonLines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["ShardId"], kShard);
  EXPECT_EQ(lines[1]["ShardId"], "shardId-000000000001");
}

TEST_F(ConsumeCliTest, AProgramThatEndsTooOftenEndsTheWorker) {
  MakeStream(1);
  // Its arguments are nobody else's.
  EXPECT_EQ(Run({"consume", "s", "--group", "g", "--max-restarts", "0", "--",
                 "echo", "[a,b]", "--output", "--", "x"}),
            kExitFailed);
  EXPECT_EQ(out_, "[a,b] --output -- x\n");
  EXPECT_THAT(err_, HasSubstr("the program ended with exit code 0; it was "
                              "started 1 time in a row"));
  EXPECT_EQ(fake_.calls("LeaveConsumerGroup"), 1);
}

TEST_F(ConsumeCliTest, ALastCheckpointThatFailsIsAnError) {
  MakeStream(1);
  for (const char* data : {"a", "b"}) Put(data);
  fake_.FailNext("Checkpoint",
                 testing::TypedError(grpc::StatusCode::INVALID_ARGUMENT,
                                     "InvalidArgumentException", "not today"),
                 /*times=*/1 << 20);
  std::thread user([this] {
    EXPECT_TRUE(fake_.AwaitCall("Checkpoint"));
    interrupt_.Cancel();
  });
  EXPECT_EQ(Run({"consume", "s", "--group", "g", "--", "cat"}), kExitFailed);
  user.join();
  EXPECT_THAT(err_,
              AllOf(HasSubstr("not today"),
                    HasSubstr("2 records that the program acknowledged could "
                              "not be checkpointed"),
                    HasSubstr("2 records acknowledged in "),
                    HasSubstr("(2 of them not checkpointed)")));
}

TEST_F(ConsumeCliTest, WhatCannotWorkIsSaidAtOnce) {
  EXPECT_EQ(Run({"consume", "s", "--group", "g", "--", "cat"}), kExitNotFound);
  MakeStream(1);
  EXPECT_EQ(Run({"consume", "s", "--group", "g"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("the program is missing"));
  EXPECT_EQ(Run({"consume", "s", "--group", "g", "--"}), kExitUsage);
  EXPECT_EQ(Run({"consume", "s", "--group", "g", "--", "no-such-program"}),
            kExitUsage);
  EXPECT_THAT(err_, HasSubstr("no program no-such-program in PATH"));
  EXPECT_EQ(Run({"consume", "s", "--", "cat"}), kExitUsage);
  EXPECT_EQ(
      Run({"consume", "s", "--group", "g", "--from", "4959", "--", "cat"}),
      kExitUsage);
  EXPECT_THAT(err_, HasSubstr("'4959' is a sequence number"));
  EXPECT_EQ(Run({"consume", "s", "--group", "g", "--from",
                 "2199-01-01T00:00:00Z", "--", "cat"}),
            kExitUsage);
  EXPECT_THAT(err_, HasSubstr("in the future"));
  EXPECT_EQ(Run({"consume", "s", "--group", "g", "--lease-duration", "5h", "--",
                 "cat"}),
            kExitUsage);
  EXPECT_THAT(err_, HasSubstr("'5h' is not 1s to 1h"));
  EXPECT_EQ(fake_.calls("JoinConsumerGroup"), 0);
}

TEST_F(ConsumeCliTest, WhatAGroupHasOtherwiseIsTold) {
  MakeStream(1);
  Put("a");
  v1::DescribeConsumerGroupResponse group;
  group.set_stream_name("s");
  group.set_group_name("g");
  group.mutable_settings()->set_lease_duration_ms(20'000);
  group.mutable_settings()->set_hand_off_timeout_ms(30'000);
  group.mutable_settings()->mutable_starting_position()->set_type(
      v1::TRIM_HORIZON);
  fake_.SetGroup(group);
  ASSERT_EQ(ConsumeAll({"--lease-duration", "15s", "--hand-off-timeout", "30s",
                        "--from", "latest", "--", "cat"}),
            kExitOk)
      << err_;
  EXPECT_THAT(err_, HasSubstr("--lease-duration is of a new group, and "
                              "ignored: group g has 20.0 s"));
  EXPECT_THAT(err_, HasSubstr("--from is of a new group"));
  EXPECT_THAT(err_, Not(HasSubstr("--hand-off-timeout")));
}

}  // namespace
}  // namespace trireme::cli
