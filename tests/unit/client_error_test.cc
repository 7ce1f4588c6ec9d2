#include <gtest/gtest.h>

#include "client/error.h"
#include "tests/unit/fake_trireme.h"

namespace trireme::client {
namespace {

using testing::TypedError;

TEST(ErrorTest, DetailsOfTheTrailerAreDecoded) {
  const absl::Status status =
      FromGrpc(TypedError(grpc::StatusCode::RESOURCE_EXHAUSTED,
                          "ProvisionedThroughputExceededException",
                          "Slow down.", absl::Milliseconds(250)),
               "PutRecord");
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_EQ(status.message(), "Slow down.");
  EXPECT_EQ(Reason(status), "ProvisionedThroughputExceededException");
  EXPECT_EQ(FailedCall(status), "PutRecord");
  EXPECT_EQ(RetryDelay(status), absl::Milliseconds(250));
}

TEST(ErrorTest, BrokenDetailsAreNoReason) {
  const absl::Status status = FromGrpc(
      grpc::Status(grpc::StatusCode::NOT_FOUND, "x", "\xff\xff garbage"), "C");
  EXPECT_EQ(Reason(status), "");
  EXPECT_EQ(RetryDelay(status), std::nullopt);
}

TEST(ErrorTest, OnlyATypedUnavailableIsKnownNotToBeDone) {
  const auto classify = [](const grpc::Status& status) {
    return Classify(FromGrpc(status, "C"));
  };
  using grpc::StatusCode;
  EXPECT_EQ(classify(TypedError(StatusCode::UNAVAILABLE, "NoLeader", "")),
            Failure::kNotDone);
  EXPECT_EQ(classify(grpc::Status(StatusCode::UNAVAILABLE, "Socket closed")),
            Failure::kUnknown);
  EXPECT_EQ(classify(grpc::Status(StatusCode::DEADLINE_EXCEEDED, "")),
            Failure::kUnknown);
  EXPECT_EQ(classify(TypedError(StatusCode::NOT_FOUND,
                                "ResourceNotFoundException", "")),
            Failure::kRefused);
  // A message over gRPC's own limit will be so again.
  EXPECT_EQ(classify(grpc::Status(StatusCode::RESOURCE_EXHAUSTED, "too big")),
            Failure::kRefused);
}

}  // namespace
}  // namespace trireme::client
