#include "server/lease_assigner.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/broker_fixture.h"
#include "trireme/v1/command.pb.h"

namespace trireme {
namespace {

using ::testing::IsEmpty;

class LeaseAssignerTest : public ::testing::Test {
 protected:
  LeaseAssignerTest()
      : assigner_(&node_.replica.state().leases(), &node_.replicas,
                  &node_.timers, &node_.clock) {
    node_.CreateActive("s", 4);
    assigner_.Start();
  }

  std::string Propose(const v1::Command& command) {
    std::string reply;
    node_.replicas.Propose(ProposalOfCommand(
        kMetaGroup, command.SerializeAsString(), TestNode::kTimeout,
        [&reply](const ProposalOutcome& outcome) {
          EXPECT_OK(outcome.status);
          reply = outcome.reply;
        }));
    node_.Settle();
    return reply;
  }
  WorkerNumber Join(const std::string& name) {
    v1::Command command;
    v1::JoinGroupCommand& join =
        *command.mutable_consumer_groups()->mutable_join_group();
    join.set_stream_id(node_.replica.state().catalog().Find("s")->id.value());
    join.set_group_name("g");
    join.set_worker_name(name);
    join.mutable_settings()->set_lease_ms(10'000);
    join.mutable_settings()->set_hand_off_ms(30'000);
    v1::JoinGroupReply reply;
    EXPECT_TRUE(reply.ParseFromString(Propose(command)));
    return reply.worker();
  }
  void Hear(WorkerNumber worker) {
    v1::Command command;
    v1::Heartbeat& heartbeat = *command.mutable_consumer_groups()
                                    ->mutable_heartbeats()
                                    ->add_heartbeats();
    *heartbeat.mutable_group() = Ref();
    heartbeat.set_worker(worker);
    Propose(command);
  }
  void Release(WorkerNumber worker, ShardIndex shard) {
    v1::Command command;
    v1::ReleaseLeasesCommand& release =
        *command.mutable_consumer_groups()->mutable_release();
    *release.mutable_group() = Ref();
    release.set_worker(worker);
    release.add_leases()->set_shard(shard.value());
    release.mutable_leases(0)->set_counter(Group().leases.at(shard).counter);
    Propose(command);
  }
  ConsumerGroup Group() {
    ConsumerGroup group;
    node_.replica.state().leases().Read([&](const ConsumerGroups& groups) {
      if (!groups.empty()) group = groups.begin()->second;
    });
    return group;
  }
  v1::GroupRef Ref() {
    v1::GroupRef ref;
    node_.replica.state().leases().Read([&](const ConsumerGroups& groups) {
      ref.set_stream_id(groups.begin()->first.stream.value());
      ref.set_group(groups.begin()->first.number);
    });
    return ref;
  }
  std::vector<ShardIndex> OwnedBy(WorkerNumber worker) {
    std::vector<ShardIndex> shards;
    for (const auto& [shard, lease] : Group().leases) {
      if (lease.owner == worker) shards.push_back(shard);
    }
    return shards;
  }
  // Time passes, a quarter of a second at a time.
  void Pass(absl::Duration time, std::vector<WorkerNumber> heard = {}) {
    for (; time > absl::ZeroDuration(); time -= absl::Milliseconds(250)) {
      for (const WorkerNumber worker : heard) Hear(worker);
      node_.Advance(absl::Milliseconds(250));
    }
  }

  TestNode node_;
  LeaseAssigner assigner_;
};

TEST_F(LeaseAssignerTest, TheFirstWorkerGetsAllAtOnce) {
  const WorkerNumber a = Join("a");
  Pass(absl::Milliseconds(250));
  EXPECT_EQ(OwnedBy(a).size(), 4u);
}

TEST_F(LeaseAssignerTest, ASecondWorkerGetsItsHalfWhenItIsReleased) {
  const WorkerNumber a = Join("a");
  Pass(absl::Milliseconds(250));
  const WorkerNumber b = Join("b");
  Pass(absl::Seconds(2), {a, b});
  EXPECT_EQ(OwnedBy(a).size(), 4u);
  for (const auto& [shard, lease] : Group().leases) {
    if (lease.next_owner == b) Release(a, shard);
  }
  EXPECT_EQ(OwnedBy(a).size(), 2u);
  EXPECT_EQ(OwnedBy(b).size(), 2u);
  Pass(absl::Seconds(60), {a, b});
  EXPECT_EQ(OwnedBy(b).size(), 2u);
}

TEST_F(LeaseAssignerTest, AHandOffIsForcedAfterItsTimeNotBefore) {
  const WorkerNumber a = Join("a");
  Pass(absl::Milliseconds(250));
  const WorkerNumber b = Join("b");
  // 30 s to finish, and 10 until it is told for sure.
  Pass(absl::Seconds(40), {a, b});
  EXPECT_THAT(OwnedBy(b), IsEmpty());
  Pass(absl::Seconds(3), {a, b});
  EXPECT_EQ(OwnedBy(b).size(), 2u);
}

TEST_F(LeaseAssignerTest, LeasesOfOneThatIsNotHeardGoToTheOthers) {
  const WorkerNumber a = Join("a");
  Pass(absl::Milliseconds(250), {a});
  const WorkerNumber b = Join("b");
  // The other is heard; the first is not, from now on.
  Pass(absl::Seconds(9), {b});
  EXPECT_EQ(OwnedBy(a).size(), 4u);
  Pass(absl::Seconds(3), {b});
  EXPECT_EQ(OwnedBy(b).size(), 4u);
  EXPECT_EQ(Group().workers.size(), 1u);
}

TEST_F(LeaseAssignerTest, OnlyTheMetaGroupsLeaderAssignsAndMeasuresAnew) {
  const WorkerNumber a = Join("a");
  Pass(absl::Seconds(6), {});
  node_.replicas.leader = NodeId(2);
  Pass(absl::Seconds(60));
  EXPECT_EQ(OwnedBy(a).size(), 4u);
  node_.replicas.leader = NodeId(1);
  Pass(absl::Seconds(9));
  EXPECT_EQ(OwnedBy(a).size(), 4u);
  Pass(absl::Seconds(2));
  EXPECT_THAT(OwnedBy(a), IsEmpty());
  EXPECT_THAT(Group().workers, IsEmpty());
}

TEST_F(LeaseAssignerTest, AWallClockThatJumpsExpiresNobody) {
  const WorkerNumber a = Join("a");
  Pass(absl::Seconds(1), {a});
  node_.clock.JumpWall(absl::Hours(1));
  Pass(absl::Seconds(5));
  EXPECT_EQ(OwnedBy(a).size(), 4u);
}

}  // namespace
}  // namespace trireme
