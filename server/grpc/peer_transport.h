// Connects a node to its peers as its configuration says: addresses, mTLS.
#ifndef TRIREME_SERVER_GRPC_PEER_TRANSPORT_H_
#define TRIREME_SERVER_GRPC_PEER_TRANSPORT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "replication/formation.h"
#include "replication/grpc_transport.h"
#include "server/config.h"

namespace trireme {

using PeerTransport = GrpcTransport;

absl::StatusOr<std::unique_ptr<PeerTransport>> StartPeerTransport(
    const NodeConfig& config, const Formation* formation);

}  // namespace trireme

#endif  // TRIREME_SERVER_GRPC_PEER_TRANSPORT_H_
