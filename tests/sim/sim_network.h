// The simulator's network: a stream for each direction between two nodes.
// Envelopes of a stream arrive in order; a stream that breaks loses what is on
// its way, and its sender hears of it later. Directions can be slow, or
// blocked without a word, in which case what is sent waits until the block
// ends or the stream breaks.
//
// One for the cluster.
#ifndef TRIREME_TESTS_SIM_SIM_NETWORK_H_
#define TRIREME_TESTS_SIM_SIM_NETWORK_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "replication/transport.h"
#include "tests/sim/random.h"
#include "tests/sim/sim_events.h"
#include "tests/sim/sim_history.h"
#include "tests/sim/sim_trace.h"

namespace trireme::sim {

struct NetworkConditions {
  Micros delay_min = 50;
  Micros delay_max = 500;
  double break_chance = 0;       // Of the stream, for each envelope.
  double pull_break_chance = 0;  // Of a state pull, for each chunk.
  // Envelopes pass through their wire form.
  bool encodes = false;
};

class SimNetwork {
 public:
  // All pointers must outlive the network.
  SimNetwork(Events* events, Random* random, History* history, Trace* trace)
      : events_(events), random_(random), history_(history), trace_(trace) {}

  // The node runs. Streams to and from it come up after a while.
  void Attach(NodeId node, EnvelopeReceiver* receiver, ReplicatedState* state);
  // It does not any more. Its peers notice soon, or, `silently`, late.
  void Detach(NodeId node, bool silently);

  // --- Transport, for `from` ---
  bool Send(NodeId from, NodeId to, Envelope envelope);
  absl::StatusOr<std::unique_ptr<StateSource>> PullState(
      NodeId by, NodeId from, GroupId group, absl::string_view held);

  // --- faults ---
  void set_conditions(const NetworkConditions& conditions) {
    conditions_ = conditions;
  }
  const NetworkConditions& conditions() const { return conditions_; }
  void SetExtraDelay(NodeId from, NodeId to, Micros delay);
  void Block(NodeId from, NodeId to);
  void Unblock(NodeId from, NodeId to);
  void Break(NodeId from, NodeId to);
  void Heal();

  // True while a pull from `from` would find it.
  bool Reachable(NodeId by, NodeId from) const;

 private:
  enum class Health {
    kUp,
    kBroken,  // The sender has not noticed.
    kDown,    // It has, and tries to connect.
  };
  struct Stream {
    Health health = Health::kDown;
    uint64_t epoch = 0;  // Grows when it breaks.
    bool blocked = false;
    Micros extra_delay = 0;
    Micros last_arrival = 0;
    std::deque<Envelope> held;  // Sent while blocked.
  };
  struct Member {
    EnvelopeReceiver* receiver = nullptr;
    ReplicatedState* state = nullptr;
    uint64_t life = 0;
  };
  class InterruptedSource;

  Stream& StreamOf(NodeId from, NodeId to) { return streams_[{from, to}]; }
  bool Blocked(NodeId from, NodeId to) const;
  void Carry(NodeId from, NodeId to, Envelope envelope);
  void Arrive(NodeId from, NodeId to, uint64_t epoch, Envelope envelope);
  void BreakStream(NodeId from, NodeId to, Micros noticed_after);
  void Reconnect(NodeId from, NodeId to, uint64_t epoch);

  Events* const events_;
  Random* const random_;
  History* const history_;
  Trace* const trace_;
  NetworkConditions conditions_;
  std::map<NodeId, Member> members_;
  std::map<std::pair<NodeId, NodeId>, Stream> streams_;
};

}  // namespace trireme::sim

#endif  // TRIREME_TESTS_SIM_SIM_NETWORK_H_
