// DynamoDbApi is the DynamoDB of an endpoint: the part of it that the KCL needs
// (docs/decisions/0012-tables-for-kcl.md).
#ifndef TRIREME_SERVER_DYNAMODB_DYNAMODB_API_H_
#define TRIREME_SERVER_DYNAMODB_DYNAMODB_API_H_

#include <memory>
#include <string>

#include "server/aws/aws_call.h"
#include "server/served_broker.h"

namespace trireme {

class DynamoDbApi : public AwsApi {
 public:
  // `served` must outlive the API.
  explicit DynamoDbApi(const ServedBroker* served) : served_(served) {}

  absl::string_view target_prefix() const override {
    return "DynamoDB_20120810";
  }
  // Says itself what it does not have, in DynamoDB's words.
  bool Has(absl::string_view) const override { return true; }
  std::string WhyNot(absl::string_view) const override { return ""; }
  void Run(std::shared_ptr<AwsCall> call) override;

 private:
  const ServedBroker* const served_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_DYNAMODB_DYNAMODB_API_H_
