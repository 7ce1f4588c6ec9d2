// DevCluster is a real three-zone cluster in one process (design.md D15): three
// nodes with their own disks, groups and fsyncs, connected by direct calls.
//
// Used by triremed --dev and by tests.
#ifndef TRIREME_SERVER_DEV_CLUSTER_H_
#define TRIREME_SERVER_DEV_CLUSTER_H_

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "replication/local_transport.h"
#include "server/node.h"

namespace trireme {

struct DevClusterOptions {
  std::string data_directory;  // One folder a zone below it.
  std::string client_address;  // Shown as the address of all three.
  uint32_t group_count = 9;    // The meta group included.
  NodeOptions node;            // What all three share; the rest is ignored.
};

class DevCluster {
 public:
  static constexpr int kNodes = 3;
  static std::string ZoneName(int i);  // zone-a, zone-b, zone-c

  // `observers` may be null: they follow what is applied on node i.
  static absl::StatusOr<std::unique_ptr<DevCluster>> Open(
      const DevClusterOptions& options,
      std::array<AppliedObserver*, kNodes> observers);
  ~DevCluster();

  void Start();
  void Stop();

  Node& node(int i) { return *nodes_[static_cast<size_t>(i)]; }

 private:
  DevCluster() = default;

  LocalTransport transport_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_DEV_CLUSTER_H_
