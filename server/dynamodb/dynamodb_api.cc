#include "server/dynamodb/dynamodb_api.h"

#include <utility>

#include "server/dynamodb/dynamodb.h"

namespace trireme {

void DynamoDbApi::Run(std::shared_ptr<AwsCall> call) {
  if (call->format() != MessageFormat::kJson) {
    return call->Fail(
        {400, "SerializationException", "DynamoDB is spoken in JSON here."});
  }
  const absl::StatusOr<Broker*> broker = served_->Get();
  if (!broker.ok()) return call->Fail(ToAwsError(broker.status()));
  AwsCall& served = *call;
  dynamodb::DynamoDb(*broker).Serve(
      served.operation(), std::move(served.message()),
      [call = std::move(call)](dynamodb::Answer answer) {
        if (answer.status == 200) {
          return call->Respond(absl::Cord(std::move(answer.body)));
        }
        // Its body names the error.
        call->Fail({answer.status}, std::move(answer.body));
      });
}

}  // namespace trireme
