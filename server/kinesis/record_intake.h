// RecordIntake takes records by plain HTTP, for webhooks and curl:
// `POST /streams/{name}/records` with any body, answered when the records are
// committed (docs/kinesis-endpoint.md, "Plain HTTP").
//
// The body is one record; of application/json that is an array, each element
// is one, and of application/x-ndjson each line. Their partition key comes from
// the query (`partition_key`), the header X-Partition-Key, or a field of each
// record (`partition_key_field=customer.id`); without any of them it is random.
#ifndef TRIREME_SERVER_KINESIS_RECORD_INTAKE_H_
#define TRIREME_SERVER_KINESIS_RECORD_INTAKE_H_

#include <functional>
#include <memory>
#include <optional>

#include "server/aws/aws_error.h"
#include "server/http/http_exchange.h"
#include "server/served_broker.h"

namespace trireme {

class RecordIntake : public HttpService {
 public:
  using Check = std::function<std::optional<AwsError>(const HttpRequest&)>;

  // Whether a request's path is one of these.
  static bool Takes(const HttpRequest& request);

  // `authenticate`: why a request is not let in; thread-safe. `served` must
  // outlive the intake.
  RecordIntake(const ServedBroker* served, Check authenticate);

  void Serve(std::shared_ptr<HttpExchange> exchange) override;

 private:
  // Set at construction.
  const ServedBroker* const served_;
  const Check authenticate_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_KINESIS_RECORD_INTAKE_H_
