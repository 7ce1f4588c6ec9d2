// The methods of the Streams service that read and change settings: the
// messages of proto/trireme/v1/settings.proto.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/grpc/record_messages.h"
#include "server/grpc/stream_messages.h"
#include "server/grpc/streams_service.h"
#include "server/validation.h"

namespace trireme {
namespace {

using Commitment = v1::MinimumThroughputBillingCommitment;

template <typename Request>
MonitoringRequest MonitoringOf(const Request& message, bool enable) {
  return {AddressOf(message),
          {message.shard_level_metrics().begin(),
           message.shard_level_metrics().end()},
          enable};
}

template <typename Response>
Response ToMonitoring(const MonitoringResponse& changed,
                      const Account& account) {
  Response response;
  response.set_stream_name(changed.stream->name);
  response.set_stream_arn(StreamArn(account, changed.stream->name));
  for (const absl::string_view name : changed.before.Names()) {
    response.add_current_shard_level_metrics(std::string(name));
  }
  for (const absl::string_view name : changed.after.Names()) {
    response.add_desired_shard_level_metrics(std::string(name));
  }
  return response;
}

template <typename Request, typename Response>
void OnMonitoring(UnaryCallPtr<Request, Response> call, absl::Duration timeout,
                  bool enable) {
  const Request& message = call->request();
  call->broker().ChangeEnhancedMonitoring(
      MonitoringOf(message, enable), timeout,
      RespondWith(std::move(call), ToMonitoring<Response>));
}

void OnEnableEnhancedMonitoring(
    UnaryCallPtr<v1::EnableEnhancedMonitoringRequest,
                 v1::EnableEnhancedMonitoringResponse>
        call,
    absl::Duration timeout) {
  OnMonitoring(std::move(call), timeout, /*enable=*/true);
}

void OnDisableEnhancedMonitoring(
    UnaryCallPtr<v1::DisableEnhancedMonitoringRequest,
                 v1::DisableEnhancedMonitoringResponse>
        call,
    absl::Duration timeout) {
  OnMonitoring(std::move(call), timeout, /*enable=*/false);
}

template <typename Request>
absl::StatusOr<EncryptionRequest> EncryptionOf(const Request& message) {
  const v1::EncryptionType type = message.encryption_type();
  if (type != v1::KMS && type != v1::NONE) {
    return BadEnum("encryptionType", type, {"NONE", "KMS"});
  }
  return EncryptionRequest{AddressOf(message), type == v1::KMS,
                           message.key_id()};
}

void OnStartStreamEncryption(UnaryCallPtr<v1::StartStreamEncryptionRequest,
                                          v1::StartStreamEncryptionResponse>
                                 call,
                             absl::Duration timeout) {
  const auto request = EncryptionOf(call->request());
  if (!request.ok()) return call->Reply(request.status());
  call->broker().StartStreamEncryption(*request, timeout,
                                       Acknowledge(std::move(call)));
}

void OnStopStreamEncryption(UnaryCallPtr<v1::StopStreamEncryptionRequest,
                                         v1::StopStreamEncryptionResponse>
                                call,
                            absl::Duration timeout) {
  const auto request = EncryptionOf(call->request());
  if (!request.ok()) return call->Reply(request.status());
  call->broker().StopStreamEncryption(*request, timeout,
                                      Acknowledge(std::move(call)));
}

void OnUpdateStreamMode(
    UnaryCallPtr<v1::UpdateStreamModeRequest, v1::UpdateStreamModeResponse>
        call,
    absl::Duration timeout) {
  const v1::UpdateStreamModeRequest& message = call->request();
  const absl::StatusOr<StreamMode> mode = ModeOf(message.stream_mode_details());
  if (!mode.ok()) return call->Reply(mode.status());
  UpdateStreamModeRequest request{AddressOf(message), *mode};
  if (message.has_warm_throughput_mibps()) {
    request.warm_mibps = message.warm_throughput_mibps();
  }
  call->broker().UpdateStreamMode(request, timeout,
                                  Acknowledge(std::move(call)));
}

v1::UpdateStreamWarmThroughputResponse ToWarm(
    const UpdateWarmThroughputResponse& update, const Account& account) {
  v1::UpdateStreamWarmThroughputResponse response;
  response.set_stream_name(update.stream->name);
  response.set_stream_arn(StreamArn(account, update.stream->name));
  trireme::ToMessage(update.warm, response.mutable_warm_throughput());
  return response;
}

void OnUpdateStreamWarmThroughput(
    UnaryCallPtr<v1::UpdateStreamWarmThroughputRequest,
                 v1::UpdateStreamWarmThroughputResponse>
        call,
    absl::Duration timeout) {
  const v1::UpdateStreamWarmThroughputRequest& message = call->request();
  call->broker().UpdateStreamWarmThroughput(
      {AddressOf(message), message.warm_throughput_mibps()}, timeout,
      RespondWith(std::move(call), ToWarm));
}

void OnUpdateStreamRecordDistributionStrategy(
    UnaryCallPtr<v1::UpdateStreamRecordDistributionStrategyRequest,
                 v1::UpdateStreamRecordDistributionStrategyResponse>
        call,
    absl::Duration timeout) {
  const v1::UpdateStreamRecordDistributionStrategyRequest& message =
      call->request();
  const absl::StatusOr<RecordDistribution> distribution =
      DistributionOf(message.record_distribution_strategy());
  if (!distribution.ok()) return call->Reply(distribution.status());
  call->broker().UpdateStreamRecordDistributionStrategy(
      {AddressOf(message), *distribution}, timeout,
      Acknowledge(std::move(call)));
}

void OnPutResourcePolicy(
    UnaryCallPtr<v1::PutResourcePolicyRequest, v1::PutResourcePolicyResponse>
        call,
    absl::Duration timeout) {
  const v1::PutResourcePolicyRequest& message = call->request();
  call->broker().PutResourcePolicy({AddressOf(message), message.policy()},
                                   timeout, Acknowledge(std::move(call)));
}

v1::GetResourcePolicyResponse ToPolicy(const std::string& policy,
                                       const Account& /*account*/) {
  v1::GetResourcePolicyResponse response;
  response.set_policy(policy);
  return response;
}

void OnGetResourcePolicy(
    UnaryCallPtr<v1::GetResourcePolicyRequest, v1::GetResourcePolicyResponse>
        call,
    absl::Duration timeout) {
  const v1::GetResourcePolicyRequest& message = call->request();
  call->broker().GetResourcePolicy(AddressOf(message), timeout,
                                   RespondWith(std::move(call), ToPolicy));
}

void OnDeleteResourcePolicy(UnaryCallPtr<v1::DeleteResourcePolicyRequest,
                                         v1::DeleteResourcePolicyResponse>
                                call,
                            absl::Duration timeout) {
  const v1::DeleteResourcePolicyRequest& message = call->request();
  call->broker().DeleteResourcePolicy(AddressOf(message), timeout,
                                      Acknowledge(std::move(call)));
}

Commitment::Status ToMessage(CommitmentStatus status) {
  switch (status) {
    case CommitmentStatus::kDisabled:
      return Commitment::DISABLED;
    case CommitmentStatus::kEnabled:
      return Commitment::ENABLED;
    case CommitmentStatus::kEnding:
      return Commitment::ENABLED_UNTIL_EARLIEST_ALLOWED_END;
  }
  return Commitment::STATUS_UNSPECIFIED;
}

template <typename Response>
Response ToAccount(const AccountSettings& settings,
                   const Account& /*account*/) {
  const BillingCommitment& commitment = settings.commitment;
  Response response;
  Commitment& message =
      *response.mutable_minimum_throughput_billing_commitment();
  message.set_status(ToMessage(commitment.status));
  if (commitment.started) {
    ToTimestamp(*commitment.started, message.mutable_started_at());
  }
  if (commitment.ended) {
    ToTimestamp(*commitment.ended, message.mutable_ended_at());
  }
  if (commitment.earliest_end) {
    ToTimestamp(*commitment.earliest_end,
                message.mutable_earliest_allowed_end_at());
  }
  return response;
}

void OnDescribeAccountSettings(UnaryCallPtr<v1::DescribeAccountSettingsRequest,
                                            v1::DescribeAccountSettingsResponse>
                                   call,
                               absl::Duration timeout) {
  call->broker().DescribeAccountSettings(
      timeout, RespondWith(std::move(call),
                           ToAccount<v1::DescribeAccountSettingsResponse>));
}

void OnUpdateAccountSettings(UnaryCallPtr<v1::UpdateAccountSettingsRequest,
                                          v1::UpdateAccountSettingsResponse>
                                 call,
                             absl::Duration timeout) {
  const Commitment::Status status =
      call->request().minimum_throughput_billing_commitment().status();
  if (status != Commitment::ENABLED && status != Commitment::DISABLED) {
    return call->Reply(BadEnum("minimumThroughputBillingCommitment.status",
                               status, {"ENABLED", "DISABLED"}));
  }
  call->broker().UpdateAccountSettings(
      {status == Commitment::ENABLED}, timeout,
      RespondWith(std::move(call),
                  ToAccount<v1::UpdateAccountSettingsResponse>));
}

}  // namespace

void StreamsService::ServeSettings() {
  Serve("EnableEnhancedMonitoring", OnEnableEnhancedMonitoring);
  Serve("DisableEnhancedMonitoring", OnDisableEnhancedMonitoring);
  Serve("StartStreamEncryption", OnStartStreamEncryption);
  Serve("StopStreamEncryption", OnStopStreamEncryption);
  Serve("UpdateStreamMode", OnUpdateStreamMode);
  Serve("UpdateStreamWarmThroughput", OnUpdateStreamWarmThroughput);
  Serve("UpdateStreamRecordDistributionStrategy",
        OnUpdateStreamRecordDistributionStrategy);
  Serve("PutResourcePolicy", OnPutResourcePolicy);
  Serve("GetResourcePolicy", OnGetResourcePolicy);
  Serve("DeleteResourcePolicy", OnDeleteResourcePolicy);
  Serve("DescribeAccountSettings", OnDescribeAccountSettings);
  Serve("UpdateAccountSettings", OnUpdateAccountSettings);
}

}  // namespace trireme
