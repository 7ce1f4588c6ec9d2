// The calls of Client that read and change settings, tags and policies.
#include <utility>

#include "client/client.h"
#include "client/status_macros.h"

namespace trireme::client {
namespace {

using TagMap = std::map<std::string, std::string>;

template <typename Response>
TagMap TagsOf(const Response& response) {
  TagMap tags;
  for (const v1::Tag& tag : response.tags()) tags[tag.key()] = tag.value();
  return tags;
}

}  // namespace

absl::Status Client::UpdateMaxRecordSize(absl::string_view name, int kib) {
  v1::UpdateMaxRecordSizeRequest request;
  request.set_stream_name(std::string(name));
  request.set_max_record_size_in_kib(kib);
  v1::UpdateMaxRecordSizeResponse response;
  return CallStreams("UpdateMaxRecordSize", Repeat::kFreely,
                     &v1::Streams::Stub::UpdateMaxRecordSize, request,
                     &response);
}

absl::StatusOr<std::vector<v1::ScalingDecision>> Client::ListScalingDecisions(
    absl::string_view name) {
  v1::ListScalingDecisionsRequest request;
  request.set_stream_name(std::string(name));
  v1::ListScalingDecisionsResponse response;
  CLIENT_RETURN_IF_ERROR(CallStreams("ListScalingDecisions", Repeat::kFreely,
                                     &v1::Streams::Stub::ListScalingDecisions,
                                     request, &response));
  return std::vector<v1::ScalingDecision>(response.scaling_decisions().begin(),
                                          response.scaling_decisions().end());
}

absl::StatusOr<v1::DescribeLimitsResponse> Client::DescribeLimits() {
  v1::DescribeLimitsRequest request;
  v1::DescribeLimitsResponse response;
  CLIENT_RETURN_IF_ERROR(CallStreams("DescribeLimits", Repeat::kFreely,
                                     &v1::Streams::Stub::DescribeLimits,
                                     request, &response));
  return response;
}

absl::Status Client::AddTags(absl::string_view name, const TagMap& tags) {
  v1::AddTagsToStreamRequest request;
  request.set_stream_name(std::string(name));
  request.mutable_tags()->insert(tags.begin(), tags.end());
  v1::AddTagsToStreamResponse response;
  return CallStreams("AddTagsToStream", Repeat::kFreely,
                     &v1::Streams::Stub::AddTagsToStream, request, &response);
}

absl::Status Client::RemoveTags(absl::string_view name,
                                const std::vector<std::string>& keys) {
  v1::RemoveTagsFromStreamRequest request;
  request.set_stream_name(std::string(name));
  for (const std::string& key : keys) request.add_tag_keys(key);
  v1::RemoveTagsFromStreamResponse response;
  return CallStreams("RemoveTagsFromStream", Repeat::kFreely,
                     &v1::Streams::Stub::RemoveTagsFromStream, request,
                     &response);
}

absl::StatusOr<TagMap> Client::ListTags(absl::string_view name) {
  v1::ListTagsForStreamRequest request;
  request.set_stream_name(std::string(name));
  v1::ListTagsForStreamResponse response;
  CLIENT_RETURN_IF_ERROR(CallStreams("ListTagsForStream", Repeat::kFreely,
                                     &v1::Streams::Stub::ListTagsForStream,
                                     request, &response));
  return TagsOf(response);
}

absl::Status Client::TagResource(absl::string_view arn, const TagMap& tags) {
  v1::TagResourceRequest request;
  request.set_resource_arn(std::string(arn));
  request.mutable_tags()->insert(tags.begin(), tags.end());
  v1::TagResourceResponse response;
  return CallStreams("TagResource", Repeat::kFreely,
                     &v1::Streams::Stub::TagResource, request, &response);
}

absl::Status Client::UntagResource(absl::string_view arn,
                                   const std::vector<std::string>& keys) {
  v1::UntagResourceRequest request;
  request.set_resource_arn(std::string(arn));
  for (const std::string& key : keys) request.add_tag_keys(key);
  v1::UntagResourceResponse response;
  return CallStreams("UntagResource", Repeat::kFreely,
                     &v1::Streams::Stub::UntagResource, request, &response);
}

absl::StatusOr<TagMap> Client::ListTagsForResource(absl::string_view arn) {
  v1::ListTagsForResourceRequest request;
  request.set_resource_arn(std::string(arn));
  v1::ListTagsForResourceResponse response;
  CLIENT_RETURN_IF_ERROR(CallStreams("ListTagsForResource", Repeat::kFreely,
                                     &v1::Streams::Stub::ListTagsForResource,
                                     request, &response));
  return TagsOf(response);
}

absl::Status Client::PutResourcePolicy(absl::string_view arn,
                                       absl::string_view policy) {
  v1::PutResourcePolicyRequest request;
  request.set_resource_arn(std::string(arn));
  request.set_policy(std::string(policy));
  v1::PutResourcePolicyResponse response;
  return CallStreams("PutResourcePolicy", Repeat::kFreely,
                     &v1::Streams::Stub::PutResourcePolicy, request, &response);
}

absl::StatusOr<std::string> Client::GetResourcePolicy(absl::string_view arn) {
  v1::GetResourcePolicyRequest request;
  request.set_resource_arn(std::string(arn));
  v1::GetResourcePolicyResponse response;
  CLIENT_RETURN_IF_ERROR(CallStreams("GetResourcePolicy", Repeat::kFreely,
                                     &v1::Streams::Stub::GetResourcePolicy,
                                     request, &response));
  return std::move(*response.mutable_policy());
}

absl::Status Client::DeleteResourcePolicy(absl::string_view arn) {
  v1::DeleteResourcePolicyRequest request;
  request.set_resource_arn(std::string(arn));
  v1::DeleteResourcePolicyResponse response;
  return CallStreams("DeleteResourcePolicy", Repeat::kWhenNotDone,
                     &v1::Streams::Stub::DeleteResourcePolicy, request,
                     &response);
}

absl::StatusOr<v1::EnableEnhancedMonitoringResponse>
Client::EnableEnhancedMonitoring(
    const v1::EnableEnhancedMonitoringRequest& request) {
  v1::EnableEnhancedMonitoringResponse response;
  CLIENT_RETURN_IF_ERROR(CallStreams(
      "EnableEnhancedMonitoring", Repeat::kWhenNotDone,
      &v1::Streams::Stub::EnableEnhancedMonitoring, request, &response));
  return response;
}

absl::StatusOr<v1::DisableEnhancedMonitoringResponse>
Client::DisableEnhancedMonitoring(
    const v1::DisableEnhancedMonitoringRequest& request) {
  v1::DisableEnhancedMonitoringResponse response;
  CLIENT_RETURN_IF_ERROR(CallStreams(
      "DisableEnhancedMonitoring", Repeat::kWhenNotDone,
      &v1::Streams::Stub::DisableEnhancedMonitoring, request, &response));
  return response;
}

absl::Status Client::StartStreamEncryption(absl::string_view name,
                                           absl::string_view key_id) {
  v1::StartStreamEncryptionRequest request;
  request.set_stream_name(std::string(name));
  request.set_encryption_type(v1::KMS);
  request.set_key_id(std::string(key_id));
  v1::StartStreamEncryptionResponse response;
  return CallStreams("StartStreamEncryption", Repeat::kWhenNotDone,
                     &v1::Streams::Stub::StartStreamEncryption, request,
                     &response);
}

absl::Status Client::StopStreamEncryption(absl::string_view name,
                                          absl::string_view key_id) {
  v1::StopStreamEncryptionRequest request;
  request.set_stream_name(std::string(name));
  request.set_encryption_type(v1::KMS);
  request.set_key_id(std::string(key_id));
  v1::StopStreamEncryptionResponse response;
  return CallStreams("StopStreamEncryption", Repeat::kWhenNotDone,
                     &v1::Streams::Stub::StopStreamEncryption, request,
                     &response);
}

absl::Status Client::UpdateStreamMode(
    const v1::UpdateStreamModeRequest& request) {
  v1::UpdateStreamModeResponse response;
  return CallStreams("UpdateStreamMode", Repeat::kWhenNotDone,
                     &v1::Streams::Stub::UpdateStreamMode, request, &response);
}

absl::StatusOr<v1::UpdateStreamWarmThroughputResponse>
Client::UpdateStreamWarmThroughput(absl::string_view name, int mibps) {
  v1::UpdateStreamWarmThroughputRequest request;
  request.set_stream_name(std::string(name));
  request.set_warm_throughput_mibps(mibps);
  v1::UpdateStreamWarmThroughputResponse response;
  CLIENT_RETURN_IF_ERROR(CallStreams(
      "UpdateStreamWarmThroughput", Repeat::kWhenNotDone,
      &v1::Streams::Stub::UpdateStreamWarmThroughput, request, &response));
  return response;
}

absl::Status Client::UpdateStreamRecordDistributionStrategy(
    absl::string_view name, v1::RecordDistributionStrategy strategy) {
  v1::UpdateStreamRecordDistributionStrategyRequest request;
  request.set_stream_name(std::string(name));
  request.set_record_distribution_strategy(strategy);
  v1::UpdateStreamRecordDistributionStrategyResponse response;
  return CallStreams("UpdateStreamRecordDistributionStrategy", Repeat::kFreely,
                     &v1::Streams::Stub::UpdateStreamRecordDistributionStrategy,
                     request, &response);
}

absl::StatusOr<v1::MinimumThroughputBillingCommitment>
Client::DescribeAccountSettings() {
  v1::DescribeAccountSettingsRequest request;
  v1::DescribeAccountSettingsResponse response;
  CLIENT_RETURN_IF_ERROR(CallStreams(
      "DescribeAccountSettings", Repeat::kFreely,
      &v1::Streams::Stub::DescribeAccountSettings, request, &response));
  return std::move(*response.mutable_minimum_throughput_billing_commitment());
}

absl::StatusOr<v1::MinimumThroughputBillingCommitment>
Client::UpdateAccountSettings(
    v1::MinimumThroughputBillingCommitment::Status commitment) {
  v1::UpdateAccountSettingsRequest request;
  request.mutable_minimum_throughput_billing_commitment()->set_status(
      commitment);
  v1::UpdateAccountSettingsResponse response;
  CLIENT_RETURN_IF_ERROR(CallStreams("UpdateAccountSettings", Repeat::kFreely,
                                     &v1::Streams::Stub::UpdateAccountSettings,
                                     request, &response));
  return std::move(*response.mutable_minimum_throughput_billing_commitment());
}

}  // namespace trireme::client
