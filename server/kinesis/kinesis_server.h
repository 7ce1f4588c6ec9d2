// KinesisServer is the Kinesis front end: one address where AWS clients find
// the services that they need (docs/kinesis-endpoint.md).
//
// Owned by the FrontEnd. Nothing of it survives a crash.
#ifndef TRIREME_SERVER_KINESIS_KINESIS_SERVER_H_
#define TRIREME_SERVER_KINESIS_KINESIS_SERVER_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/aws/access_keys.h"
#include "server/aws/aws_endpoint.h"
#include "server/aws/sigv4.h"
#include "server/cloudwatch/metrics_sink.h"
#include "server/dynamodb/dynamodb_api.h"
#include "server/http/http_server.h"
#include "server/kinesis/kinesis_api.h"
#include "server/kinesis/record_intake.h"
#include "server/served_broker.h"
#include "server/tls_files.h"

namespace trireme {

struct KinesisServerOptions {
  std::string address = "127.0.0.1:4567";  // Port 0: any free one.
  std::optional<TlsContents> tls;          // None: plaintext only.
  bool plaintext = true;                   // Beside TLS, on the same port.
  // Who may call. None: anyone who signs, with whatever keys.
  AccessKeys access_keys;
};

class KinesisServer : public HttpService {
 public:
  // Listens from here on; says that the node is starting until Serve was
  // called.
  static absl::StatusOr<std::unique_ptr<KinesisServer>> Start(
      const KinesisServerOptions& options);

  int port() const { return http_->port(); }
  // `broker` must outlive the server.
  void Serve(Broker* broker) { served_.Set(broker); }
  void StartDraining() { http_->StartDraining(); }
  // Lets calls finish for up to `grace`. The Broker's subscriptions have been
  // stopped. No call is running when this returns.
  void Stop(absl::Duration grace) { http_->Stop(grace); }

  // HttpService: gives each request to the service that it is for.
  void Serve(std::shared_ptr<HttpExchange> exchange) override;

 private:
  explicit KinesisServer(const KinesisServerOptions& options);
  // Why a request is not let in.
  std::optional<AwsError> CheckSignature(const HttpRequest& request) const;
  // The same of callers that may show a key instead of signing with it.
  std::optional<AwsError> CheckCaller(const HttpRequest& request) const;

  ServedBroker served_;  // Thread-safe.

  // Set at construction.
  const AccessKeys access_keys_;
  std::unique_ptr<const SignatureVerifier> verifier_;  // Null: no keys.
  KinesisApi kinesis_;
  DynamoDbApi dynamodb_;
  AwsEndpoint endpoint_;
  RecordIntake intake_;
  MetricsSink metrics_;
  // Set by Start. Destroyed first: its threads use all of the above.
  std::unique_ptr<HttpServer> http_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_KINESIS_KINESIS_SERVER_H_
