#include "storage/token_bucket.h"

#include "gtest/gtest.h"

namespace trireme {
namespace {

constexpr Rate kRate{5, 10};  // A second, at once.
constexpr absl::Duration kNow = absl::Hours(3);

TEST(TokenBucketTest, AFullBucketGivesItsBurstAtOnceAndThenItsRate) {
  TokenBucket bucket;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(bucket.WaitFor(kRate, 1, kNow), absl::ZeroDuration());
    bucket.Take(kRate, 1, kNow);
  }
  EXPECT_EQ(bucket.WaitFor(kRate, 1, kNow), absl::Milliseconds(200));
  EXPECT_EQ(bucket.WaitFor(kRate, 3, kNow), absl::Milliseconds(600));
  const absl::Duration later = kNow + absl::Milliseconds(200);
  EXPECT_EQ(bucket.WaitFor(kRate, 1, later), absl::ZeroDuration());
  bucket.Take(kRate, 1, later);
  EXPECT_EQ(bucket.WaitFor(kRate, 1, later), absl::Milliseconds(200));
}

TEST(TokenBucketTest, ItHoldsNoMoreThanItsBurstHoweverLongItIsLeft) {
  TokenBucket bucket;
  bucket.Take(kRate, 10, kNow);
  EXPECT_FALSE(bucket.IsFull(kNow));
  const absl::Duration later = kNow + absl::Hours(1);
  EXPECT_TRUE(bucket.IsFull(later));
  bucket.Take(kRate, 10, later);
  EXPECT_GT(bucket.WaitFor(kRate, 1, later), absl::ZeroDuration());
}

TEST(TokenBucketTest, ADebtIsPaidBeforeAnythingPasses) {
  TokenBucket bucket;
  bucket.Take(kRate, 25, kNow);  // 15 more than it held.
  EXPECT_EQ(bucket.WaitFor(kRate, 0, kNow), absl::Seconds(3));
  EXPECT_EQ(bucket.WaitFor(kRate, 1, kNow), absl::Seconds(3.2));
  EXPECT_EQ(bucket.WaitUntilFull(kNow), absl::Seconds(5));
}

TEST(TokenBucketTest, WhatIsLargerThanTheBurstPassesWhenItIsFull) {
  TokenBucket bucket;
  EXPECT_EQ(bucket.WaitFor(kRate, 50, kNow), absl::ZeroDuration());
  bucket.Take(kRate, 1, kNow);
  EXPECT_EQ(bucket.WaitFor(kRate, 50, kNow), absl::Milliseconds(200));
}

}  // namespace
}  // namespace trireme
