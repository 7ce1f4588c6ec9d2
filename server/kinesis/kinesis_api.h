// KinesisApi is the Kinesis Data Streams API of an endpoint: it finds a call's
// operation, checks its input against the operation's shape, and runs it
// (kinesis-contract.md §1).
#ifndef TRIREME_SERVER_KINESIS_KINESIS_API_H_
#define TRIREME_SERVER_KINESIS_KINESIS_API_H_

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "server/aws/aws_call.h"
#include "server/kinesis/kinesis_call.h"
#include "server/served_broker.h"

namespace trireme {

class KinesisApi : public AwsApi {
 public:
  // `served` must outlive the API.
  explicit KinesisApi(const ServedBroker* served);

  absl::string_view target_prefix() const override {
    return "Kinesis_20131202";
  }
  bool Has(absl::string_view operation) const override {
    return operations_.contains(operation);
  }
  std::string WhyNot(absl::string_view operation) const override;
  void Run(std::shared_ptr<AwsCall> call) override;

 private:
  // Set at construction.
  const ServedBroker* const served_;
  absl::flat_hash_map<absl::string_view, KinesisOperation> operations_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_KINESIS_KINESIS_API_H_
