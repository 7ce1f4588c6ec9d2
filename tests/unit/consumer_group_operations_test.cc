#include "server/consumer_group_operations.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/lease_assigner.h"
#include "storage/group_commands.h"
#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kShard0[] = "shardId-000000000000";
constexpr char kShard1[] = "shardId-000000000001";
constexpr char kHalf[] = "170141183460469231731687303715884105728";

class ConsumerGroupOperationsTest : public ::testing::Test {
 protected:
  ConsumerGroupOperationsTest()
      : assigner_(&node_.replica.state().leases(), &node_.replicas,
                  &node_.timers, &node_.clock) {
    node_.CreateActive("s", 1);
    assigner_.Start();
  }

  ConsumerGroupOperations& groups() { return node_.broker.consumer_groups(); }
  absl::StatusOr<JoinedGroup> Join(const std::string& worker,
                                   JoinGroupRequest request = {}) {
    TestNode::Answer<JoinedGroup> answer;
    if (request.stream.name.empty()) request.stream.name = "s";
    if (request.group_name.empty()) request.group_name = "g";
    request.worker_id = worker;
    groups().Join(request, TestNode::kTimeout, answer.Callback());
    return node_.Take(answer);
  }
  // Joins, and waits until leases are assigned.
  WorkerHandle Start(const std::string& worker) {
    const auto joined = Join(worker);
    EXPECT_OK(joined);
    node_.Advance(absl::Milliseconds(250));
    return joined->worker;
  }
  absl::StatusOr<WorkerLeases> Heartbeat(const WorkerHandle& worker,
                                         std::vector<LeaseRef> leases = {},
                                         const std::string& worker_id = "") {
    TestNode::Answer<WorkerLeases> answer;
    groups().Heartbeat({worker, worker_id, leases}, TestNode::kTimeout,
                       answer.Callback());
    node_.Advance(absl::Milliseconds(50));
    return node_.Take(answer);
  }
  uint64_t CounterOf(const WorkerHandle& worker) {
    return Heartbeat(worker)->leases.at(0).lease->counter;
  }
  absl::Status Checkpoint(const WorkerHandle& worker, uint64_t counter,
                          const std::string& number,
                          const std::string& shard = kShard0) {
    ShardCheckpoint checkpoint;
    checkpoint.lease = {shard, counter, {}};
    checkpoint.position = {number.empty(), number, 0};
    TestNode::Answer<std::vector<absl::Status>> answer;
    groups().Checkpoint(worker, {checkpoint}, TestNode::kTimeout,
                        answer.Callback());
    const auto results = node_.Take(answer);
    return results.ok() ? results->at(0) : results.status();
  }
  absl::StatusOr<DescribeGroupResponse> Describe(int max_results = 0,
                                                 std::string token = "",
                                                 std::string name = "g") {
    TestNode::Answer<DescribeGroupResponse> answer;
    groups().Describe({{{"s"}, name}, max_results, token}, TestNode::kTimeout,
                      answer.Callback());
    return node_.Take(answer);
  }
  std::string Put(const std::string& key) {
    const auto put = node_.Put("s", key, "data");
    EXPECT_OK(put);
    return put->sequence_number.ToString();
  }
  // What the operation answers with a status.
  template <typename Run>
  absl::Status StatusOf(Run run) {
    absl::Status status = absl::InternalError("not answered");
    run([&status](absl::Status got) { status = std::move(got); });
    node_.Settle();
    return status;
  }
  absl::Status Leave(const WorkerHandle& worker) {
    return StatusOf([&](auto done) {
      groups().Leave(worker, TestNode::kTimeout, std::move(done));
    });
  }
  absl::Status Delete(const std::string& name) {
    return StatusOf([&](auto done) {
      groups().Delete({{"s"}, name}, TestNode::kTimeout, std::move(done));
    });
  }

  TestNode node_;
  LeaseAssigner assigner_;
};

