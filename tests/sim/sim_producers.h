// Producers of a simulated cluster that put exactly once: each sends one record
// after the other under ascending numbers, again until it is acknowledged, and
// now and then a copy of one that was. History checks that none is written
// twice or stands elsewhere than it was said to.
#ifndef TRIREME_TESTS_SIM_SIM_PRODUCERS_H_
#define TRIREME_TESTS_SIM_SIM_PRODUCERS_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "replication/proposal.h"
#include "tests/sim/sim_cluster.h"

namespace trireme::sim {

// Where records of a key go.
struct PutTarget {
  GroupId group;
  ShardKey shard;
};

class SimProducers {
 public:
  // As node `at` knows it; nothing when it knows no such stream.
  using Route =
      std::function<std::optional<PutTarget>(int at, const std::string& key)>;
  // A record that was acknowledged.
  struct Place {
    RecordId record = 0;
    ShardIndex shard;
    Counter counter = 0;
  };
  struct Producer {
    std::string key;           // Its id, and the partition key of its records.
    std::vector<Place> acked;  // In the order of their numbers.
    RecordId next = 0;         // Sent and not acknowledged; 0: none.
  };

  // `cluster` must outlive the last answer.
  SimProducers(SimCluster* cluster, Route route)
      : cluster_(cluster), route_(std::move(route)) {}

  void Start(int count);
  void Stop() { running_ = false; }

  const std::deque<Producer>& producers() const { return producers_; }
  uint64_t acked() const { return acked_; }
  uint64_t duplicates() const { return duplicates_; }

 private:
  // One record on its way, which may be there several times.
  struct Record {
    uint64_t number = 0;
    RecordId id = 0;
  };

  void TurnLater(size_t producer);
  void Turn(size_t producer);
  // Sends the producer's next record, or another copy of an older one.
  void Put(size_t producer, const Record& record);
  void OnOutcome(size_t producer, const Record& record, ShardIndex shard,
                 const ProposalOutcome& outcome);
  void OnAcked(size_t producer, const Record& record, const Place& place);

  SimCluster* const cluster_;
  const Route route_;
  bool running_ = false;
  std::deque<Producer> producers_;
  std::map<ShardIndex, GroupId> groups_;  // Of shards that were put to.
  uint64_t acked_ = 0;
  uint64_t duplicates_ = 0;
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_SIM_PRODUCERS_H_
