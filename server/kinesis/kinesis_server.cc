#include "server/kinesis/kinesis_server.h"

#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "server/aws/basic_credentials.h"
#include "server/aws/web_origin.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

const std::vector<std::string> kServices = {"kinesis", "dynamodb",
                                            "monitoring"};

}  // namespace

KinesisServer::KinesisServer(const KinesisServerOptions& options)
    : access_keys_(options.access_keys),
      verifier_(options.access_keys.empty()
                    ? nullptr
                    : std::make_unique<SignatureVerifier>(
                          options.access_keys,
                          SignatureScope{kServices, /*region=*/""})),
      kinesis_(&served_),
      dynamodb_(&served_),
      endpoint_({&kinesis_, &dynamodb_}, {[this](const HttpRequest& request) {
                                            return CheckSignature(request);
                                          },
                                          CheckSignaturePresent}),
      intake_(
          &served_,
          [this](const HttpRequest& request) { return CheckCaller(request); }),
      metrics_([this](const HttpRequest& request) {
        return CheckSignature(request);
      }) {}

absl::StatusOr<std::unique_ptr<KinesisServer>> KinesisServer::Start(
    const KinesisServerOptions& options) {
  std::unique_ptr<KinesisServer> server(new KinesisServer(options));
  HttpServerOptions http;
  http.address = options.address;
  http.tls = options.tls;
  http.plaintext = options.plaintext;
  ASSIGN_OR_RETURN(server->http_, HttpServer::Start(http, server.get()));
  return server;
}

void KinesisServer::Serve(std::shared_ptr<HttpExchange> exchange) {
  const HttpRequest& request = exchange->request();
  // A preflight may be answered: what follows it may not.
  if (verifier_ == nullptr && request.method != "OPTIONS" &&
      IsFromForeignPage(request)) {
    return exchange->Respond(
        {403,
         {{"content-type", "text/plain"}},
         absl::Cord("This server has no access keys, so it takes no requests "
                    "of pages from other machines (Origin).\n")});
  }
  if (RecordIntake::Takes(request)) {
    intake_.Serve(std::move(exchange));
  } else if (MetricsSink::Takes(request)) {
    metrics_.Serve(std::move(exchange));
  } else {
    endpoint_.Serve(std::move(exchange));
  }
}

std::optional<AwsError> KinesisServer::CheckCaller(
    const HttpRequest& request) const {
  if (verifier_ != nullptr && HasBasicCredentials(request)) {
    return CheckBasicCredentials(request, access_keys_);
  }
  return CheckSignature(request);
}

std::optional<AwsError> KinesisServer::CheckSignature(
    const HttpRequest& request) const {
  if (verifier_ == nullptr) return std::nullopt;
  const AwsOr<CallerIdentity> caller = verifier_->Verify(request, absl::Now());
  if (caller.ok()) return std::nullopt;
  return caller.error();
}

}  // namespace trireme
