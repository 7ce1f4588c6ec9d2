// RaftSwarm runs one group of simulated replicas through one random schedule:
// a worse network and worse disks than any real ones (raft-notes.md, "The
// simulation the core must pass"), all promises checked at each step; then
// everything is healed and must commit on all replicas within 20 s.
//
// One thread, one seed, virtual time in microseconds: the same seed gives the
// same schedule, event by event (trace_hash).
#ifndef TRIREME_TESTS_SIM_RAFT_SWARM_H_
#define TRIREME_TESTS_SIM_RAFT_SWARM_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <queue>
#include <string>
#include <vector>

#include "replication/raft/raft.h"
#include "tests/sim/raft_checker.h"
#include "tests/sim/raft_replica.h"
#include "tests/sim/random.h"

namespace trireme::sim {

struct SwarmOptions {
  uint64_t seed = 0;
  int events = 2500;
  // Compare messages that leave with the disk. Off to see whether the other
  // checks find a defect on their own.
  bool check_messages = true;
  // Called with a line per event.
  std::function<void(const std::string&)> trace;
};

// What happened in a schedule, to show that it exercised something.
struct SwarmResult {
  std::string failure;  // Empty: all promises held.
  uint64_t trace_hash = 0;
  uint64_t steps = 0;  // Inputs given to cores.
  uint64_t committed = 0;
  uint64_t leaders = 0;  // Terms that had one.
  uint64_t crashes = 0;
  uint64_t wipes = 0;
  uint64_t recoveries = 0;
  uint64_t installs = 0;
  uint64_t reads = 0;
  uint64_t transfers = 0;
  uint64_t changes = 0;  // Of membership, proposed.
  uint64_t heal_us = 0;  // Virtual time from the healing to the end.
};

class RaftSwarm {
 public:
  explicit RaftSwarm(const SwarmOptions& options);
  SwarmResult Run();

 private:
  using Micros = uint64_t;
  enum class EventType : uint8_t {
    kDeliver,
    kTick,
    kTurn,    // The owner takes a Ready.
    kDisk,    // A write, or its hard state, is finished.
    kNotice,  // The core is told so.
    kPulled,  // A snapshot has been fetched.
    kRestart,
    kClient,
    kFault,
  };
  struct Event {
    Micros time = 0;
    uint64_t order = 0;
    EventType type = EventType::kTick;
    int replica = 0;
    uint64_t detail = 0;  // A message's slot, or the life of the replica.

    bool operator>(const Event& other) const {
      return time != other.time ? time > other.time : order > other.order;
    }
  };
  // The weather of one schedule, drawn from its seed.
  struct Weather {
    double drop = 0;
    double duplicate = 0;
    bool fifo = false;
    Micros delay_max = 0;
    Micros disk_max = 0;
    Micros notice_max = 0;
    bool early_hard_state = false;
    double defer_turn = 0;
    bool pull_anywhere = false;
    Micros client_every = 0;
    Micros fault_every = 0;
    int burst_max = 1;
    // How likely each kind of trouble is, against the others.
    int crash = 0, crash_leader = 0, cut = 0, mend = 1, lose_disk = 0,
        campaign = 0, transfer = 0, change = 0;
  };
  struct Notice {
    bool is_hard_state = false;
    raft::HardState hard_state;
    LogIndex index = 0;
    Term term = 0;
  };
  struct Node {
    explicit Node(RaftReplica r) : replica(std::move(r)) {}
    RaftReplica replica;
    uint64_t life = 0;
    bool turn_scheduled = false;
    bool disk_busy = false;
    std::deque<Notice> notices;
    Micros last_notice = 0;
    raft::Ready::SnapshotRequest pulling;
    int slow_disk = 1;  // Factor.
    Micros tick = 0;
  };

  void DrawWeather();
  void MakeNodes();
  void RunOne(const Event& event);
  void Schedule(Micros delay, EventType type, int node, uint64_t detail);
  bool Stale(const Event& event) const;

  // Inputs to a core, and what comes out of it.
  void AfterInput(int node);
  void TakeReady(int node);
  void Send(int from, raft::Message message);
  void StartDisk(int node);
  void FinishDisk(int node);
  void Notify(int node, const Notice& notice);
  void Deliver(const Event& event);
  void Pulled(int node);
  void Crash(int node, Micros down);
  void CheckReads(const raft::Ready& ready);

  // What clients and bad luck do.
  void ClientAction();
  int Leader();
  void FaultAction();
  void ChangeMembership(raft::Raft& core);
  void CutLinks();
  void MendLinks();
  void LoseDisk(int node, Micros down);

  bool Heal();
  bool Converged();
  void Trace(const Event& event);

  const SwarmOptions options_;
  Random random_;
  Weather weather_;
  RaftChecker checker_;
  std::vector<Node> nodes_;
  std::vector<std::vector<bool>> link_up_;
  std::vector<std::vector<int>> slow_link_;     // Factor.
  std::vector<std::vector<Micros>> link_free_;  // FIFO: nothing overtakes.
  bool healing_ = false;
  Term heal_term_ = 0;
  LogIndex heal_target_ = 0;

  Micros now_ = 0;
  uint64_t order_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<raft::Message> flying_;
  std::vector<uint64_t> free_slots_;
  std::vector<LogIndex> reads_;  // By context: committed when asked.
  std::vector<Payload> payloads_;
  uint32_t proposals_ = 0;
  SwarmResult result_;
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_RAFT_SWARM_H_
