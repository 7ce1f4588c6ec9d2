// Node is one daemon's share of the cluster without its front ends: storage,
// the segment log, the loop and the threads that run them
// (docs/architecture.md, "Threads").
//
// Built by main (one a process) or by DevCluster (three). Open, then Start,
// then Stop; not restartable. What survives a crash is its data directory.
#ifndef TRIREME_SERVER_NODE_H_
#define TRIREME_SERVER_NODE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "replication/applier.h"
#include "replication/catch_up.h"
#include "replication/group_loop.h"
#include "replication/identity.h"
#include "replication/log_writer.h"
#include "replication/transport.h"
#include "server/limits_profile.h"
#include "storage/clock.h"
#include "storage/monotonic_event.h"
#include "storage/segment_log.h"
#include "storage/state_machine.h"

namespace trireme {

struct NodeOptions {
  std::string zone;
  std::string client_address;  // HOST:PORT where clients reach it.
  std::string data_directory;
  std::vector<NodeId> nodes;  // All members, one a zone, ascending.
  // Of pulled state, so that catching up does not starve those who serve.
  uint64_t catch_up_bytes_per_second = 100u << 20;
  LimitsOptions limits;  // The same on all nodes.
  // Nodes of one process: each logs what it leads itself only.
  bool log_own_leaderships_only = false;
  StateMachineOptions state;
  SegmentLogOptions log;
};

// The daemon's version, as reported to clients and peers.
absl::string_view Version();

class Node {
 public:
  // Recovers what the data directory holds. `identity` is formed, and saved
  // anew when the log turns out to be damaged; `transport`
  // and `observer` (may be null) outlive the node. Errors name what is broken
  // and what to do.
  static absl::StatusOr<std::unique_ptr<Node>> Open(const NodeOptions& options,
                                                    Identity identity,
                                                    Transport* transport,
                                                    AppliedObserver* observer);
  ~Node();

  // Starts the threads. The node takes part from here on.
  void Start();
  // Hands leaderships to other nodes; returns when none is left, when nobody is
  // there to take them, or after `timeout`.
  void Drain(absl::Duration timeout);
  // Stops the threads and makes all that is applied durable.
  void Stop();

  GroupLoop& loop() { return *loop_; }
  StateMachine& state() { return *state_; }

 private:
  Node(const NodeOptions& options, const Identity& identity);

  // Upkeep thread: expiry, and what the reports say of the disk.
  void RunUpkeep();
  // A thread of its own: on a full disk it waits for space that expiry may
  // make. What outlives its partition is moved here, for the same reason.
  void RunFlushes();
  // False: the node stops.
  bool PauseUpkeep();
  int64_t ExpiryTimeMs() const;
  absl::Status Expire();
  absl::Status KeepRaised();
  // True once all groups here have applied what was committed before: a replica
  // that lags may not know yet that a retention was raised.
  bool AwaitFresh();
  // Once damaged records were read: puts the store aside and stops the process
  // as soon as the peers can give it a new one. Until then the rest is served.
  void ReplaceDamagedStore();
  // OK, or what keeps this node from doing without its store.
  absl::Status CheckReplaceable() const;
  void DescribeDisk();
  // Stops the process, unless the node is stopping anyway: waits for space are
  // broken off then, and what was promised is in the segment log.
  void OnFatal(const absl::Status& why) const;

  // Set by Open.
  const NodeOptions options_;
  const NodeId self_;
  const uint32_t group_count_;
  std::unique_ptr<StateMachine> state_;
  std::unique_ptr<SegmentLog> log_;
  std::unique_ptr<Applier> applier_;
  std::unique_ptr<LogWriter> writer_;
  std::unique_ptr<CatchUp> catch_up_;
  std::unique_ptr<GroupLoop> loop_;

  bool told_of_damage_ = false;  // Upkeep thread only.
  std::vector<std::thread> threads_;

  std::atomic<bool> stopping_{false};
  MonotonicEvent stop_;  // Wakes who waits.
};

}  // namespace trireme

#endif  // TRIREME_SERVER_NODE_H_
