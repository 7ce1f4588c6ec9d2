// What a node can say of the whole cluster: its peers' reports put together,
// the leader's word taken for each group.
#ifndef TRIREME_SERVER_CLUSTER_STATUS_H_
#define TRIREME_SERVER_CLUSTER_STATUS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "replication/node_report.h"
#include "storage/ids.h"

namespace trireme {

// A node of the cluster as this node's configuration names it.
struct ClusterMember {
  NodeId node;
  std::string zone;
};

enum class NodeHealth { kHealthy, kCatchingUp, kUnreachable };

struct NodeStatus {
  NodeReport report;  // Only node and zone are set when it never reported.
  NodeHealth health = NodeHealth::kUnreachable;
  absl::Duration age;  // Of the report.
  int groups_led = 0;
};

struct GroupStatus {
  struct Replica {
    NodeId node;
    LogIndex match = 0;  // Known to be on its disk.
    bool recovering = false;
  };
  GroupId group;
  NodeId leader;  // Value 0: not known.
  Term term = 0;
  LogIndex commit_index = 0;
  std::vector<Replica> replicas;  // By node id.
};

struct ClusterStatus {
  std::vector<NodeStatus> nodes;    // By id.
  std::vector<GroupStatus> groups;  // By id.
  size_t stream_count = 0;
  uint64_t open_shard_count = 0;
};

// The first two members of ClusterStatus.
ClusterStatus SummarizeCluster(const std::vector<ClusterMember>& members,
                               const std::vector<KnownNode>& known);

}  // namespace trireme

#endif  // TRIREME_SERVER_CLUSTER_STATUS_H_
