#include "server/cluster_status.h"

#include <algorithm>
#include <map>

namespace trireme {
namespace {

// Nodes report about once a second; three missed ones in a row mean trouble.
constexpr absl::Duration kReportAgeMax = absl::Seconds(3);

NodeStatus StatusOf(const ClusterMember& member,
                    const std::vector<KnownNode>& known) {
  NodeStatus status;
  status.report.node = member.node;
  status.report.zone = member.zone;
  const auto found = std::find_if(
      known.begin(), known.end(),
      [&](const KnownNode& node) { return node.report.node == member.node; });
  if (found == known.end()) return status;
  status.report = found->report;
  status.age = found->age;
  if (found->age > kReportAgeMax) return status;
  bool recovering = false;
  for (const GroupReport& group : found->report.groups) {
    recovering = recovering || group.recovering;
    if (group.leads) ++status.groups_led;
  }
  status.health = recovering ? NodeHealth::kCatchingUp : NodeHealth::kHealthy;
  return status;
}

// Adds what one node says of a group. A leader of a newer term knows best.
void Merge(NodeId from, const GroupReport& report, bool fresh,
           GroupStatus* status) {
  status->group = report.group;
  status->commit_index = std::max(status->commit_index, report.commit_index);
  auto replica = std::find_if(
      status->replicas.begin(), status->replicas.end(),
      [from](const GroupStatus::Replica& r) { return r.node == from; });
  if (replica == status->replicas.end()) {
    status->replicas.push_back({from, report.commit_index, false});
    replica = status->replicas.end() - 1;
  }
  replica->recovering = replica->recovering || report.recovering;
  const bool newer = report.term > status->term;
  const bool tells_leader = report.term == status->term &&
                            (report.leads || status->leader.value() == 0);
  if (!fresh || !(newer || tells_leader)) return;
  status->term = report.term;
  status->leader = report.leads ? from : report.leader;
}

// The leader's knowledge of its followers' disks.
void TakeMatches(const GroupReport& report, GroupStatus* status) {
  for (const GroupReport::Peer& peer : report.peers) {
    auto replica = std::find_if(
        status->replicas.begin(), status->replicas.end(),
        [&](const GroupStatus::Replica& r) { return r.node == peer.node; });
    if (replica == status->replicas.end()) {
      status->replicas.push_back({peer.node, peer.match, peer.recovering});
      continue;
    }
    replica->match = peer.match;
    replica->recovering = replica->recovering || peer.recovering;
  }
}

}  // namespace

ClusterStatus SummarizeCluster(const std::vector<ClusterMember>& members,
                               const std::vector<KnownNode>& known) {
  ClusterStatus cluster;
  for (const ClusterMember& member : members) {
    cluster.nodes.push_back(StatusOf(member, known));
  }
  std::map<GroupId, GroupStatus> groups;
  for (const NodeStatus& node : cluster.nodes) {
    for (const GroupReport& report : node.report.groups) {
      Merge(node.report.node, report, node.health != NodeHealth::kUnreachable,
            &groups[report.group]);
    }
  }
  for (const NodeStatus& node : cluster.nodes) {
    for (const GroupReport& report : node.report.groups) {
      GroupStatus& status = groups[report.group];
      if (status.leader == node.report.node && report.leads) {
        TakeMatches(report, &status);
      }
    }
  }
  for (auto& [group, status] : groups) {
    std::sort(status.replicas.begin(), status.replicas.end(),
              [](const GroupStatus::Replica& a, const GroupStatus::Replica& b) {
                return a.node < b.node;
              });
    cluster.groups.push_back(std::move(status));
  }
  return cluster;
}

}  // namespace trireme
