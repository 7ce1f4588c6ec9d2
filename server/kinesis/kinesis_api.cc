#include "server/kinesis/kinesis_api.h"

#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/kinesis/operations.h"
#include "server/validation.h"
#include "spdlog/spdlog.h"

namespace trireme {
namespace {

// Operations of Kinesis that the Broker does not have (kinesis-contract.md
// §1.9, §1.10).
bool IsOfChannelsOrQueues(absl::string_view operation) {
  return absl::StrContains(operation, "Channel") ||
         absl::StrContains(operation, "Queue");
}

}  // namespace

KinesisApi::KinesisApi(const ServedBroker* served) : served_(served) {
  for (KinesisOperation& operation : AllKinesisOperations()) {
    const absl::string_view name = operation.name;
    operations_.emplace(name, std::move(operation));
  }
}

std::string KinesisApi::WhyNot(absl::string_view operation) const {
  if (IsOfChannelsOrQueues(operation)) {
    return absl::StrCat("Trireme has no channels and no queues, and so no ",
                        operation, ".");
  }
  return "";
}

void KinesisApi::Run(std::shared_ptr<AwsCall> call) {
  const KinesisOperation& operation = operations_.at(call->operation());
  if (const std::optional<std::string> wrong =
          operation.input.CheckTypes(call->format(), &call->message())) {
    return call->Fail({400, "SerializationException", *wrong});
  }
  Violations violations;
  if (operation.check != nullptr) {
    operation.check(call->message(), &violations);
  }
  operation.input.CheckConstraints(call->message(), &violations);
  if (!violations.empty()) {
    return call->Fail(ToAwsError(violations.ToStatus()));
  }
  const absl::StatusOr<Broker*> broker = served_->Get();
  if (!broker.ok()) return call->Fail(ToAwsError(broker.status()));
  // An operation that reads what its shape does not say is our fault; it must
  // not end the process and every other call with it.
  try {
    operation.run(std::make_shared<KinesisCall>(call, *broker));
  } catch (const nlohmann::json::exception& exception) {
    spdlog::error("{} failed: {}", std::string(operation.name),
                  exception.what());
    call->Fail({500, "InternalFailureException",
                "this node failed to read the request; its log says more"});
  }
}

}  // namespace trireme
