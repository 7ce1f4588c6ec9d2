#include "client/client.h"

#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/error.h"
#include "client/shard_reader.h"
#include "tests/unit/fake_trireme.h"

namespace trireme::client {
namespace {

using testing::FakeTrireme;
using testing::TypedError;

class ClientTest : public ::testing::Test {
 protected:
  std::unique_ptr<Client> Make(std::vector<std::string> endpoints,
                               ClientOptions options = {}) {
    options.endpoints = std::move(endpoints);
    auto client = Client::Create(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }
  void MakeStream(const std::string& name, int shards = 1) {
    ASSERT_TRUE(client_->CreateStream(name, shards).ok());
    ASSERT_TRUE(client_->WaitUntilActive(name, absl::Seconds(10)).ok());
  }
  v1::PutRecordRequest Record(const std::string& data) {
    v1::PutRecordRequest request;
    request.set_stream_name("s");
    request.set_partition_key("k");
    request.set_data(data);
    return request;
  }

  FakeTrireme fake_;
  std::unique_ptr<Client> client_ = Make({fake_.address()});
};

TEST_F(ClientTest, RefusesAnEndpointWithoutAPort) {
  for (const char* endpoint : {"localhost", ":7420", "a:b", "a:0", "a:65536"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(
        Client::Create({.endpoints = {endpoint}, .credentials = nullptr})
            .status()))
        << endpoint;
  }
}

TEST_F(ClientTest, ReadsListsPageByPage) {
  fake_.SetPageSizes(2, 3, 10);
  MakeStream("s", 5);
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(client_->CreateStream(absl::StrCat("t", i), 1).ok());
  }
  EXPECT_EQ(client_->ListStreams()->size(), 8u);
  const auto shards = client_->ListShards("s");
  ASSERT_EQ(shards->size(), 5u);
  EXPECT_EQ(shards->at(4).shard_id(), "shardId-000000000004");
  const auto description = client_->DescribeStream("s");
  EXPECT_EQ(description->shards_size(), 5);
  EXPECT_FALSE(description->has_more_shards());
}

TEST_F(ClientTest, GivesTheReasonOfARefusal) {
  const absl::Status status = client_->DescribeStreamSummary("no").status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_EQ(Reason(status), "ResourceNotFoundException");
  EXPECT_EQ(fake_.calls("DescribeStreamSummary"), 1);
}

TEST_F(ClientTest, RepeatsAWriteThatWasNotDone) {
  MakeStream("s");
  fake_.FailNext("PutRecord",
                 TypedError(grpc::StatusCode::UNAVAILABLE, "NoLeader", "?"), 2);
  EXPECT_TRUE(client_->PutRecord(Record("x")).ok());
  EXPECT_EQ(fake_.calls("PutRecord"), 3);
  EXPECT_EQ(fake_.records("s").size(), 1u);
}

TEST_F(ClientTest, WaitsAsLongAsTheServerAsks) {
  MakeStream("s");
  fake_.FailNext("PutRecord",
                 TypedError(grpc::StatusCode::RESOURCE_EXHAUSTED,
                            "ProvisionedThroughputExceededException", "slow",
                            absl::Milliseconds(300)));
  const absl::Time start = absl::Now();
  EXPECT_TRUE(client_->PutRecord(Record("x")).ok());
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(300));
}

TEST_F(ClientTest, DoesNotRepeatAWriteOfUnknownOutcome) {
  MakeStream("s");
  const grpc::Status broken(grpc::StatusCode::UNAVAILABLE, "Socket closed");
  fake_.FailNext("PutRecord", broken);
  const absl::Status status = client_->PutRecord(Record("x")).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_EQ(Reason(status), kOutcomeUnknown);
  EXPECT_EQ(fake_.calls("PutRecord"), 1);

  ClientOptions options;
  options.allow_duplicates = true;
  const auto careless = Make({fake_.address()}, options);
  fake_.FailNext("PutRecord", broken);
  EXPECT_TRUE(careless->PutRecord(Record("x")).ok());
}

TEST_F(ClientTest, RepeatsAReadWhoseConnectionBroke) {
  MakeStream("s");
  fake_.FailNext("ListShards",
                 grpc::Status(grpc::StatusCode::UNAVAILABLE, "Socket closed"));
  EXPECT_TRUE(client_->ListShards("s").ok());
  EXPECT_EQ(fake_.calls("ListShards"), 2);
}

TEST_F(ClientTest, GoesOnWithTheNextEndpoint) {
  MakeStream("s");
  auto gone = std::make_unique<FakeTrireme>();
  ClientOptions options;
  // The put may go out before the end of the connection is seen.
  options.allow_duplicates = true;
  const auto client = Make({gone->address(), fake_.address()}, options);
  ASSERT_TRUE(client->ListStreams().ok());
  EXPECT_EQ(gone->calls("ListStreams"), 1);
  gone.reset();
  const auto put = client->PutRecord(Record("x"));
  EXPECT_TRUE(put.ok()) << put.status();
  EXPECT_EQ(fake_.records("s").size(), 1u);
}

TEST_F(ClientTest, PausesBeforeItGoesOnWithTheNextEndpoint) {
  FakeTrireme other;
  const auto client = Make({other.address(), fake_.address()});
  const auto no_leader =
      TypedError(grpc::StatusCode::UNAVAILABLE, "NoLeader", "");
  other.FailNext("ListStreams", no_leader);
  ASSERT_TRUE(client->ListStreams().ok());  // Now connected to both.
  fake_.FailNext("ListStreams", no_leader);
  const absl::Time start = absl::Now();
  EXPECT_TRUE(client->ListStreams().ok());
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(5));
  EXPECT_EQ(other.calls("ListStreams"), 2);
}

