#include <grpcpp/grpcpp.h>

#include <string>

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "server/grpc/grpc_status.h"
#include "tests/unit/grpc_server_fixture.h"
#include "tests/unit/raw_call.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;

TEST_F(GrpcServerTest, SettingsAreChangedAndDescribed) {
  CreateStream("s", 1);
  const std::string arn = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
  {
    grpc::ClientContext context;
    v1::PutResourcePolicyRequest request;
    request.set_resource_arn(arn);
    request.set_policy("{\"a\": 1}");
    v1::PutResourcePolicyResponse response;
    ASSERT_TRUE(streams_->PutResourcePolicy(&context, request, &response).ok());
  }
  {
    grpc::ClientContext context;
    v1::GetResourcePolicyRequest request;
    request.set_resource_arn(arn);
    v1::GetResourcePolicyResponse response;
    ASSERT_TRUE(streams_->GetResourcePolicy(&context, request, &response).ok());
    EXPECT_EQ(response.policy(), "{\"a\": 1}");
  }
  {
    grpc::ClientContext context;
    v1::EnableEnhancedMonitoringRequest request;
    request.set_stream_name("s");
    request.add_shard_level_metrics("OutgoingBytes");
    v1::EnableEnhancedMonitoringResponse response;
    ASSERT_TRUE(
        streams_->EnableEnhancedMonitoring(&context, request, &response).ok());
    EXPECT_EQ(response.stream_arn(), arn);
    EXPECT_EQ(response.current_shard_level_metrics_size(), 0);
    ASSERT_EQ(response.desired_shard_level_metrics_size(), 1);
  }
  {
    grpc::ClientContext context;
    v1::StartStreamEncryptionRequest request;
    request.set_stream_name("s");
    request.set_key_id("alias/k");
    v1::StartStreamEncryptionResponse response;
    // The type is not optional.
    EXPECT_EQ(streams_->StartStreamEncryption(&context, request, &response)
                  .error_code(),
              grpc::StatusCode::INVALID_ARGUMENT);
    grpc::ClientContext again;
    request.set_encryption_type(v1::KMS);
    ASSERT_TRUE(
        streams_->StartStreamEncryption(&again, request, &response).ok());
  }
  grpc::ClientContext context;
  v1::DescribeStreamRequest request;
  request.set_stream_name("s");
  v1::DescribeStreamResponse response;
  ASSERT_TRUE(streams_->DescribeStream(&context, request, &response).ok());
  const v1::StreamDescription& stream = response.stream_description();
  ASSERT_EQ(stream.enhanced_monitoring_size(), 1);
  ASSERT_EQ(stream.enhanced_monitoring(0).shard_level_metrics_size(), 1);
  EXPECT_EQ(stream.enhanced_monitoring(0).shard_level_metrics(0),
            "OutgoingBytes");
  EXPECT_EQ(stream.encryption_type(), v1::KMS);
  EXPECT_EQ(stream.key_id(), "alias/k");
}

TEST_F(GrpcServerTest, AnAutoStreamIsNamedByItsId) {
  {
    grpc::ClientContext context;
    v1::CreateStreamRequest request;
    request.set_stream_name("s");
    request.mutable_stream_mode_details()->set_stream_mode(v1::ON_DEMAND);
    request.set_record_distribution_strategy(v1::AUTO);
    v1::CreateStreamResponse response;
    ASSERT_TRUE(streams_->CreateStream(&context, request, &response).ok());
  }
  v1::StreamDescriptionSummary summary;
  while (summary.stream_status() != v1::ACTIVE) {
    grpc::ClientContext context;
    v1::DescribeStreamSummaryRequest request;
    request.set_stream_name("s");
    v1::DescribeStreamSummaryResponse response;
    ASSERT_TRUE(
        streams_->DescribeStreamSummary(&context, request, &response).ok());
    summary = response.stream_description_summary();
  }
  EXPECT_EQ(summary.stream_mode_details().stream_mode(), v1::ON_DEMAND);
  EXPECT_EQ(summary.record_distribution_strategy(), v1::AUTO);
  EXPECT_EQ(summary.open_shard_count(), 4);
  EXPECT_FALSE(summary.has_warm_throughput());

  v1::PutRecordRequest put;
  put.set_stream_id(summary.stream_id());
  put.set_data("no key");
  put.set_dry_run(true);
  v1::PutRecordResponse response;
  {
    grpc::ClientContext context;
    const grpc::Status status = records_->PutRecord(&context, put, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(status.error_message(),
              "Request would have succeeded, but DryRun flag is set.");
  }
  put.set_dry_run(false);
  grpc::ClientContext context;
  EXPECT_TRUE(records_->PutRecord(&context, put, &response).ok());
}

TEST_F(GrpcServerTest, ModesThatAreNoneAreRefused) {
  CreateStream("s", 1);
  grpc::ClientContext context;
  v1::UpdateStreamModeRequest request;
  request.set_stream_name("s");
  v1::UpdateStreamModeResponse response;
  const grpc::Status status =
      streams_->UpdateStreamMode(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(),
              HasSubstr("Member must satisfy enum value set: [PROVISIONED, "
                        "ON_DEMAND]"));
}

TEST_F(GrpcServerTest, TheAccountIsChangedAndDescribed) {
  using Commitment = v1::MinimumThroughputBillingCommitment;
  const auto update = [this](Commitment::Status status, Commitment* updated) {
    grpc::ClientContext context;
    v1::UpdateAccountSettingsRequest request;
    request.mutable_minimum_throughput_billing_commitment()->set_status(status);
    v1::UpdateAccountSettingsResponse response;
    const grpc::Status answer =
        streams_->UpdateAccountSettings(&context, request, &response);
    *updated = response.minimum_throughput_billing_commitment();
    return answer;
  };
  Commitment commitment;
  EXPECT_FALSE(
      update(Commitment::ENABLED_UNTIL_EARLIEST_ALLOWED_END, &commitment).ok());
  ASSERT_TRUE(update(Commitment::ENABLED, &commitment).ok());
  EXPECT_EQ(commitment.status(), Commitment::ENABLED);
  EXPECT_EQ(commitment.earliest_allowed_end_at().seconds(),
            commitment.started_at().seconds() + 86'400);
  EXPECT_FALSE(commitment.has_ended_at());
  ASSERT_TRUE(update(Commitment::DISABLED, &commitment).ok());
  grpc::ClientContext context;
  v1::DescribeAccountSettingsResponse described;
  ASSERT_TRUE(
      streams_
          ->DescribeAccountSettings(
              &context, v1::DescribeAccountSettingsRequest(), &described)
          .ok());
  EXPECT_EQ(described.minimum_throughput_billing_commitment().status(),
            Commitment::ENABLED_UNTIL_EARLIEST_ALLOWED_END);
}

}  // namespace
}  // namespace trireme
