// A simulated cluster in which streams are made, resharded, changed and deleted
// by the product's own commands and life cycle, while producers put records by
// partition key and workers of a consumer group read them; whoever drives a
// stream can be killed at any of its steps.
//
// Checked, besides what History checks: records of a partition key stand in the
// order in which they were acknowledged along the shards that had the key, none
// behind its shard's end, and at the end the shards of each group are those of
// the catalogue.
#ifndef TRIREME_TESTS_SIM_STREAM_SIM_H_
#define TRIREME_TESTS_SIM_STREAM_SIM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/stream_lifecycle.h"
#include "server/timers.h"
#include "tests/sim/sim_cluster.h"
#include "tests/sim/sim_producers.h"
#include "tests/sim/sim_workers.h"
#include "trireme/v1/command.pb.h"

namespace trireme::sim {

// When to kill a node: at the proposal with this number, counted over all
// nodes, that a life cycle makes.
struct KillAt {
  enum When {
    kBefore,   // It is not made.
    kAfter,    // It is on its way.
    kAtReply,  // It is done, and nobody is told.
  };
  int proposal = -1;
  When when = kBefore;
};

class StreamSim {
 public:
  explicit StreamSim(uint64_t seed);
  ~StreamSim();

  SimCluster& cluster() { return cluster_; }
  // Counts proposals of life cycles anew and kills at one of them.
  void Arm(const KillAt& kill);
  // Since Arm.
  int proposals() const { return proposals_; }
  bool killed() const { return killed_; }

  // Has the command committed, whoever leads; its outcome. Runs the cluster.
  absl::Status Commit(const v1::Command& command);
  // Runs until the stream is ACTIVE, or gone; what it is then.
  std::shared_ptr<const Stream> Settle(const std::string& name);
  // As the meta group's leader, or else anybody up, has it; null: none.
  std::shared_ptr<const Stream> Find(const std::string& name);

  // Producers put to the stream until it is gone or they are stopped; as many
  // more put exactly once.
  void StartProducers(const std::string& stream, int keys);
  void StopProducers();
  uint64_t acked() const { return acked_; }
  const SimProducers& exactly_once() const { return exactly_once_; }
  SimWorkers& workers() { return workers_; }

  // Ends faults and checks everything; failures are the history's.
  void HealAndCheck();

 private:
  class Driver;
  // A partition key: one record at a time.
  using Producer = SimProducers::Producer;

  void Watch();
  void RestartLater(int node);
  void PutNext(size_t producer);
  void PutAgain(size_t producer);
  int AnyNodeUp();
  bool IsQuiet();
  std::optional<PutTarget> Route(int at, const std::string& key);
  // Of both kinds.
  std::vector<const Producer*> AllProducers() const;
  void CheckOrder();
  void CheckShards();

  SimCluster cluster_;
  std::vector<std::unique_ptr<Driver>> drivers_;  // Of all lives of all nodes.
  KillAt kill_;
  int proposals_ = 0;
  bool killed_ = false;

  std::string stream_;  // That producers put to; empty: none.
  std::vector<Producer> producers_;
  uint64_t acked_ = 0;
  SimProducers exactly_once_;
  SimWorkers workers_;
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_STREAM_SIM_H_