TEST_F(ClientTest, GivesUpWhenNobodyCanBeConnectedTo) {
  fake_.Shutdown();
  ClientOptions options;
  options.connect_timeout = absl::Milliseconds(300);
  const auto client = Make({fake_.address()}, options);
  const absl::Time start = absl::Now();
  const absl::Status status = client->ListStreams().status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(Reason(status), kNotConnected);
  EXPECT_LT(absl::Now() - start, absl::Seconds(10));
}

TEST_F(ClientTest, CancelEndsAWait) {
  MakeStream("s");
  fake_.FailNext("ListStreams",
                 TypedError(grpc::StatusCode::UNAVAILABLE, "NoLeader", ""),
                 1 << 20);
  absl::Status status;
  std::thread caller([&] { status = client_->ListStreams().status(); });
  EXPECT_TRUE(fake_.AwaitCall("ListStreams"));
  client_->Cancel();
  caller.join();
  EXPECT_EQ(Reason(status), kCancelled);
  EXPECT_EQ(Reason(client_->ListStreams().status()), kCancelled);
}

TEST_F(ClientTest, WaitsUntilAStreamIsGone) {
  MakeStream("s");
  ASSERT_TRUE(client_->DeleteStream("s").ok());
  EXPECT_TRUE(client_->WaitUntilGone("s", absl::Seconds(10)).ok());
  EXPECT_TRUE(absl::IsNotFound(client_->DescribeStream("s").status()));
}

TEST_F(ClientTest, AReaderRenewsAnExpiredIteratorWhereItWas) {
  MakeStream("s");
  fake_.SetPageSizes(100, 100, 2);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(client_->PutRecord(Record(absl::StrCat(i))).ok());
  }
  ShardReader reader(*client_, "s", "shardId-000000000000", FromTrimHorizon());
  std::string data;
  while (!reader.caught_up()) {
    const auto page = reader.Next();
    ASSERT_TRUE(page.ok()) << page.status();
    for (const v1::Record& record : page->records()) data += record.data();
    fake_.ExpireIterators();
  }
  EXPECT_EQ(data, "01234");
}

TEST_F(ClientTest, AReaderEndsWithAClosedShard) {
  MakeStream("s");
  ASSERT_TRUE(client_->PutRecord(Record("x")).ok());
  fake_.CloseShard("s", "shardId-000000000000", {"shardId-000000000001"});
  ShardReader reader(*client_, "s", "shardId-000000000000", FromTrimHorizon());
  const auto page = reader.Next();
  ASSERT_TRUE(page.ok());
  EXPECT_TRUE(reader.at_end());
  EXPECT_EQ(page->records_size(), 1);
  EXPECT_EQ(page->child_shards(0).shard_id(), "shardId-000000000001");
}

}  // namespace
}  // namespace trireme::client
