#include "server/grpc/cluster_service.h"

#include <utility>

#include "server/cluster_status.h"

namespace trireme {
namespace {

v1::NodeHealth ToMessage(NodeHealth health) {
  switch (health) {
    case NodeHealth::kHealthy:
      return v1::HEALTHY;
    case NodeHealth::kCatchingUp:
      return v1::CATCHING_UP;
    case NodeHealth::kUnreachable:
      return v1::UNREACHABLE;
  }
  return v1::NODE_HEALTH_UNSPECIFIED;
}

void ToMessage(const NodeStatus& node, v1::NodeStatus* message) {
  message->set_node_id(node.report.node.value());
  message->set_zone(node.report.zone);
  message->set_address(node.report.client_address);
  message->set_health(ToMessage(node.health));
  message->set_last_report_age_ms(absl::ToInt64Milliseconds(node.age));
  message->set_uptime_ms(absl::ToInt64Milliseconds(node.report.uptime));
  message->set_disk_free_bytes(node.report.disk_free_bytes);
  message->set_disk_used_bytes(node.report.disk_used_bytes);
  message->set_groups_led(node.groups_led);
  message->set_version(node.report.version);
}

void ToMessage(const GroupStatus& group, v1::GroupStatus* message) {
  message->set_group_id(group.group.value());
  message->set_leader(group.leader.value());
  message->set_term(group.term);
  message->set_commit_index(group.commit_index);
  for (const GroupStatus::Replica& replica : group.replicas) {
    v1::ReplicaStatus& added = *message->add_replicas();
    added.set_node_id(replica.node.value());
    added.set_match_index(replica.match);
    added.set_recovering(replica.recovering);
  }
}

void ToMessage(const ClusterStatus& status,
               v1::GetClusterStatusResponse* message) {
  for (const NodeStatus& node : status.nodes) {
    ToMessage(node, message->add_nodes());
  }
  for (const GroupStatus& group : status.groups) {
    ToMessage(group, message->add_groups());
  }
  message->set_stream_count(static_cast<int32_t>(status.stream_count));
  message->set_open_shard_count(static_cast<int64_t>(status.open_shard_count));
}

void OnGetClusterStatus(
    UnaryCallPtr<v1::GetClusterStatusRequest, v1::GetClusterStatusResponse>
        call,
    absl::Duration /*timeout*/) {
  v1::GetClusterStatusResponse status;
  ToMessage(call->broker().DescribeCluster(), &status);
  call->Reply(std::move(status));
}

}  // namespace

ClusterService::ClusterService(const ServedBroker* served)
    : UnaryService(served) {
  Serve("GetClusterStatus", OnGetClusterStatus);
}

}  // namespace trireme
