#include "server/grpc/grpc_server.h"

#include <grpcpp/grpcpp.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "server/grpc/grpc_status.h"
#include "tests/unit/broker_fixture.h"
#include "tests/unit/grpc_server_fixture.h"
#include "tests/unit/raw_call.h"
#include "trireme/v1/cluster.grpc.pb.h"
#include "trireme/v1/records.grpc.pb.h"
#include "trireme/v1/streams.grpc.pb.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;

TEST_F(GrpcServerTest, ARecordGoesInAndComesOut) {
  CreateStream("s", 1);
  const std::string data("\0\xff data", 7);
  v1::PutRecordResponse put;
  ASSERT_TRUE(Put("s", data, &put).ok());
  EXPECT_EQ(put.shard_id(), "shardId-000000000000");

  v1::GetShardIteratorResponse iterator;
  {
    grpc::ClientContext context;
    v1::GetShardIteratorRequest request;
    request.set_stream_name("s");
    request.set_shard_id(put.shard_id());
    request.set_shard_iterator_type(v1::TRIM_HORIZON);
    ASSERT_TRUE(records_->GetShardIterator(&context, request, &iterator).ok());
  }
  grpc::ClientContext context;
  v1::GetRecordsRequest request;
  request.set_shard_iterator(iterator.shard_iterator());
  v1::GetRecordsResponse read;
  ASSERT_TRUE(records_->GetRecords(&context, request, &read).ok());
  ASSERT_EQ(read.records_size(), 1);
  EXPECT_EQ(read.records(0).data(), data);
  EXPECT_EQ(read.records(0).partition_key(), "k");
  EXPECT_EQ(read.records(0).sequence_number(), put.sequence_number());
  EXPECT_NE(read.next_shard_iterator(), "");
}

TEST_F(GrpcServerTest, AStreamIsDescribedWithItsShards) {
  CreateStream("s", 3);
  grpc::ClientContext context;
  v1::DescribeStreamRequest request;
  request.set_stream_arn("arn:aws:kinesis:us-east-1:000000000000:stream/s");
  v1::DescribeStreamResponse response;
  ASSERT_TRUE(streams_->DescribeStream(&context, request, &response).ok());
  const v1::StreamDescription& stream = response.stream_description();
  EXPECT_EQ(stream.stream_arn(), request.stream_arn());
  EXPECT_EQ(stream.retention_period_hours(), 24);
  ASSERT_EQ(stream.shards_size(), 3);
  EXPECT_EQ(stream.shards(0).hash_key_range().ending_hash_key(),
            "113427455640312821154458202477256070484");
  EXPECT_EQ(stream.shards(2).hash_key_range().ending_hash_key(),
            "340282366920938463463374607431768211455");
  const auto& numbers = stream.shards(1).sequence_number_range();
  EXPECT_EQ(numbers.starting_sequence_number().size(), 56u);
  EXPECT_EQ(numbers.ending_sequence_number(), "");
  // Placed on the node's two data groups in turn.
  EXPECT_EQ(stream.shards(0).replication_group(), 1u);
  EXPECT_EQ(stream.shards(1).replication_group(), 2u);
}

TEST_F(GrpcServerTest, ErrorsCarryDetailsForPrograms) {
  v1::PutRecordResponse put;
  const grpc::Status missing = Put("none", "d", &put);
  EXPECT_EQ(missing.error_code(), grpc::StatusCode::NOT_FOUND);
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(missing.error_details()));
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "ResourceNotFoundException");
  EXPECT_EQ(info.domain(), "trireme.dev");

  CreateStream("s", 1);
  grpc::ClientContext context;
  v1::PutRecordsRequest request;
  request.set_stream_name("s");
  request.add_records()->set_partition_key("k");
  request.add_records();
  v1::PutRecordsResponse response;
  const grpc::Status bad = records_->PutRecords(&context, request, &response);
  EXPECT_EQ(bad.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  ASSERT_TRUE(details.ParseFromString(bad.error_details()));
  google::rpc::BadRequest bad_request;
  ASSERT_TRUE(details.details(1).UnpackTo(&bad_request));
  EXPECT_EQ(bad_request.field_violations(0).field(), "records.2.partition_key");
}

// Every call of the API, whatever service and file it stands in.
TEST_F(GrpcServerTest, BytesThatAreNoRequestGetATypedErrorOfEveryCall) {
  for (const std::string& call : AllCalls()) {
    SCOPED_TRACE(call);
    const grpc::Status status = SendBytes(channel_, call, "\x0f");
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(ReasonIn(status), "InvalidArgumentException");
    EXPECT_THAT(status.error_message(),
                HasSubstr("the request of 1 bytes is not a trireme.v1."));
  }
}

