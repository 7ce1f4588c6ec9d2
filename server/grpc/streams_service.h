// The gRPC front end of the control plane: proto/trireme/v1/streams.proto over
// the Broker.
#ifndef TRIREME_SERVER_GRPC_STREAMS_SERVICE_H_
#define TRIREME_SERVER_GRPC_STREAMS_SERVICE_H_

#include "server/broker.h"
#include "trireme/v1/streams.grpc.pb.h"

namespace trireme {

class StreamsService : public v1::Streams::CallbackService {
 public:
  // `broker` must outlive the service.
  explicit StreamsService(Broker* broker) : broker_(broker) {}

  grpc::ServerUnaryReactor* CreateStream(
      grpc::CallbackServerContext* context,
      const v1::CreateStreamRequest* request,
      v1::CreateStreamResponse* response) override;
  grpc::ServerUnaryReactor* DeleteStream(
      grpc::CallbackServerContext* context,
      const v1::DeleteStreamRequest* request,
      v1::DeleteStreamResponse* response) override;
  grpc::ServerUnaryReactor* DescribeStream(
      grpc::CallbackServerContext* context,
      const v1::DescribeStreamRequest* request,
      v1::DescribeStreamResponse* response) override;
  grpc::ServerUnaryReactor* DescribeStreamSummary(
      grpc::CallbackServerContext* context,
      const v1::DescribeStreamSummaryRequest* request,
      v1::DescribeStreamSummaryResponse* response) override;
  grpc::ServerUnaryReactor* ListStreams(
      grpc::CallbackServerContext* context,
      const v1::ListStreamsRequest* request,
      v1::ListStreamsResponse* response) override;
  grpc::ServerUnaryReactor* ListShards(
      grpc::CallbackServerContext* context,
      const v1::ListShardsRequest* request,
      v1::ListShardsResponse* response) override;

 private:
  Broker* const broker_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_GRPC_STREAMS_SERVICE_H_
