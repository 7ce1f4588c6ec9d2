#include "replication/rate_ledger.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace trireme {
namespace {

constexpr Rate kCalls{5, 5};
constexpr Rate kBytes{100, 100};
constexpr absl::Duration kNow = absl::Hours(3);

RateCharge Call() { return {"calls", kCalls}; }
RateCharge MayRead() { return {"bytes", kBytes, 0}; }
RateCharge HasRead(uint64_t bytes) { return {"bytes", kBytes, bytes, true}; }

TEST(RateLedgerTest, BucketsOfDifferentNamesAreCountedApart) {
  RateLedger ledger;
  EXPECT_EQ(ledger.Take({{"a", {1, 1}}}, kNow), absl::ZeroDuration());
  EXPECT_EQ(ledger.Take({{"b", {1, 1}}}, kNow), absl::ZeroDuration());
  EXPECT_EQ(ledger.Take({{"a", {1, 1}}}, kNow), absl::Seconds(1));
}

TEST(RateLedgerTest, OfSeveralChargesAllAreTakenOrNone) {
  RateLedger ledger;
  EXPECT_EQ(ledger.Take({HasRead(300)}, kNow), absl::ZeroDuration());
  // Refused for the bytes: the call is not counted.
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(ledger.Take({Call(), MayRead()}, kNow), absl::Seconds(3));
  }
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(ledger.Take({Call()}, kNow), absl::ZeroDuration());
  }
  EXPECT_EQ(ledger.Take({Call()}, kNow), absl::Milliseconds(200));
}

TEST(RateLedgerTest, WhatIsOverdrawnGivesNothingUntilItIsFull) {
  RateLedger ledger;
  ledger.Take({HasRead(100)}, kNow);
  EXPECT_EQ(ledger.Take({MayRead()}, kNow), absl::ZeroDuration());
  ledger.Take({HasRead(50)}, kNow);
  EXPECT_EQ(ledger.Take({MayRead()}, kNow), absl::Seconds(1.5));
  EXPECT_EQ(ledger.Take({MayRead()}, kNow + absl::Seconds(1)),
            absl::Seconds(0.5));
  const absl::Duration later = kNow + absl::Seconds(1.5);
  EXPECT_EQ(ledger.Take({MayRead()}, later), absl::ZeroDuration());
  ledger.Take({HasRead(100)}, later);
  EXPECT_EQ(ledger.Take({MayRead()}, later), absl::ZeroDuration());
}

TEST(RateLedgerTest, FullBucketsAreForgotten) {
  RateLedger ledger;
  for (int i = 0; i < 100'000; ++i) {
    ledger.Take({{absl::StrCat("of-", i), kCalls}},
                kNow + i * absl::Milliseconds(10));
  }
  EXPECT_LE(ledger.size(), 1024u);
}

}  // namespace
}  // namespace trireme
