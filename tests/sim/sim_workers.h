// Workers of a consumer group in a simulated cluster: each joins, sends
// heartbeats, reads the shards it has the leases of, checkpoints and hands off
// as a client does, by the product's commands; each can be paused and killed.
// Reading is abstract: a worker processes all counters of a shard up to what
// some node has applied.
//
// Checked: a shard is processed without a gap, from its first counter to its
// end, and after its parents; a lease's counter has one owner; and whoever has
// a later counter processes only after all with earlier ones have stopped.
#ifndef TRIREME_TESTS_SIM_SIM_WORKERS_H_
#define TRIREME_TESTS_SIM_SIM_WORKERS_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "storage/consumer_group.h"
#include "tests/sim/sim_cluster.h"
#include "trireme/v1/group_commands.pb.h"

namespace trireme::sim {

class SimWorkers {
 public:
  static constexpr int64_t kLeaseMs = 3'000;
  static constexpr int64_t kHandOffMs = 1'000;

  // `cluster` must outlive the last answer.
  explicit SimWorkers(SimCluster* cluster) : cluster_(cluster) {}

  // They join the group of that stream.
  void Start(const std::string& stream, int count);
  void Pause(int worker, Micros duration);
  // It forgets all, and comes back under another name.
  void Kill(int worker);
  void Leave(int worker);
  // Pauses and kills, by dice, as long as it is on.
  void set_mishaps(bool on) { mishaps_ = on; }

  // Counters that were processed, and times they were again.
  uint64_t steps() const { return steps_; }
  uint64_t expired() const { return expired_; }
  size_t leases() const { return owners_.size(); }  // By counter.
  size_t shards() const { return progress_.size(); }
  // All closed shards are processed to their ends, all others have an owner.
  bool AllDone();
  void CheckAllDone();

 private:
  struct Held {
    uint64_t counter = 0;
    Counter next = 0;  // To be processed next.
    bool hand_off = false;
    bool at_end = false;
    bool asked = false;  // A command about it is on its way.
  };
  struct Worker {
    std::string name;
    uint64_t life = 0;
    WorkerNumber number = 0;  // 0: has not joined.
    Micros heard = 0;         // The last answered heartbeat was sent then.
    Micros beat_at = 0;
    Micros paused_until = 0;
    bool asked = false;  // To join, or a heartbeat is on its way.
    std::map<ShardIndex, Held> leases;
  };
  // What is known of a shard, over all workers.
  struct Progress {
    Counter done = 0;      // All below is processed.
    uint64_t counter = 0;  // The latest lease that processed.
  };
  using Answer = std::function<void(int node, const ProposalOutcome&)>;

  void TurnLater(int worker);
  void Turn(int worker);
  void Join(int worker);
  void Beat(int worker);
  void OnLeases(int worker, int node, Micros sent);
  void Work(int worker);
  void Process(Worker* worker, ShardIndex shard, Held* lease);
  void Checkpoint(int worker, ShardIndex shard);
  void Release(int worker, ShardIndex shard);
  // Proposes at some node; `answer` is called once, or `lost`, if the worker
  // still lives that life.
  void Ask(int worker, const v1::GroupCommand& command, Answer answer,
           std::function<void()> lost);
  // The same of one lease, of which nothing else is asked meanwhile.
  void AskAbout(int worker, ShardIndex shard, const v1::GroupCommand& command);
  void OnProcessed(const Worker& worker, ShardIndex shard, const Held& lease,
                   Counter to);
  void Mishap(int worker);
  std::shared_ptr<const Stream> StreamAt(int node) const;
  int AnyNode();
  v1::GroupRef Ref() const;

  SimCluster* const cluster_;
  std::string stream_;
  StreamId stream_id_;
  GroupNumber group_ = 0;
  bool mishaps_ = false;
  std::deque<Worker> workers_;
  std::map<ShardIndex, Progress> progress_;
  std::map<std::pair<ShardIndex, uint64_t>, std::string> owners_;
  uint64_t steps_ = 0;
  uint64_t expired_ = 0;
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_SIM_WORKERS_H_
