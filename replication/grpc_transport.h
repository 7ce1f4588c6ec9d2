// GrpcTransport connects the nodes of a cluster over gRPC: one Exchange stream
// to each peer, on which whatever waits while a write is under way rides on
// the next one together (proto/trireme/v1/replication.proto).
//
// Owned by a Node. Thread-safe. What was sent may be lost with the connection;
// the receiver is told.
#ifndef TRIREME_REPLICATION_GRPC_TRANSPORT_H_
#define TRIREME_REPLICATION_GRPC_TRANSPORT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "replication/formation.h"
#include "replication/transport.h"
#include "storage/ids.h"

namespace grpc {
class ChannelCredentials;
class Server;
class ServerCredentials;
}  // namespace grpc

namespace trireme {

struct GrpcTransportOptions {
  std::string cluster;  // Nodes of others are refused.
  NodeId self;
  std::string listen;                              // HOST:PORT for peers.
  absl::flat_hash_map<NodeId, std::string> peers;  // HOST:PORT, without self.
  // Envelope bytes waiting for a peer before Send refuses.
  uint64_t queued_bytes_max = 64u << 20;
  std::shared_ptr<grpc::ServerCredentials> server_credentials;
  std::shared_ptr<grpc::ChannelCredentials> channel_credentials;
};

class ExchangeReceiver;
class PeerConnection;
class Pulls;

class GrpcTransport : public Transport {
 public:
  // Starts listening; Introduce is answered with `formation` at once, all else
  // once Connect was called. Unavailable when the address cannot be bound.
  static absl::StatusOr<std::unique_ptr<GrpcTransport>> Start(
      const GrpcTransportOptions& options, const Formation* formation);
  ~GrpcTransport() override;

  // From now on envelopes go to `receiver` and peers may pull from `state`.
  // Both must outlive the transport's Stop.
  void Connect(EnvelopeReceiver* receiver, ReplicatedState* state);
  // Ends all connections; nobody is called afterwards.
  void Stop();

  // Asks a peer who it is. Blocks for at most two seconds.
  absl::StatusOr<Identity> Introduce(NodeId peer);

  bool Send(NodeId to, Envelope envelope) override;
  absl::StatusOr<std::unique_ptr<StateSource>> PullState(
      NodeId from, GroupId group, absl::string_view held) override;
  void StopPulls() override;

 private:
  explicit GrpcTransport(const GrpcTransportOptions& options);

  const GrpcTransportOptions options_;
  const std::unique_ptr<Pulls> pulls_;
  std::unique_ptr<ExchangeReceiver> service_;
  std::unique_ptr<grpc::Server> server_;
  absl::flat_hash_map<NodeId, std::unique_ptr<PeerConnection>> connections_;
};

}  // namespace trireme

#endif  // TRIREME_REPLICATION_GRPC_TRANSPORT_H_