TEST_F(ConsumerGroupOperationsTest, AWorkerIsToldItsLeasesOnce) {
  const WorkerHandle worker = Start("w");
  const auto first = Heartbeat(worker);
  ASSERT_OK(first);
  ASSERT_THAT(first->leases, SizeIs(1));
  EXPECT_FALSE(first->named[0]);
  const uint64_t counter = first->leases[0].lease->counter;
  const auto again = Heartbeat(worker, {{kShard0, counter, 4'000}});
  EXPECT_TRUE(again->named[0]);
  EXPECT_TRUE(Heartbeat(worker, {{kShard0, counter - 1, {}}})->leases.size());
  EXPECT_EQ(Describe()->rows[0].found.lease->bytes_per_second, 4'000u);
}

TEST_F(ConsumerGroupOperationsTest, ACheckpointIsWhereTheNextOwnerBegins) {
  const std::string number = Put("k");
  const WorkerHandle a = Start("a");
  const uint64_t counter = CounterOf(a);
  ASSERT_OK(Checkpoint(a, counter, number));
  EXPECT_EQ(ReasonOf(Checkpoint(a, counter + 1, number)),
            ErrorReason::kLeaseLost);
  ASSERT_OK(Leave(a));
  EXPECT_EQ(ReasonOf(Heartbeat(a).status()), ErrorReason::kWorkerExpired);
  EXPECT_EQ(ReasonOf(Checkpoint(a, counter, number)), ErrorReason::kLeaseLost);
  const WorkerHandle b = Start("b");
  const auto leases = Heartbeat(b);
  ASSERT_THAT(leases->leases, SizeIs(1));
  const LeasePosition& from = leases->leases[0].lease->checkpoint;
  EXPECT_EQ(from.kind, LeasePositionKind::kSequenceNumber);
  const auto parsed = SequenceNumber::Parse(number);
  EXPECT_EQ(from.counter, parsed->counter);
  EXPECT_EQ(from.record_s, parsed->record_s);
}

TEST_F(ConsumerGroupOperationsTest, OneThatWasReplacedIsToldSo) {
  const WorkerHandle first = Start("w");
  Start("w");
  EXPECT_EQ(ReasonOf(Heartbeat(first, {}, "w").status()),
            ErrorReason::kWorkerReplaced);
}

TEST_F(ConsumerGroupOperationsTest, OneThatDrainsIsGivenNothing) {
  const WorkerHandle a = Start("a");
  TestNode::Answer<WorkerLeases> answer;
  groups().Heartbeat({a, "a", {}, /*draining=*/true}, TestNode::kTimeout,
                     answer.Callback());
  node_.Advance(absl::Milliseconds(50));
  const uint64_t counter = node_.Take(answer)->leases.at(0).lease->counter;
  // It has what it has until it releases it, or another one comes.
  node_.Advance(absl::Seconds(2));
  TestNode::Answer<std::vector<absl::Status>> released;
  groups().Release(a, {{kShard0, counter, {}}}, TestNode::kTimeout,
                   released.Callback());
  ASSERT_OK(node_.Take(released)->at(0));
  node_.Advance(absl::Seconds(2));
  EXPECT_EQ(Describe()->rows[0].found.lease->owner, 0u);
  const WorkerHandle b = Start("b");
  EXPECT_EQ(Describe()->rows[0].found.lease->owner, b.worker);
}

TEST_F(ConsumerGroupOperationsTest, AShardsEndMayBeToldTwice) {
  const WorkerHandle worker = Start("w");
  const uint64_t counter = CounterOf(worker);
  ASSERT_OK(node_.Split("s", kShard0, kHalf));
  node_.lifecycle.RunOnce();
  node_.Settle();
  ASSERT_OK(Checkpoint(worker, counter, ""));
  EXPECT_OK(Checkpoint(worker, counter, ""));
}

TEST_F(ConsumerGroupOperationsTest, WhatIsNoCheckpointIsRefusedAsAWhole) {
  const WorkerHandle worker = Start("w");
  const uint64_t counter = CounterOf(worker);
  EXPECT_EQ(ReasonOf(Checkpoint(worker, counter, "17")),
            ErrorReason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(Checkpoint(worker, counter, "")),
            ErrorReason::kInvalidArgument);
  EXPECT_EQ(ReasonOf(Checkpoint(worker, counter, Put("k"), kShard1)),
            ErrorReason::kLeaseLost);
  const std::string first = Put("k"), second = Put("k");
  ASSERT_OK(Checkpoint(worker, counter, second));
  const absl::Status behind = Checkpoint(worker, counter, first);
  EXPECT_EQ(ReasonOf(behind), ErrorReason::kInvalidArgument);
  EXPECT_THAT(std::string(behind.message()), HasSubstr("lies before"));
  TestNode::Answer<std::vector<absl::Status>> none;
  groups().Checkpoint(worker, {}, TestNode::kTimeout, none.Callback());
  EXPECT_EQ(ReasonOf(node_.Take(none).status()), ErrorReason::kValidation);
  const std::string big(kPendingStateBytesMax + 1, 'x');
  ShardCheckpoint pending;
  pending.lease = {kShard0, counter, {}};
  pending.position.sequence_number = second;
  pending.pending = true;
  pending.pending_state = big;
  TestNode::Answer<std::vector<absl::Status>> answer;
  groups().Checkpoint(worker, {pending}, TestNode::kTimeout, answer.Callback());
  EXPECT_THAT(std::string(node_.Take(answer).status().message()),
              HasSubstr("65537 bytes; the limit is 65536"));
}

TEST_F(ConsumerGroupOperationsTest, ADescriptionTellsHowFarBehindShardsAre) {
  ASSERT_OK(Join("w"));
  EXPECT_EQ(Describe()->rows[0].millis_behind, 0);
  const std::string first = Put("k");
  node_.Advance(absl::Seconds(2));
  Put("k");
  node_.Advance(absl::Seconds(3));
  EXPECT_EQ(Describe()->rows[0].millis_behind, 5'000);
  const WorkerHandle worker = Start("w");
  ASSERT_OK(Checkpoint(worker, CounterOf(worker), first));
  const auto described = Describe();
  EXPECT_EQ(described->rows[0].millis_behind, 3'300);
  EXPECT_EQ(described->loads.at(worker.worker).lease_count, 1u);
  EXPECT_TRUE(described->first_page);
  EXPECT_EQ(ReasonOf(Describe(0, "", "other").status()),
            ErrorReason::kResourceNotFound);
}

TEST_F(ConsumerGroupOperationsTest, ADescriptionComesInPagesAndShowsWhoWaits) {
  ASSERT_OK(Join("w"));
  ASSERT_OK(node_.Split("s", kShard0, kHalf));
  node_.lifecycle.RunOnce();
  node_.Settle();
  const auto first = Describe(2);
  ASSERT_OK(first);
  EXPECT_THAT(first->rows, SizeIs(2));
  EXPECT_TRUE(first->rows[0].found.lease.has_value());
  EXPECT_FALSE(first->rows[1].found.lease.has_value());
  const auto second = Describe(2, first->next_token);
  ASSERT_OK(second);
  EXPECT_THAT(second->rows, SizeIs(1));
  EXPECT_FALSE(second->first_page);
  EXPECT_EQ(second->next_token, "");
  EXPECT_EQ(ReasonOf(Describe(2, first->next_token + "x").status()),
            ErrorReason::kInvalidArgument);
}

TEST_F(ConsumerGroupOperationsTest, TheEndOfAShardBringsItsChildren) {
  const WorkerHandle worker = Start("w");
  const uint64_t counter = CounterOf(worker);
  ASSERT_OK(node_.Split("s", kShard0, kHalf));
  node_.lifecycle.RunOnce();
  node_.Settle();
  ASSERT_OK(Checkpoint(worker, counter, ""));
  node_.Advance(absl::Milliseconds(250));
  const auto leases = Heartbeat(worker);
  ASSERT_THAT(leases->leases, SizeIs(2));
  EXPECT_EQ(leases->leases[0].shard->index, ShardIndex(1));
  EXPECT_EQ(leases->leases[1].shard->index, ShardIndex(2));
}

TEST_F(ConsumerGroupOperationsTest, ALeaseIsHandedOffToTheOneThatIsNamed) {
  const WorkerHandle a = Start("a");
  ASSERT_OK(Join("b"));
  const auto assign = [this](const char* shard, const char* worker) {
    return StatusOf([&](auto done) {
      groups().Assign({{"s"}, "g"}, {{shard, worker}}, TestNode::kTimeout,
                      std::move(done));
    });
  };
  EXPECT_EQ(ReasonOf(assign(kShard0, "c")), ErrorReason::kResourceNotFound);
  EXPECT_EQ(ReasonOf(assign(kShard1, "b")), ErrorReason::kResourceNotFound);
  ASSERT_OK(assign(kShard0, "b"));
  const auto leases = Heartbeat(a);
  const Lease& lease = *leases->leases.at(0).lease;
  EXPECT_NE(lease.next_owner, 0u);
  TestNode::Answer<std::vector<absl::Status>> answer;
  groups().Release(a, {{kShard0, lease.counter, {}}}, TestNode::kTimeout,
                   answer.Callback());
  EXPECT_OK(node_.Take(answer)->at(0));
  EXPECT_THAT(Heartbeat(a)->leases, IsEmpty());
}

TEST_F(ConsumerGroupOperationsTest, GroupsAreListedResetAndDeleted) {
  const auto worker = Join("w");
  ASSERT_OK(worker);
  JoinGroupRequest other;
  other.group_name = "a";
  ASSERT_OK(Join("w", other));
  TestNode::Answer<std::vector<ConsumerGroupSummary>> list;
  groups().List({"s"}, TestNode::kTimeout, list.Callback());
  const auto all = node_.Take(list);
  ASSERT_THAT(*all, SizeIs(2));
  EXPECT_EQ(all->at(0).name, "a");
  EXPECT_EQ(all->at(1).lease_count, 1u);
  EXPECT_EQ(all->at(1).free_lease_count, 1u);
  const auto reset = [this] {
    return StatusOf([this](auto done) {
      groups().Reset({{"s"}, "g"}, {ShardIteratorType::kLatest},
                     TestNode::kTimeout, std::move(done));
    });
  };
  EXPECT_EQ(ReasonOf(reset()), ErrorReason::kResourceInUse);
  EXPECT_EQ(ReasonOf(Delete("g")), ErrorReason::kResourceInUse);
  ASSERT_OK(Leave(worker->worker));
  ASSERT_OK(reset());
  EXPECT_EQ(Describe()->group.settings.from.kind, LeasePositionKind::kLatest);
  EXPECT_EQ(Describe()->rows[0].millis_behind, std::nullopt);
  ASSERT_OK(Delete("g"));
  EXPECT_EQ(ReasonOf(Delete("g")), ErrorReason::kResourceNotFound);
}

TEST_F(ConsumerGroupOperationsTest, JoiningSaysWhatTheGroupIsSetTo) {
  JoinGroupRequest request;
  request.lease_ms = 5'000;
  request.hand_off_ms = 0;
  request.from.type = ShardIteratorType::kLatest;
  const auto made = Join("a", request);
  ASSERT_OK(made);
  EXPECT_EQ(made->settings.lease_ms, 5'000);
  EXPECT_EQ(made->settings.hand_off_ms, 0);
  EXPECT_EQ(Join("b")->settings, made->settings);
  request.group_name = "h";
  request.lease_ms = 999;
  EXPECT_THAT(std::string(Join("a", request).status().message()),
              HasSubstr("leaseDurationMs is 999; it must be 1000 to 3600000"));
  request.lease_ms = 0;
  request.from.type = ShardIteratorType::kAtSequenceNumber;
  EXPECT_THAT(std::string(Join("a", request).status().message()),
              HasSubstr("not AT_SEQUENCE_NUMBER"));
  request.from = {ShardIteratorType::kAtTimestamp, "",
                  node_.clock.WallNow() + absl::Seconds(1)};
  EXPECT_THAT(std::string(Join("a", request).status().message()),
              HasSubstr("cannot be greater than"));
  request.from = {};
  request.group_name = "no spaces";
  EXPECT_EQ(ReasonOf(Join("a", request).status()), ErrorReason::kValidation);
  request.group_name = "h";
  request.stream.name = "none";
  EXPECT_EQ(ReasonOf(Join("a", request).status()),
            ErrorReason::kResourceNotFound);
}

}  // namespace
}  // namespace trireme
