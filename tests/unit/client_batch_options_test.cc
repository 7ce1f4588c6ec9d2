#include <functional>
#include <string>

#include "client/batch_processor.h"
#include "client/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace trireme::client {
namespace {

std::string Refusal(const std::function<void(BatchOptions&)>& change) {
  BatchOptions options;
  change(options);
  const auto factory = MakeBatchProcessorFactory(
      options, [](const ShardLease&) { return nullptr; });
  if (factory.ok()) return "";
  EXPECT_EQ(factory.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Reason(factory.status()), "InvalidArgumentException");
  return std::string(factory.status().message());
}

TEST(BatchOptionsTest, RefusalsNameTheValueAndTheRange) {
  EXPECT_EQ(Refusal([](BatchOptions& o) { o.batch_size = 0; }),
            "batch_size is 0; it must be 1 to 10000");
  EXPECT_EQ(Refusal([](BatchOptions& o) { o.batch_size = 10'001; }),
            "batch_size is 10001; it must be 1 to 10000");
  EXPECT_EQ(Refusal([](BatchOptions& o) { o.batch_bytes_max = 0; }),
            "batch_bytes_max is 0; it must be 1 to 67108864");
  EXPECT_EQ(
      Refusal([](BatchOptions& o) { o.batching_window = absl::Minutes(6); }),
      "batching_window is 6m; it must be 0 to 300 s");
  EXPECT_EQ(Refusal([](BatchOptions& o) { o.parallelization_factor = 11; }),
            "parallelization_factor is 11; it must be 1 to 10");
  EXPECT_EQ(
      Refusal([](BatchOptions& o) { o.max_record_age = absl::Seconds(59); }),
      "max_record_age is 59s; it must be 60 to 604800 s");
  EXPECT_EQ(Refusal([](BatchOptions& o) { o.max_retry_attempts = -2; }),
            "max_retry_attempts is -2; it must be -1 to 10000");
  EXPECT_EQ(
      Refusal([](BatchOptions& o) { o.tumbling_window = absl::Seconds(901); }),
      "tumbling_window is 15m1s; it must be 0 to 900 s");
  EXPECT_EQ(Refusal([](BatchOptions& o) {
              o.tumbling_window = absl::Milliseconds(1500);
            }),
            "tumbling_window is 1.5s; it must be whole seconds");
  EXPECT_EQ(Refusal([](BatchOptions& o) { o.now = nullptr; }),
            "now is not set; it must tell the time");
}

TEST(BatchOptionsTest, TheEndsOfTheRangesAreTaken) {
  EXPECT_EQ(Refusal([](BatchOptions&) {}), "");
  EXPECT_EQ(Refusal([](BatchOptions& o) {
              o.batch_size = 1;
              o.max_retry_attempts = 10'000;
              o.max_record_age = absl::Seconds(60);
              o.parallelization_factor = 10;
            }),
            "");
  EXPECT_EQ(Refusal([](BatchOptions& o) {
              o.batch_size = 10'000;
              o.max_retry_attempts = 0;
              o.max_record_age = absl::Seconds(604'800);
              o.batching_window = absl::Seconds(300);
              o.tumbling_window = absl::Seconds(900);
            }),
            "");
}

TEST(BatchOptionsTest, AWindowAndParallelBatchesExcludeEachOther) {
  EXPECT_EQ(Refusal([](BatchOptions& o) {
              o.tumbling_window = absl::Seconds(60);
              o.parallelization_factor = 2;
            }),
            "parallelization_factor is 2; with a tumbling_window it must be 1");
}

TEST(BatchOptionsTest, ABadFilterAndAMissingFunctionAreRefused) {
  EXPECT_THAT(Refusal([](BatchOptions& o) { o.filters = {"{"}; }),
              testing::StartsWith("filters[0]: is not JSON"));
  EXPECT_FALSE(MakeBatchProcessorFactory({}, nullptr).ok());
}

}  // namespace
}  // namespace trireme::client
