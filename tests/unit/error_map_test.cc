#include "server/error_map.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/errors.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ErrorMapTest, EveryReasonHasItsCodeAndName) {
  struct Row {
    ErrorReason reason;
    absl::StatusCode code;
    const char* name;
    bool retry;
  };
  const Row rows[] = {
      {ErrorReason::kResourceNotFound, absl::StatusCode::kNotFound,
       "ResourceNotFoundException", false},
      {ErrorReason::kResourceInUse, absl::StatusCode::kFailedPrecondition,
       "ResourceInUseException", false},
      {ErrorReason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
       "InvalidArgumentException", false},
      {ErrorReason::kExpiredIterator, absl::StatusCode::kInvalidArgument,
       "ExpiredIteratorException", false},
      {ErrorReason::kProvisionedThroughputExceeded,
       absl::StatusCode::kResourceExhausted,
       "ProvisionedThroughputExceededException", true},
      {ErrorReason::kOverloaded, absl::StatusCode::kResourceExhausted,
       "Overloaded", true},
      {ErrorReason::kDiskFull, absl::StatusCode::kResourceExhausted, "DiskFull",
       true},
      {ErrorReason::kNoLeader, absl::StatusCode::kUnavailable, "NoLeader",
       true},
      {ErrorReason::kNodeStarting, absl::StatusCode::kUnavailable,
       "NodeStarting", true},
      {ErrorReason::kOutcomeUnknown, absl::StatusCode::kDeadlineExceeded,
       "OutcomeUnknown", false},
      {ErrorReason::kShardSealed, absl::StatusCode::kUnavailable, "ShardSealed",
       true},
  };
  for (const Row& row : rows) {
    const ErrorDescription error = DescribeError(MakeError(row.reason, "why"));
    EXPECT_EQ(error.code, row.code) << row.name;
    EXPECT_EQ(error.reason, row.name);
    EXPECT_EQ(error.message, "why");
    EXPECT_EQ(error.retry_after.has_value(), row.retry) << row.name;
  }
}

TEST(ErrorMapTest, WhatAnErrorSaysOfItsEndCountsMoreThanItsReason) {
  const auto retry_after = [](ErrorReason reason) {
    return DescribeError(
               WithRetryAfter(MakeError(reason, "why"), absl::Milliseconds(40)))
        .retry_after;
  };
  EXPECT_EQ(retry_after(ErrorReason::kProvisionedThroughputExceeded),
            absl::Milliseconds(40));
  // Of a rate it passes; of a number of shards it does not.
  EXPECT_EQ(retry_after(ErrorReason::kLimitExceeded), absl::Milliseconds(40));
  EXPECT_EQ(
      DescribeError(MakeError(ErrorReason::kLimitExceeded, "why")).retry_after,
      std::nullopt);
}

TEST(ErrorMapTest, AnErrorWithoutReasonIsAnInternalFailure) {
  const ErrorDescription error = DescribeError(absl::DataLossError("rotten"));
  EXPECT_EQ(error.code, absl::StatusCode::kInternal);
  EXPECT_EQ(error.reason, "InternalFailureException");
}

TEST(ErrorMapTest, NobodyIsToldOfTheNodesFiles) {
  for (const absl::Status& status :
       {absl::DataLossError("Corruption: /var/lib/trireme/store/000012.sst"),
        absl::InternalError("IO error: /var/lib/trireme/store/000012.sst")}) {
    EXPECT_THAT(DescribeError(status).message, Not(HasSubstr("/var")));
    EXPECT_THAT(DescribeError(status).message, HasSubstr("its log says more"));
    EXPECT_THAT(DescribeRecordError(status).message, Not(HasSubstr("/var")));
  }
}

TEST(ErrorMapTest, RecordsReportThrottlingOrInternalFailureOnly) {
  EXPECT_EQ(DescribeRecordError(MakeError(ErrorReason::kNoLeader, "x")).code,
            "ProvisionedThroughputExceededException");
  EXPECT_EQ(DescribeRecordError(MakeError(ErrorReason::kDiskFull, "x")).code,
            "ProvisionedThroughputExceededException");
  // May have been written: a client must not take it for throttled.
  EXPECT_EQ(
      DescribeRecordError(MakeError(ErrorReason::kOutcomeUnknown, "x")).code,
      "InternalFailure");
}

TEST(ViolationsTest, OneViolationReadsAsTheServiceSaysIt) {
  Violations violations;
  violations.CheckLength("partitionKey", "", 0, 1, 256);
  const absl::Status status = violations.ToStatus();
  EXPECT_EQ(status.message(),
            "1 validation error detected: Value '' at 'partitionKey' failed to "
            "satisfy constraint: Member must have length greater than or equal "
            "to 1");
  const ErrorDescription error = DescribeError(status);
  EXPECT_EQ(error.reason, "ValidationException");
  ASSERT_EQ(error.violations.size(), 1u);
  EXPECT_EQ(error.violations[0].member, "partitionKey");
}

TEST(ViolationsTest, ManyViolationsAreCountedAndTenAreTold) {
  Violations violations;
  for (int i = 0; i < 30; ++i) violations.CheckRange("limit", 0, 1, 10);
  const absl::Status status = violations.ToStatus();
  EXPECT_EQ(status.message().substr(0, 30), "30 validation errors detected:");
  EXPECT_EQ(ViolationsOf(status).size(), 10u);
}

TEST(ViolationsTest, CharactersAreCodePointsAndNumbersAreDecimal) {
  EXPECT_EQ(Utf8Characters("aé€😀"), 4u);
  EXPECT_TRUE(IsDecimal("0", 39));
  EXPECT_TRUE(IsDecimal("340282366920938463463374607431768211455", 39));
  for (const char* bad : {"", "00", "01", "-1", "+1", " 1", "1 ", "1e3"}) {
    EXPECT_FALSE(IsDecimal(bad, 39)) << bad;
  }
  EXPECT_FALSE(IsDecimal(std::string(40, '1'), 39));
}

}  // namespace
}  // namespace trireme
