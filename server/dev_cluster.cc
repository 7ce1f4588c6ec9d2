#include "server/dev_cluster.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "replication/formation.h"
#include "storage/check.h"
#include "storage/file_system.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

std::string NodeDirectory(const DevClusterOptions& options, int i) {
  return absl::StrCat(options.data_directory, "/", DevCluster::ZoneName(i));
}

// Loads or makes the three identities, forms the cluster, saves them. A node
// whose folder was removed rejoins, as it would in a real cluster.
absl::StatusOr<std::vector<Identity>> FormIdentities(
    const DevClusterOptions& options, const std::vector<NodeId>& nodes) {
  std::vector<std::unique_ptr<Formation>> formations;
  for (int i = 0; i < DevCluster::kNodes; ++i) {
    Identity expected;
    expected.cluster = "dev";
    expected.node = nodes[static_cast<size_t>(i)];
    expected.group_count = options.group_count;
    ASSIGN_OR_RETURN(
        const Identity identity,
        LoadIdentity(
            PosixFileSystem::Get(), NodeDirectory(options, i), expected,
            static_cast<uint64_t>(absl::GetCurrentTimeNanos()) / 1000));
    formations.push_back(std::make_unique<Formation>(identity, nodes));
  }
  const auto ask = [&](NodeId node) -> absl::StatusOr<Identity> {
    return formations[node.value() - 1]->Describe();
  };
  std::vector<Identity> identities;
  for (int i = 0; i < DevCluster::kNodes; ++i) {
    Formation& formation = *formations[static_cast<size_t>(i)];
    bool formed = false;
    while (!formed) {
      ASSIGN_OR_RETURN(formed, formation.Round(ask));
    }
    identities.push_back(formation.Describe());
    RETURN_IF_ERROR(SaveIdentity(PosixFileSystem::Get(),
                                 NodeDirectory(options, i), identities.back()));
  }
  return identities;
}

}  // namespace

std::string DevCluster::ZoneName(int i) {
  return absl::StrCat("zone-", std::string(1, static_cast<char>('a' + i)));
}

absl::StatusOr<std::unique_ptr<DevCluster>> DevCluster::Open(
    const DevClusterOptions& options,
    std::array<AppliedObserver*, kNodes> observers) {
  const std::vector<NodeId> nodes = {NodeId(1), NodeId(2), NodeId(3)};
  ASSIGN_OR_RETURN(const std::vector<Identity> identities,
                   FormIdentities(options, nodes));
  std::unique_ptr<DevCluster> cluster(new DevCluster());
  for (int i = 0; i < kNodes; ++i) {
    const size_t at = static_cast<size_t>(i);
    NodeOptions node_options = options.node;
    node_options.zone = DevCluster::ZoneName(i);
    node_options.client_address = options.client_address;
    node_options.data_directory = NodeDirectory(options, i);
    node_options.nodes = nodes;
    node_options.log_own_leaderships_only = true;
    ASSIGN_OR_RETURN(std::unique_ptr<Node> node,
                     Node::Open(node_options, identities[at],
                                &cluster->transport_, observers[at]));
    cluster->nodes_.push_back(std::move(node));
  }
  return cluster;
}

DevCluster::~DevCluster() { Stop(); }

void DevCluster::Start() {
  for (int i = 0; i < kNodes; ++i) {
    Node& node = *nodes_[static_cast<size_t>(i)];
    transport_.Add(NodeId(static_cast<uint32_t>(i) + 1), &node.loop(),
                   &node.state());
  }
  for (auto& node : nodes_) node->Start();
}

void DevCluster::Stop() {
  for (uint32_t i = 1; i <= kNodes; ++i) transport_.Remove(NodeId(i));
  for (auto& node : nodes_) node->Stop();
}

}  // namespace trireme
