#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "client/cli/group_text.h"
#include "tests/unit/cli_fixture.h"

namespace trireme::cli {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using Lease = v1::LeaseDescription;

Lease& AddLease(v1::DescribeConsumerGroupResponse& group, Lease::State state,
                const std::string& worker, int64_t millis_behind) {
  Lease& lease = *group.add_leases();
  lease.set_shard_id(ParseShardId(absl::StrCat(group.leases_size() - 1)));
  lease.set_state(state);
  lease.set_worker_id(worker);
  lease.mutable_checkpoint()->set_kind(v1::ShardPosition::TRIM_HORIZON);
  if (millis_behind >= 0) lease.set_millis_behind(millis_behind);
  return lease;
}

v1::DescribeConsumerGroupResponse Billing() {
  v1::DescribeConsumerGroupResponse group;
  group.set_stream_name("s");
  group.set_group_name("billing");
  group.mutable_settings()->set_lease_duration_ms(10'000);
  group.mutable_settings()->set_hand_off_timeout_ms(30'000);
  group.mutable_settings()->mutable_starting_position()->set_type(
      v1::TRIM_HORIZON);
  v1::WorkerDescription& worker = *group.add_workers();
  worker.set_worker_id("w1");
  worker.set_lease_count(2);
  worker.set_bytes_per_second(2048);
  group.add_workers()->set_worker_id("w2");
  AddLease(group, Lease::ENDED, "", -1)
      .mutable_checkpoint()
      ->set_kind(v1::ShardPosition::SHARD_END);
  v1::ShardPosition& checkpoint =
      *AddLease(group, Lease::OWNED, "w1", 0).mutable_checkpoint();
  checkpoint.set_kind(v1::ShardPosition::SEQUENCE_NUMBER);
  checkpoint.set_sequence_number("49" + std::string(44, '0') + "1234567890");
  checkpoint.set_sub_sequence_number(3);
  AddLease(group, Lease::HANDING_OFF, "w1", 3'240).set_next_worker_id("w2");
  AddLease(group, Lease::FREE, "", 340);
  AddLease(group, Lease::WAITING, "", -1);
  return group;
}

TEST_F(CliTest, AGroupIsShownWithItsWorkersAndLeases) {
  fake_.SetGroup(Billing());
  ASSERT_EQ(Run({"group", "describe", "s", "billing"}), kExitOk) << err_;
  EXPECT_THAT(
      out_,
      AllOf(HasSubstr("group billing of s: 2 workers, 3 leases, 1 free, "
                      "1 handing off, 1 shard waiting for parents, worst lag "
                      "3.2 s"),
            HasSubstr("lease duration 10.0 s, hand-off timeout 30.0 s, begins "
                      "at TRIM_HORIZON"),
            HasSubstr("w1 → w2"), HasSubstr("…001234567890/3"),
            HasSubstr("340 ms"), HasSubstr("2.0 KiB/s"),
            HasSubstr("1 shard read to the end; --all shows them too"),
            Not(HasSubstr("ended")), Not(HasSubstr("shardId-000000000000"))));
  ASSERT_EQ(Run({"group", "describe", "s", "--group", "billing", "--all"}),
            kExitOk);
  EXPECT_THAT(out_, AllOf(HasSubstr("ended"), Not(HasSubstr("--all"))));
  EXPECT_EQ(Run({"group", "describe", "s"}), kExitUsage);
}

TEST_F(CliTest, AGroupIsGivenToProgramsWhole) {
  fake_.SetGroup(Billing());
  ASSERT_EQ(Run({"group", "describe", "s", "billing", "--output", "json"}),
            kExitOk);
  const Json group = Json::parse(out_)["ConsumerGroupDescription"];
  EXPECT_EQ(group["Settings"],
            (Json{{"LeaseDurationMillis", 10'000},
                  {"HandOffTimeoutMillis", 30'000},
                  {"StartingPosition", {{"Type", "TRIM_HORIZON"}}}}));
  ASSERT_EQ(group["Leases"].size(), 5u);  // Of three pages.
  EXPECT_EQ(group["Leases"][0]["MillisBehind"], Json());
  EXPECT_EQ(group["Leases"][1]["Checkpoint"]["SubSequenceNumber"], 3);
  EXPECT_EQ(group["Leases"][2]["NextWorkerId"], "w2");
  EXPECT_EQ(group["Workers"][0]["LeaseCount"], 2);
}

TEST_F(CliTest, AWatchedGroupShowsTheWorstLagFirst) {
  std::ostringstream out;
  PrintGroup(Billing(), {.bars = true, .leases_max = 2}, out);
  const std::string picture = out.str();
  const size_t worst = picture.find("shardId-000000000002");
  const size_t next = picture.find("shardId-000000000003");
  ASSERT_NE(worst, std::string::npos);
  EXPECT_LT(worst, next);
  EXPECT_THAT(picture,
              AllOf(HasSubstr("████████████████\n"),
                    HasSubstr("2 more shards, which are less behind")));
  // Until Ctrl-C.
  fake_.SetGroup(Billing());
  interrupt_.Cancel();
  EXPECT_EQ(Run({"group", "describe", "s", "billing", "--watch"}), kExitOk);
}

TEST_F(CliTest, GroupsOfAllStreamsAreListed) {
  MakeStream();
  ASSERT_EQ(Run({"stream", "create", "t", "--wait"}), kExitOk);
  fake_.SetGroup(Billing());
  v1::DescribeConsumerGroupResponse audit;
  audit.set_stream_name("t");
  audit.set_group_name("audit");
  fake_.SetGroup(audit);
  ASSERT_EQ(Run({"group", "list"}), kExitOk) << err_;
  EXPECT_THAT(out_, AllOf(HasSubstr("billing"), HasSubstr("audit")));
  ASSERT_EQ(Run({"group", "list", "t", "--output", "json"}), kExitOk);
  EXPECT_EQ(Json::parse(out_)["ConsumerGroups"],
            Json::array({{{"StreamName", "t"},
                          {"GroupName", "audit"},
                          {"WorkerCount", 0},
                          {"LeaseCount", 0},
                          {"FreeLeaseCount", 0}}}));
  EXPECT_EQ(Run({"group", "list", "u"}), kExitNotFound);
}

TEST_F(CliTest, AGroupIsResetAndDeletedWithoutWorkersOnly) {
  v1::DescribeConsumerGroupResponse group = Billing();
  fake_.SetGroup(group);
  EXPECT_EQ(Run({"group", "reset", "s", "billing", "--from", "latest"}),
            kExitFailed);
  EXPECT_THAT(err_, HasSubstr("stop its workers first"));
  EXPECT_EQ(Run({"group", "delete", "s", "billing"}), kExitFailed);
  group.clear_workers();
  fake_.SetGroup(group);
  ASSERT_EQ(Run({"group", "reset", "s", "billing", "--from", "latest"}),
            kExitOk)
      << err_;
  EXPECT_THAT(fake_.request(), HasSubstr("LATEST"));
  ASSERT_EQ(Run({"group", "reset", "s", "billing", "--from", "2h"}), kExitOk);
  EXPECT_THAT(out_, ContainsRegex("begins anew at [0-9]{4}-[0-9-]*T.*Z"));
  EXPECT_EQ(Run({"group", "reset", "s", "billing"}), kExitUsage);
  EXPECT_EQ(Run({"group", "reset", "s", "billing", "--from", "4959"}),
            kExitUsage);
  EXPECT_EQ(Run({"group", "delete", "s"}), kExitUsage);
  EXPECT_EQ(Run({"group", "delete", "s", "billing", "--group", "other"}),
            kExitUsage);
  ASSERT_EQ(Run({"group", "delete", "s", "--group", "billing"}), kExitOk);
  EXPECT_EQ(Run({"group", "delete", "s", "billing"}), kExitNotFound);
  EXPECT_THAT(err_, HasSubstr("trireme group list"));
}

}  // namespace
}  // namespace trireme::cli
