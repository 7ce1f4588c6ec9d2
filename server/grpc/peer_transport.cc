#include "server/grpc/peer_transport.h"

#include <grpcpp/grpcpp.h>

#include "storage/status_macros.h"

namespace trireme {

absl::StatusOr<std::unique_ptr<PeerTransport>> StartPeerTransport(
    const NodeConfig& config, const Formation* formation) {
  GrpcTransportOptions options;
  options.cluster = config.cluster;
  options.self = config.node;
  options.listen = config.peer_listen;
  for (const PeerConfig& peer : config.peers) {
    options.peers[peer.node] = peer.address;
  }
  options.server_credentials = grpc::InsecureServerCredentials();
  options.channel_credentials = grpc::InsecureChannelCredentials();
  if (config.peer_tls.has_value()) {
    // Both sides show a certificate of the same authority.
    ASSIGN_OR_RETURN(const TlsContents tls, ReadTlsFiles(*config.peer_tls));
    grpc::SslServerCredentialsOptions server(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    server.pem_root_certs = tls.ca;
    server.pem_key_cert_pairs.push_back({tls.key, tls.certificate});
    options.server_credentials = grpc::SslServerCredentials(server);
    options.channel_credentials =
        grpc::SslCredentials({tls.ca, tls.key, tls.certificate});
  }
  return GrpcTransport::Start(options, formation);
}

}  // namespace trireme
