// What a server says before there is a node to serve, and of itself: health
// and reflection.
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "server/grpc/grpc_server.h"
#include "tests/unit/broker_fixture.h"
#include "tests/unit/raw_call.h"

namespace trireme {
namespace {

using ::testing::HasSubstr;

class GrpcServerStartTest : public ::testing::Test {
 protected:
  GrpcServerStartTest() : node_(/*threads=*/1) {
    GrpcServerOptions options;
    options.address = "127.0.0.1:0";
    auto server = GrpcServer::Start(options);
    EXPECT_OK(server);
    server_ = *std::move(server);
    channel_ =
        grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()),
                            grpc::InsecureChannelCredentials());
  }
  ~GrpcServerStartTest() override { server_.reset(); }

  // As bytes: the message types linked here would also be described.
  std::string Health() {
    std::string answer;
    const grpc::Status status =
        SendBytes(channel_, "/grpc.health.v1.Health/Check", "", &answer);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return answer;
  }

  // The server's answer to a question in text form. The messages are those
  // that gRPC's reflection library brings.
  std::unique_ptr<google::protobuf::Message> AskReflection(
      const std::string& question) {
    const auto message = [](const std::string& name) {
      const auto* const type =
          google::protobuf::DescriptorPool::generated_pool()
              ->FindMessageTypeByName("grpc.reflection.v1alpha." + name);
      return std::unique_ptr<google::protobuf::Message>(
          google::protobuf::MessageFactory::generated_factory()
              ->GetPrototype(type)
              ->New());
    };
    auto request = message("ServerReflectionRequest");
    EXPECT_TRUE(
        google::protobuf::TextFormat::ParseFromString(question, request.get()));
    std::string answer;
    const grpc::Status status = SendBytes(
        channel_,
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        request->SerializeAsString(), &answer);
    EXPECT_TRUE(status.ok()) << status.error_message();
    auto response = message("ServerReflectionResponse");
    EXPECT_TRUE(response->ParseFromString(answer));
    return response;
  }

  TestNode node_;
  std::unique_ptr<GrpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(GrpcServerStartTest, UntilItServesEveryCallIsToldThatTheNodeStarts) {
  for (const std::string& call : AllCalls()) {
    const grpc::Status status = SendBytes(channel_, call, "");
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << call;
    EXPECT_EQ(ReasonIn(status), "NodeStarting") << call;
    EXPECT_THAT(status.error_message(), HasSubstr("the node is starting"));
    google::rpc::RetryInfo retry;
    ASSERT_EQ(DetailsIn(status).details_size(), 2) << call;
    EXPECT_TRUE(DetailsIn(status).details(1).UnpackTo(&retry)) << call;
  }
  server_->Serve(&node_.broker);
  EXPECT_TRUE(
      SendBytes(channel_, "/trireme.v1.Cluster/GetClusterStatus", "").ok());
}

TEST_F(GrpcServerStartTest, HealthChecksFollowTheNode) {
  const std::string serving = "\x08\x01";
  const std::string not_serving = "\x08\x02";
  EXPECT_EQ(Health(), not_serving);
  server_->Serve(&node_.broker);
  EXPECT_EQ(Health(), serving);
  server_->StartDraining();
  EXPECT_EQ(Health(), not_serving);
}

TEST_F(GrpcServerStartTest, ReflectionDescribesEveryServiceItLists) {
  const std::string listed = AskReflection("list_services: '*'")->DebugString();
  for (const std::string service :
       {"trireme.v1.Records", "trireme.v1.Streams", "trireme.v1.Cluster",
        "grpc.health.v1.Health"}) {
    EXPECT_THAT(listed, HasSubstr('"' + service + '"'));
    const std::string described =
        AskReflection("file_containing_symbol: '" + service + "'")
            ->DebugString();
    EXPECT_THAT(described, HasSubstr("file_descriptor_response")) << service;
  }
}

}  // namespace
}  // namespace trireme
