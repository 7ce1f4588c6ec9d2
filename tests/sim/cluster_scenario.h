// What every failure with a name is tried on: a cluster under load, on which
// History's checks hold at the end.
#ifndef TRIREME_TESTS_SIM_CLUSTER_SCENARIO_H_
#define TRIREME_TESTS_SIM_CLUSTER_SCENARIO_H_

#include <gtest/gtest.h>

#include <string>

#include "spdlog/spdlog.h"
#include "tests/sim/sim_clients.h"
#include "tests/sim/sim_cluster.h"

namespace trireme::sim {

class ClusterScenarioTest : public ::testing::Test {
 protected:
  static constexpr GroupId kGroup{1};

  ClusterScenarioTest() : ClusterScenarioTest(SmallNodes(3)) {}
  explicit ClusterScenarioTest(const SimNodeOptions& node)
      : cluster_({.seed = 7, .node = node}), clients_(&cluster_, {}) {
    spdlog::set_level(spdlog::level::off);
    for (int i = 0; i < SimCluster::kNodes; ++i) {
      cluster_.node(i).OnFatal([this, i](SimNode*) {
        cluster_.events().After(kSecond, [this, i] {
          if (!cluster_.node(i).up()) cluster_.node(i).Start();
        });
      });
    }
    cluster_.StartAll();
    EXPECT_TRUE(cluster_.RunUntil([this] { return cluster_.AllServe(); },
                                  10 * kSecond));
    clients_.Start();
    // Leaders move to where they belong, and there is something to lose.
    cluster_.Run(5 * kSecond);
  }

  ~ClusterScenarioTest() override {
    clients_.Stop();
    cluster_.HealAndCheck(30 * kSecond);
    for (const std::string& failure : cluster_.history().failures()) {
      ADD_FAILURE() << failure;
    }
    EXPECT_GT(clients_.puts_acked(), 50u);
    EXPECT_GT(clients_.barriers_passed(), 10u);
  }

  int Leader() { return cluster_.LeaderOf(kGroup); }
  // While leadership is handed over nobody has it for a moment.
  int AwaitLeader() {
    cluster_.RunUntil([this] { return Leader() >= 0; }, 2 * kSecond);
    return Leader();
  }
  int OtherThan(int i) { return (i + 1) % SimCluster::kNodes; }
  Term TermOf(int i) { return cluster_.node(i).ReportOf(kGroup).term; }
  void Restart(int i) {
    if (!cluster_.node(i).up()) cluster_.node(i).Start();
  }
  // How long it takes until a node that is not `except` takes a put.
  Micros TimeUntilPutVia(int node) {
    const Micros began = cluster_.events().now();
    while (!clients_.PutSucceeds(node, kGroup)) {
      if (cluster_.events().now() - began > 60 * kSecond) break;
    }
    return cluster_.events().now() - began;
  }

  SimCluster cluster_;
  SimClients clients_;
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_CLUSTER_SCENARIO_H_
