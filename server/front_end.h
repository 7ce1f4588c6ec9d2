// FrontEnd is what a node offers to clients: the tail buffers, the Broker with
// its threads, and the gRPC and Kinesis servers. A node of a cluster has one;
// of the three nodes of a --dev process the first has one.
//
// Build it before the node (its observer follows the node's applier), Listen at
// once, Serve when the node is open. Nothing of it survives a crash.
#ifndef TRIREME_SERVER_FRONT_END_H_
#define TRIREME_SERVER_FRONT_END_H_

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/applied_fanout.h"
#include "server/autoscaler.h"
#include "server/broker.h"
#include "server/grpc/grpc_server.h"
#include "server/kinesis/kinesis_server.h"
#include "server/lease_assigner.h"
#include "server/load_meter.h"
#include "server/node.h"
#include "server/shard_claims.h"
#include "server/shard_tail.h"
#include "server/stream_lifecycle.h"
#include "server/timers.h"
#include "server/work_pool.h"

namespace trireme {

struct FrontEndOptions {
  BrokerOptions broker;
  GrpcServerOptions grpc;
  std::optional<KinesisServerOptions> kinesis;  // None: no such endpoint.
  uint64_t tail_bytes_max = 64u << 20;
  int read_threads = 4;
};

// Does what the meta group's leader has to do: drives the streams' states,
// scales on-demand streams, assigns leases. Every node has one.
class LifecycleDriver {
 public:
  LifecycleDriver();
  ~LifecycleDriver();

  AppliedObserver* observer() { return &observer_; }
  // `node` is open and not started yet.
  void Attach(Node* node);
  void Start();
  void Stop();

 private:
  AppliedFanout observer_;
  Timers timers_;
  std::unique_ptr<StreamLifecycle> lifecycle_;
  LoadMeter meter_;
  std::unique_ptr<Autoscaler> autoscaler_;
  std::unique_ptr<LeaseAssigner> assigner_;
};

class FrontEnd {
 public:
  explicit FrontEnd(const FrontEndOptions& options);
  ~FrontEnd();

  AppliedObserver* observer() { return &observers_; }
  // From here on callers are told that the node is starting.
  absl::Status Listen();
  // Serves `node`, which is running. Once, after Listen.
  void Serve(Node* node);
  void StartDraining();
  // Calls that run get `grace` to finish.
  void Stop(absl::Duration grace);
  int port() const { return server_->port(); }

 private:
  const FrontEndOptions options_;
  WorkPool wake_pool_;
  WorkPool read_pool_;
  Timers timers_;
  ShardTails tails_;
  ShardClaims claims_;
  AppliedFanout observers_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<KinesisServer> kinesis_;  // Null: none is wanted.
};

}  // namespace trireme

#endif  // TRIREME_SERVER_FRONT_END_H_
