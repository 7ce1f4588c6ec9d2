#include "server/kinesis/kinesis_server.h"

#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

const std::vector<std::string> kServices = {"kinesis", "dynamodb",
                                            "monitoring"};

}  // namespace

KinesisServer::KinesisServer(const KinesisServerOptions& options)
    : verifier_(options.access_keys.empty()
                    ? nullptr
                    : std::make_unique<SignatureVerifier>(
                          options.access_keys,
                          SignatureScope{kServices, /*region=*/""})),
      kinesis_(&served_),
      endpoint_({&kinesis_}, {[this](const HttpRequest& request) {
                                return CheckSignature(request);
                              },
                              CheckSignaturePresent}) {}

absl::StatusOr<std::unique_ptr<KinesisServer>> KinesisServer::Start(
    const KinesisServerOptions& options) {
  std::unique_ptr<KinesisServer> server(new KinesisServer(options));
  HttpServerOptions http;
  http.address = options.address;
  http.tls = options.tls;
  http.plaintext = options.plaintext;
  ASSIGN_OR_RETURN(server->http_, HttpServer::Start(http, &server->endpoint_));
  return server;
}

std::optional<AwsError> KinesisServer::CheckSignature(
    const HttpRequest& request) const {
  if (verifier_ == nullptr) return std::nullopt;
  const AwsOr<CallerIdentity> caller = verifier_->Verify(request, absl::Now());
  if (caller.ok()) return std::nullopt;
  return caller.error();
}

}  // namespace trireme
