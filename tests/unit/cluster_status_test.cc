#include "server/cluster_status.h"

#include "gmock/gmock.h"
#include "tests/unit/broker_fixture.h"

namespace trireme {
namespace {

TEST(ClusterStatusTest, ReportsArePutTogetherAndTheLeadersWordIsTaken) {
  TestNode node;
  KnownNode one;
  one.report.node = NodeId(1);
  one.report.groups.resize(1);
  one.report.groups[0] = {GroupId(1), NodeId(2), 3, 10, 10, false, false, {}};
  KnownNode two;
  two.report.node = NodeId(2);
  two.age = absl::Seconds(1);
  two.report.groups.resize(1);
  two.report.groups[0] = {
      GroupId(1),
      NodeId(2),
      3,
      12,
      12,
      true,
      false,
      {{NodeId(1), 11, false}, {NodeId(2), 12, false}, {NodeId(3), 5, true}}};
  node.replicas.known = {one, two};
  node.CreateActive("s", 2);
  const ClusterStatus status = node.broker.DescribeCluster();
  ASSERT_EQ(status.nodes.size(), 3u);
  EXPECT_EQ(status.nodes[0].health, NodeHealth::kHealthy);
  EXPECT_EQ(status.nodes[1].groups_led, 1);
  EXPECT_EQ(status.nodes[2].health, NodeHealth::kUnreachable);
  EXPECT_EQ(status.nodes[2].report.zone, "c");
  ASSERT_EQ(status.groups.size(), 1u);
  EXPECT_EQ(status.groups[0].leader, NodeId(2));
  EXPECT_EQ(status.groups[0].commit_index, 12u);
  ASSERT_EQ(status.groups[0].replicas.size(), 3u);
  EXPECT_EQ(status.groups[0].replicas[0].match, 11u);
  EXPECT_TRUE(status.groups[0].replicas[2].recovering);
  EXPECT_EQ(status.stream_count, 1u);
  EXPECT_EQ(status.open_shard_count, 2u);

  node.replicas.known[1].age = absl::Seconds(4);
  EXPECT_EQ(node.broker.DescribeCluster().nodes[1].health,
            NodeHealth::kUnreachable);
}

}  // namespace
}  // namespace trireme
