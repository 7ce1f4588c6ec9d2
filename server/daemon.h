// The two ways to run: one node of a cluster, or a whole cluster in this
// process. Each starts everything in order, serves until a signal, and stops
// in the opposite order.
#ifndef TRIREME_SERVER_DAEMON_H_
#define TRIREME_SERVER_DAEMON_H_

#include "absl/status/status.h"
#include "server/config.h"
#include "server/flags.h"

namespace trireme {

// Blocks SIGINT and SIGTERM in the calling thread and all that are started
// after it, so that only WaitForStop sees them. Call first.
void BlockStopSignals();

// Both return when the process was asked to stop and has stopped cleanly, or
// with the error that kept it from starting.
absl::Status RunNode(const NodeConfig& config);
absl::Status RunDevCluster(const DaemonFlags& flags);

}  // namespace trireme

#endif  // TRIREME_SERVER_DAEMON_H_
