#include "server/grpc/grpc_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpc/health/v1/health.pb.h"
#include "replication/listen_check.h"
#include "server/grpc/cluster_service.h"
#include "server/grpc/consumer_groups_service.h"
#include "server/grpc/records_service.h"
#include "server/grpc/streams_service.h"
#include "server/limits.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

// Room beyond what a request may have: one that is too large is told so by us,
// with the limit, and only one that is absurd by gRPC.
constexpr int kReceiveBytesMax = 2 * kRequestBytesMax;
constexpr int kCallsPerConnectionMax = 4096;

// A peer that is silent is asked; one that does not answer is gone, and what
// its calls held with it.
void AddKeepalive(grpc::ServerBuilder* builder) {
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // Clients may ask too, but not so often that it costs.
  builder->AddChannelArgument(
      GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeCredentials(
    const std::optional<TlsFiles>& tls) {
  if (!tls.has_value()) return grpc::InsecureServerCredentials();
  ASSIGN_OR_RETURN(const TlsContents contents, ReadTlsFiles(*tls));
  grpc::SslServerCredentialsOptions options(
      contents.ca.empty()
          ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
          : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = contents.ca;
  options.pem_key_cert_pairs.push_back({contents.key, contents.certificate});
  return grpc::SslServerCredentials(options);
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(
    const GrpcServerOptions& options) {
  ASSIGN_OR_RETURN(const auto credentials, MakeCredentials(options.tls));
  RETURN_IF_ERROR(CheckCanListen(options.address));
  // Both are plugins of every server built after them in the process.
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  // Reflection describes what is linked; gRPC's own health service is not.
  grpc::health::v1::HealthCheckRequest::descriptor();

  std::unique_ptr<GrpcServer> server(new GrpcServer());
  server->services_.push_back(
      std::make_unique<RecordsService>(&server->served_));
  server->services_.push_back(
      std::make_unique<StreamsService>(&server->served_));
  server->services_.push_back(
      std::make_unique<ConsumerGroupsService>(&server->served_));
  server->services_.push_back(
      std::make_unique<ClusterService>(&server->served_));

  grpc::ServerBuilder builder;
  builder.AddListeningPort(options.address, credentials, &server->port_);
  for (const auto& service : server->services_) {
    builder.RegisterService(service.get());
  }
  builder.SetMaxReceiveMessageSize(kReceiveBytesMax);
  builder.SetMaxSendMessageSize(-1);  // Bounded by what is read.
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             kCallsPerConnectionMax);
  // Two servers on one port would split the clients between them.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  AddKeepalive(&builder);
  grpc::ResourceQuota quota("clients");
  quota.Resize(options.transport_bytes_max);
  builder.SetResourceQuota(quota);

  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr || server->port_ == 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot serve clients on ", options.address));
  }
  server->SetHealth(false);
  return server;
}

GrpcServer::~GrpcServer() { Stop(absl::ZeroDuration()); }

void GrpcServer::SetHealth(bool serving) {
  if (auto* const health = server_->GetHealthCheckService()) {
    health->SetServingStatus(serving);
  }
}

void GrpcServer::Serve(Broker* broker) {
  served_.Set(broker);
  SetHealth(true);
}

void GrpcServer::StartDraining() { SetHealth(false); }

void GrpcServer::Stop(absl::Duration grace) {
  if (server_ == nullptr) return;
  StartDraining();
  if (const auto broker = served_.Get(); broker.ok()) {
    (*broker)->StopSubscriptions();
  }
  server_->Shutdown(absl::ToChronoTime(absl::Now() + grace));
  server_->Wait();
  server_.reset();
}

}  // namespace trireme
