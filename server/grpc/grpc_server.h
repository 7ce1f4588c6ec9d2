// GrpcServer listens for clients: the services over one Broker, reflection,
// grpc.health.v1, and bounds on what connections may hold.
#ifndef TRIREME_SERVER_GRPC_GRPC_SERVER_H_
#define TRIREME_SERVER_GRPC_GRPC_SERVER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/served_broker.h"
#include "server/tls_files.h"

namespace grpc {
class Server;
class Service;
}  // namespace grpc

namespace trireme {

struct GrpcServerOptions {
  std::string address = "127.0.0.1:7420";     // Port 0: any free one.
  std::optional<TlsFiles> tls;                // None: plaintext.
  uint64_t transport_bytes_max = 512u << 20;  // Of all connections' buffers.
};

class GrpcServer {
 public:
  // Listens from here on; says that the node is starting (kNodeStarting, health
  // NOT_SERVING) until Serve was called.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(
      const GrpcServerOptions& options);
  ~GrpcServer();

  int port() const { return port_; }
  // `broker` must outlive the server.
  void Serve(Broker* broker);
  // Tells health checks to go elsewhere; new and running calls go on.
  void StartDraining();
  // Ends subscriptions, lets other calls finish for up to `grace`, then
  // cancels them. No call is running when this returns.
  void Stop(absl::Duration grace);

 private:
  GrpcServer() = default;
  void SetHealth(bool serving);

  ServedBroker served_;  // Thread-safe.

  // Set by Start.
  int port_ = 0;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_GRPC_GRPC_SERVER_H_