TEST_F(GrpcServerTest, ARequestThatIsTooLargeIsToldTheLimitByEveryCall) {
  const std::string bytes((16u << 20) + 1, 'x');
  for (const std::string& call : AllCalls()) {
    SCOPED_TRACE(call);
    const grpc::Status status = SendBytes(channel_, call, bytes);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(ReasonIn(status), "InvalidArgumentException");
    EXPECT_EQ(status.error_message(),
              "the request is 16777217 bytes; the limit is 16777216");
  }
}

TEST_F(GrpcServerTest, TextThatIsNotUtf8GetsATypedError) {
  // The name of a stream, field 1, of one byte that begins no character.
  const grpc::Status status =
      SendBytes(channel_, "/trireme.v1.Streams/CreateStream", "\x0a\x01\xff");
  EXPECT_EQ(ReasonIn(status), "InvalidArgumentException");
  EXPECT_THAT(status.error_message(), HasSubstr("strings must be UTF-8"));
}

// A client gives up a call whose trailers are longer than it takes.
TEST_F(GrpcServerTest, AnErrorAboutManyLongKeysReachesTheClient) {
  CreateStream("s", 1);
  v1::PutRecordsRequest request;
  request.set_stream_name("s");
  for (int i = 0; i < 500; ++i) {
    std::string* const key = request.add_records()->mutable_partition_key();
    for (int j = 0; j < 257; ++j) *key += "\u00e9";
  }
  grpc::ClientContext context;
  v1::PutRecordsResponse response;
  const grpc::Status status =
      records_->PutRecords(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(),
              HasSubstr("500 validation errors detected"));
  // It is cut between two characters: else these would not parse.
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  google::rpc::BadRequest bad_request;
  ASSERT_TRUE(details.details(1).UnpackTo(&bad_request));
  EXPECT_EQ(bad_request.field_violations_size(), 10);
}

TEST_F(GrpcServerTest, OverloadComesWithARetryDelay) {
  CreateStream("s", 1);
  node_.replicas.refuse_with = {
      MakeError(ErrorReason::kOverloaded, "too much")};
  v1::PutRecordResponse put;
  const grpc::Status status = Put("s", "d", &put);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(details.details(1).UnpackTo(&retry));
  EXPECT_EQ(retry.retry_delay().nanos(), 100'000'000);
}

TEST_F(GrpcServerTest, AStreamOfPutsIsAnsweredInOrder) {
  CreateStream("s", 4);
  grpc::ClientContext context;
  const auto call = records_->PutRecordsStream(&context);
  constexpr int kRequests = 300;
  std::thread writer([&] {
    for (int i = 0; i < kRequests; ++i) {
      v1::PutRecordsRequest request;
      request.set_stream_name("s");
      for (int j = 0; j <= i % 7; ++j) {
        v1::PutRecordsEntry& entry = *request.add_records();
        entry.set_partition_key("key" + std::to_string(j));
        entry.set_data(std::string(1000, 'x'));
      }
      ASSERT_TRUE(call->Write(request));
    }
    call->WritesDone();
  });
  for (int i = 0; i < kRequests; ++i) {
    v1::PutRecordsResponse response;
    ASSERT_TRUE(call->Read(&response)) << i;
    EXPECT_EQ(response.records_size(), i % 7 + 1);
    EXPECT_EQ(response.failed_record_count(), 0);
  }
  writer.join();
  v1::PutRecordsResponse response;
  EXPECT_FALSE(call->Read(&response));
  EXPECT_TRUE(call->Finish().ok());
}

// gRPC buffers all but the last of them.
TEST_F(GrpcServerTest, AnswersThatAreDueTogetherArriveWhileTheStreamIsOpen) {
  CreateStream("s", 1);
  node_.replicas.holding = true;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::seconds(30));
  const auto call = records_->PutRecordsStream(&context);
  v1::PutRecordsRequest request;
  request.set_stream_name("s");
  request.add_records()->set_partition_key("k");
  constexpr int kRequests = 3;
  for (int i = 0; i < kRequests; ++i) ASSERT_TRUE(call->Write(request));
  node_.replicas.CommitHeldBackwards(kRequests);
  for (int i = 0; i < kRequests; ++i) {
    v1::PutRecordsResponse response;
    EXPECT_TRUE(call->Read(&response)) << "answer " << i;
  }
  call->WritesDone();
  EXPECT_TRUE(call->Finish().ok());
}

