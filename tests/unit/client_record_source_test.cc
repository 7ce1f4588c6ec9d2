#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/record_source.h"
#include "client/subscriber.h"
#include "tests/unit/fake_trireme.h"

namespace trireme::client {
namespace {

using testing::FakeTrireme;

constexpr char kShard[] = "shardId-000000000000";
constexpr absl::Duration kPatience = absl::Seconds(20);

TEST(RecordSourceTest, WhatWasPushedMeanwhileIsOnePage) {
  constexpr size_t kRecords = 60;
  FakeTrireme fake;
  fake.SetPageSizes(100, 100, 1);  // Each record comes in an event of its own.
  auto client =
      Client::Create({.endpoints = {fake.address()}, .credentials = nullptr});
  ASSERT_TRUE(client.ok());
  ASSERT_TRUE((*client)->CreateStream("s", 1).ok());
  for (size_t i = 0; i < kRecords; ++i) {
    v1::PutRecordRequest request;
    request.set_stream_name("s");
    request.set_partition_key("k");
    request.set_data(absl::StrCat(i));
    ASSERT_TRUE((*client)->PutRecord(request).ok());
  }
  const auto source =
      PushFrom(**client, {"s", kShard, FromTrimHorizon()}, 1 << 20);
  // When one that began later has all, much of it waits in the source.
  absl::Mutex mu;
  size_t events = 0;
  SubscriberOptions later;
  later.stream_name = "s";
  later.shard_id = kShard;
  later.from = FromTrimHorizon();
  later.on_event = [&](const v1::SubscribeToShardEvent& event) {
    absl::MutexLock lock(&mu);
    events += event.records_size() > 0;
  };
  {
    Subscriber subscriber(**client, later);
    absl::MutexLock lock(&mu);
    const auto all = [&] { return events == kRecords; };
    ASSERT_TRUE(mu.AwaitWithTimeout(absl::Condition(&all), kPatience));
  }
  std::vector<std::string> got;
  size_t pages = 0;
  while (got.size() < kRecords) {
    const auto page = source->Next(absl::Now() + kPatience);
    ASSERT_TRUE(page.ok() && page->has_value());
    ++pages;
    for (const v1::Record& record : (*page)->records) {
      got.push_back(record.data());
    }
  }
  EXPECT_LT(pages, kRecords);
  ASSERT_EQ(got.size(), kRecords);
  for (size_t i = 0; i < kRecords; ++i) EXPECT_EQ(got[i], absl::StrCat(i));
}

}  // namespace
}  // namespace trireme::client
