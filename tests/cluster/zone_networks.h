// Three hosts on one machine: a network namespace for each zone, with a cable
// (a veth pair) from each to each and to the test, which is the fourth host.
// What one zone sends another can be made to vanish, as by a broken switch: no
// connection is reset, nobody is told. Needs root and iproute2; the namespaces
// are ours and go with this object. No bridge: its packets would pass through
// the filters of a container engine that runs beside.
#ifndef TRIREME_TESTS_CLUSTER_ZONE_NETWORKS_H_
#define TRIREME_TESTS_CLUSTER_ZONE_NETWORKS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace trireme {

class ZoneNetworks {
 public:
  static constexpr int kZones = 3;

  // PermissionDenied or Unavailable where namespaces cannot be made, with why.
  static absl::StatusOr<std::unique_ptr<ZoneNetworks>> Create();
  ~ZoneNetworks();
  ZoneNetworks(const ZoneNetworks&) = delete;
  ZoneNetworks& operator=(const ZoneNetworks&) = delete;

  // The host's address, as all hosts see it.
  std::string address(int zone) const;
  // What to put before a command so that it runs in the zone; the process it
  // starts becomes the command.
  std::vector<std::string> CommandPrefix(int zone) const;

  // Packets from zone to zone vanish, in this direction. Dies on errors, as
  // Heal does: the test would mean nothing.
  void Cut(int from, int to);
  // Between the zone and the two others, both ways. The test still reaches it.
  void Isolate(int zone);
  // All that was cut is whole again.
  void Heal();

 private:
  struct Way {
    int from = 0;
    int to = 0;
  };

  ZoneNetworks();
  absl::Status Build();
  absl::Status Connect(int zone, int other);
  // "-n NAMESPACE ", or nothing for the test's own.
  std::string Inside(int host) const;
  std::string Route(int from, int to) const;
  std::string space(int zone) const;
  std::string cable_end(int host, int other) const;

  // Set at construction.
  const std::string name_;    // The names of all that is made begin with it.
  const std::string subnet_;  // "10.213.7."

  std::vector<Way> cut_;
};

}  // namespace trireme

#endif  // TRIREME_TESTS_CLUSTER_ZONE_NETWORKS_H_
