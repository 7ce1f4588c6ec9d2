// What to make of a cluster's status.
#ifndef TRIREME_CLIENT_CLI_CLUSTER_HEALTH_H_
#define TRIREME_CLIENT_CLI_CLUSTER_HEALTH_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/cli/console.h"
#include "trireme/v1/cluster.pb.h"

namespace trireme::cli {

// What is wrong, in words; empty when all is well: every node HEALTHY, every
// group with a leader and no replica recovering.
std::vector<std::string> ClusterTroubles(
    const v1::GetClusterStatusResponse& status);

// Entries that the group has committed and this replica is not known to have;
// none when nobody leads the group, or the replica's node is unreachable.
std::optional<uint64_t> ReplicaLag(const v1::GetClusterStatusResponse& status,
                                   const v1::GroupStatus& group,
                                   const v1::ReplicaStatus& replica);

// The zone of each group's leader, by group; without those that have none.
std::map<uint32_t, std::string> LeaderZones(
    const v1::GetClusterStatusResponse& status);

// Nodes by zone: health, groups led, disk.
void PrintNodes(const v1::GetClusterStatusResponse& status, Console& console);

}  // namespace trireme::cli

#endif  // TRIREME_CLIENT_CLI_CLUSTER_HEALTH_H_
