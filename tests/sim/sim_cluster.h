// A simulated cluster of three nodes: network, disks, clocks and all, in one
// thread, from one seed. Scenarios and the swarm drive it.
#ifndef TRIREME_TESTS_SIM_SIM_CLUSTER_H_
#define TRIREME_TESTS_SIM_SIM_CLUSTER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "tests/sim/random.h"
#include "tests/sim/sim_events.h"
#include "tests/sim/sim_history.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_node.h"
#include "tests/sim/sim_trace.h"

namespace trireme::sim {

struct SimClusterOptions {
  uint64_t seed = 1;
  bool trace = false;
  SimNodeOptions node;
};

// Small limits, so that trimming, recycling and state pulls happen all the
// time.
SimNodeOptions SmallNodes(uint32_t group_count);

class SimCluster {
 public:
  static constexpr int kNodes = 3;

  // The nodes are not started.
  explicit SimCluster(const SimClusterOptions& options);

  Events& events() { return events_; }
  Random& random() { return random_; }
  Trace& trace() { return trace_; }
  History& history() { return history_; }
  SimNetwork& network() { return network_; }
  // By number, 0..2; node i has the id i + 1 and leads group i by preference.
  SimNode& node(int i) { return *nodes_[static_cast<size_t>(i)]; }
  uint32_t group_count() const { return group_count_; }

  void StartAll();
  void Run(Micros duration) { events_.RunUntil(events_.now() + duration); }
  // Until `done` or `limit` has passed; false then.
  bool RunUntil(const std::function<bool()>& done, Micros limit);

  // Cuts node `i` off from the others, or joins it again.
  void Isolate(int i);
  void Rejoin(int i);
  // The number of the node that leads the group in its highest term, or -1.
  int LeaderOf(GroupId group);
  // Every group has a leader that all nodes know, and no replica recovers.
  bool AllServe();
  // Besides, every node has applied the same.
  bool AllEqual();
  // Every group has a leader to which nobody but `except` is recovering: that
  // node's disk may be lost.
  bool DiskMayBeLost(int except);

  // Ends all faults and starts what is down; then all must serve and be equal
  // within `limit`, with all that was acknowledged. Reports to the history.
  void HealAndCheck(Micros limit);
  void EndFaults();

 private:
  Events events_;
  Random random_;
  Trace trace_;
  const uint32_t group_count_;
  History history_;
  SimNetwork network_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_SIM_CLUSTER_H_
