// What tests of the gRPC server share.
#ifndef TRIREME_TESTS_UNIT_GRPC_SERVER_FIXTURE_H_
#define TRIREME_TESTS_UNIT_GRPC_SERVER_FIXTURE_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "server/grpc/grpc_server.h"
#include "tests/unit/broker_fixture.h"
#include "trireme/v1/cluster.grpc.pb.h"
#include "trireme/v1/records.grpc.pb.h"
#include "trireme/v1/streams.grpc.pb.h"

namespace trireme {

// A real server on a free port of this machine, over a node that commits at
// once, and a real client.
class GrpcServerTest : public ::testing::Test {
 protected:
  GrpcServerTest() : node_(/*threads=*/2) {
    node_.timers.Start();
    GrpcServerOptions options;
    options.address = "127.0.0.1:0";
    auto server = GrpcServer::Start(options);
    EXPECT_OK(server);
    server_ = *std::move(server);
    server_->Serve(&node_.broker);
    const std::string address = "127.0.0.1:" + std::to_string(server_->port());
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    channel_ = grpc::CreateCustomChannel(
        address, grpc::InsecureChannelCredentials(), arguments);
    records_ = v1::Records::NewStub(channel_);
    streams_ = v1::Streams::NewStub(channel_);
    cluster_ = v1::Cluster::NewStub(channel_);
  }
  ~GrpcServerTest() override { server_.reset(); }

  void CreateStream(const std::string& name, int shards) {
    {
      grpc::ClientContext context;
      v1::CreateStreamRequest request;
      request.set_stream_name(name);
      request.set_shard_count(shards);
      v1::CreateStreamResponse response;
      ASSERT_TRUE(streams_->CreateStream(&context, request, &response).ok());
    }
    v1::StreamStatus status = v1::CREATING;
    for (int i = 0; i < 10'000 && status == v1::CREATING; ++i) {
      grpc::ClientContext context;
      v1::DescribeStreamSummaryRequest request;
      request.set_stream_name(name);
      v1::DescribeStreamSummaryResponse response;
      ASSERT_TRUE(
          streams_->DescribeStreamSummary(&context, request, &response).ok());
      status = response.stream_description_summary().stream_status();
    }
    ASSERT_EQ(status, v1::ACTIVE);
  }
  grpc::Status Put(const std::string& stream, const std::string& data,
                   v1::PutRecordResponse* response) {
    grpc::ClientContext context;
    v1::PutRecordRequest request;
    request.set_stream_name(stream);
    request.set_partition_key("k");
    request.set_data(data);
    return records_->PutRecord(&context, request, response);
  }
  void MustPut(const std::string& data) {
    v1::PutRecordResponse response;
    const grpc::Status status = Put("s", data, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  std::unique_ptr<grpc::ClientReader<v1::SubscribeToShardEvent>> Subscribe(
      grpc::ClientContext* context, v1::ShardIteratorType type) {
    v1::SubscribeToShardRequest request;
    request.set_stream_name("s");
    request.set_shard_id("shardId-000000000000");
    request.mutable_starting_position()->set_type(type);
    return records_->SubscribeToShard(context, request);
  }

  TestNode node_;
  std::unique_ptr<GrpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Records::Stub> records_;
  std::unique_ptr<v1::Streams::Stub> streams_;
  std::unique_ptr<v1::Cluster::Stub> cluster_;
};

}  // namespace trireme

#endif  // TRIREME_TESTS_UNIT_GRPC_SERVER_FIXTURE_H_
