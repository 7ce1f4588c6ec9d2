// MetricsSink takes the metrics that the KCL and the KPL send to CloudWatch, so
// that they need no other service, and drops them (docs/kinesis-endpoint.md,
// "CloudWatch"). PutMetricData is answered in each of the three protocols that
// CloudWatch's clients speak; of the body only a form's Action is looked at.
#ifndef TRIREME_SERVER_CLOUDWATCH_METRICS_SINK_H_
#define TRIREME_SERVER_CLOUDWATCH_METRICS_SINK_H_

#include <functional>
#include <memory>
#include <optional>

#include "server/aws/aws_error.h"
#include "server/http/http_exchange.h"

namespace trireme {

class MetricsSink : public HttpService {
 public:
  using Check = std::function<std::optional<AwsError>(const HttpRequest&)>;

  // Whether a request is meant for CloudWatch.
  static bool Takes(const HttpRequest& request);

  // `authenticate`: why a request is not let in; thread-safe.
  explicit MetricsSink(Check authenticate)
      : authenticate_(std::move(authenticate)) {}

  void Serve(std::shared_ptr<HttpExchange> exchange) override;

 private:
  const Check authenticate_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_CLOUDWATCH_METRICS_SINK_H_