TEST_F(GrpcServerTest, AMalformedPutEndsTheStreamAfterTheAnswersBeforeIt) {
  CreateStream("s", 1);
  grpc::ClientContext context;
  const auto call = records_->PutRecordsStream(&context);
  v1::PutRecordsRequest request;
  request.set_stream_name("s");
  request.add_records()->set_partition_key("k");
  ASSERT_TRUE(call->Write(request));
  ASSERT_TRUE(call->Write(request));
  request.add_records();
  ASSERT_TRUE(call->Write(request));
  v1::PutRecordsResponse response;
  EXPECT_TRUE(call->Read(&response));
  EXPECT_TRUE(call->Read(&response));
  EXPECT_FALSE(call->Read(&response));
  EXPECT_EQ(call->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(GrpcServerTest, ACancelledStreamOfPutsEnds) {
  CreateStream("s", 1);
  grpc::ClientContext context;
  const auto call = records_->PutRecordsStream(&context);
  v1::PutRecordsRequest request;
  request.set_stream_name("s");
  request.add_records()->set_partition_key("k");
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(call->Write(request));
  context.TryCancel();
  EXPECT_EQ(call->Finish().error_code(), grpc::StatusCode::CANCELLED);
  server_->Stop(absl::Seconds(10));  // Hangs if the call is still there.
}

TEST_F(GrpcServerTest, RecordsArePushedToEverySubscriber) {
  CreateStream("s", 1);
  constexpr int kSubscribers = 20;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<v1::SubscribeToShardEvent>>>
      readers;
  for (int i = 0; i < kSubscribers; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    readers.push_back(Subscribe(contexts.back().get(), v1::TRIM_HORIZON));
    v1::SubscribeToShardEvent event;
    ASSERT_TRUE(readers.back()->Read(&event));  // The first, empty one.
  }
  for (int i = 0; i < 10; ++i) MustPut(std::string(1000 + i, 'x'));
  for (int i = 0; i < kSubscribers; ++i) {
    std::vector<size_t> sizes;
    while (sizes.size() < 10) {
      v1::SubscribeToShardEvent event;
      ASSERT_TRUE(readers[i]->Read(&event));
      EXPECT_NE(event.continuation_sequence_number(), "");
      for (const v1::Record& record : event.records()) {
        sizes.push_back(record.data().size());
      }
    }
    for (size_t j = 0; j < 10; ++j) EXPECT_EQ(sizes[j], 1000 + j);
    contexts[i]->TryCancel();
    EXPECT_EQ(readers[i]->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
}

TEST_F(GrpcServerTest, ASubscriberThatDoesNotReadHoldsNobodyUp) {
  CreateStream("s", 1);
  grpc::ClientContext stuck_context;
  const auto stuck = Subscribe(&stuck_context, v1::TRIM_HORIZON);
  grpc::ClientContext context;
  const auto reader = Subscribe(&context, v1::TRIM_HORIZON);
  // Far more than a connection's windows take.
  constexpr int kRecords = 100;
  const std::string data(500'000, 'x');
  for (int i = 0; i < kRecords; ++i) MustPut(data);
  int records = 0;
  while (records < kRecords) {
    v1::SubscribeToShardEvent event;
    ASSERT_TRUE(reader->Read(&event));
    records += event.records_size();
  }
  EXPECT_LE(node_.tails.held_bytes(), 64u << 20);
  // And it gets everything once it reads.
  int late = 0;
  while (late < kRecords) {
    v1::SubscribeToShardEvent event;
    ASSERT_TRUE(stuck->Read(&event));
    late += event.records_size();
  }
  stuck_context.TryCancel();
  context.TryCancel();
  stuck->Finish();
  reader->Finish();
}

TEST_F(GrpcServerTest, AConsumerLivesFromRegistrationToDeregistration) {
  CreateStream("s", 1);
  v1::RegisterStreamConsumerResponse made;
  {
    grpc::ClientContext context;
    v1::RegisterStreamConsumerRequest request;
    request.set_stream_arn("arn:aws:kinesis:us-east-1:000000000000:stream/s");
    request.set_consumer_name("c");
    (*request.mutable_tags())["team"] = "a";
    ASSERT_TRUE(
        streams_->RegisterStreamConsumer(&context, request, &made).ok());
  }
  const v1::Consumer& consumer = made.consumer();
  EXPECT_EQ(consumer.consumer_name(), "c");
  EXPECT_EQ(consumer.consumer_arn(),
            "arn:aws:kinesis:us-east-1:000000000000:stream/s/consumer/"
            "c:1700000000");
  EXPECT_EQ(consumer.consumer_status(), v1::Consumer::CREATING);
  EXPECT_EQ(consumer.consumer_creation_timestamp().seconds(), 1'700'000'000);
  {
    grpc::ClientContext context;
    v1::DescribeStreamConsumerRequest request;
    request.set_consumer_arn(consumer.consumer_arn());
    v1::DescribeStreamConsumerResponse response;
    ASSERT_TRUE(
        streams_->DescribeStreamConsumer(&context, request, &response).ok());
    EXPECT_EQ(response.consumer_description().consumer_status(),
              v1::Consumer::ACTIVE);
    EXPECT_EQ(response.consumer_description().stream_arn(),
              "arn:aws:kinesis:us-east-1:000000000000:stream/s");
  }
  {
    grpc::ClientContext context;
    v1::ListStreamConsumersRequest request;
    request.set_stream_name("s");
    v1::ListStreamConsumersResponse response;
    ASSERT_TRUE(
        streams_->ListStreamConsumers(&context, request, &response).ok());
    ASSERT_EQ(response.consumers_size(), 1);
    EXPECT_EQ(response.consumers(0).consumer_status(), v1::Consumer::ACTIVE);
  }
  {
    grpc::ClientContext context;
    v1::DescribeStreamSummaryRequest request;
    request.set_stream_name("s");
    v1::DescribeStreamSummaryResponse response;
    ASSERT_TRUE(
        streams_->DescribeStreamSummary(&context, request, &response).ok());
    EXPECT_EQ(response.stream_description_summary().consumer_count(), 1);
  }
  {
    grpc::ClientContext context;
    v1::ListTagsForResourceRequest request;
    request.set_resource_arn(consumer.consumer_arn());
    v1::ListTagsForResourceResponse response;
    ASSERT_TRUE(
        streams_->ListTagsForResource(&context, request, &response).ok());
    ASSERT_EQ(response.tags_size(), 1);
    EXPECT_EQ(response.tags(0).value(), "a");
  }
  // One subscription at a time; another is refused before its first event.
  v1::SubscribeToShardRequest subscribe;
  subscribe.set_consumer_arn(consumer.consumer_arn());
  subscribe.set_shard_id("shardId-000000000000");
  subscribe.mutable_starting_position()->set_type(v1::TRIM_HORIZON);
  grpc::ClientContext first_context;
  const auto first = records_->SubscribeToShard(&first_context, subscribe);
  v1::SubscribeToShardEvent event;
  ASSERT_TRUE(first->Read(&event));
  {
    grpc::ClientContext context;
    const auto second = records_->SubscribeToShard(&context, subscribe);
    EXPECT_FALSE(second->Read(&event));
    const grpc::Status refused = second->Finish();
    EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_THAT(refused.error_message(),
                HasSubstr("Another active subscription exists for this shard"));
  }
  {
    grpc::ClientContext context;
    v1::DeregisterStreamConsumerRequest request;
    request.set_stream_name("s");
    request.set_consumer_name("c");
    v1::DeregisterStreamConsumerResponse response;
    ASSERT_TRUE(
        streams_->DeregisterStreamConsumer(&context, request, &response).ok());
  }
  EXPECT_FALSE(first->Read(&event));
  EXPECT_EQ(first->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(GrpcServerTest, StoppingSendsSubscribersElsewhere) {
  CreateStream("s", 1);
  grpc::ClientContext context;
  const auto reader = Subscribe(&context, v1::LATEST);
  v1::SubscribeToShardEvent event;
  ASSERT_TRUE(reader->Read(&event));
  server_->Stop(absl::Seconds(10));
  while (reader->Read(&event)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcServerTest, TheClusterIsDescribed) {
  grpc::ClientContext context;
  v1::GetClusterStatusResponse response;
  ASSERT_TRUE(cluster_->GetClusterStatus(&context, {}, &response).ok());
  ASSERT_EQ(response.nodes_size(), 3);
  EXPECT_EQ(response.nodes(1).zone(), "b");
  EXPECT_EQ(response.nodes(1).health(), v1::UNREACHABLE);
}

TEST_F(GrpcServerTest, AnAddressInUseIsAnErrorThatNamesIt) {
  GrpcServerOptions options;
  options.address = "127.0.0.1:" + std::to_string(server_->port());
  testing::internal::CaptureStderr();
  const auto second = GrpcServer::Start(options);
  // gRPC has not even tried: it would tell of it in a dump of its own.
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(second.status(),
            absl::UnavailableError("cannot listen on " + options.address +
                                   ": address already in use"));
}

TEST(GrpcStatusTest, FieldPathsAreTheProtosOwn) {
  EXPECT_EQ(ProtoFieldPath("partitionKey"), "partition_key");
  EXPECT_EQ(ProtoFieldPath("records.12.member.data"), "records.12.data");
  EXPECT_EQ(ProtoFieldPath("streamARN"), "stream_arn");
  EXPECT_EQ(ProtoFieldPath("maxRecordSizeInKiB"), "max_record_size_in_kib");
}

}  // namespace
}  // namespace trireme
