// The gRPC front end of the control plane: proto/trireme/v1/streams.proto over
// the Broker.
#ifndef TRIREME_SERVER_GRPC_STREAMS_SERVICE_H_
#define TRIREME_SERVER_GRPC_STREAMS_SERVICE_H_

#include "server/grpc/served_broker.h"
#include "trireme/v1/streams.grpc.pb.h"

namespace trireme {

// All are raw: see unary_call.h.
using StreamsServiceBase = v1::Streams::WithRawCallbackMethod_CreateStream<
    v1::Streams::WithRawCallbackMethod_DeleteStream<
        v1::Streams::WithRawCallbackMethod_DescribeStream<
            v1::Streams::WithRawCallbackMethod_DescribeStreamSummary<
                v1::Streams::WithRawCallbackMethod_ListStreams<
                    v1::Streams::WithRawCallbackMethod_ListShards<
                        v1::Streams::WithRawCallbackMethod_SplitShard<
                            v1::Streams::WithRawCallbackMethod_MergeShards<
                                v1::Streams::
                                    WithRawCallbackMethod_UpdateShardCount<
                                        v1::Streams::Service>>>>>>>>>;

class StreamsService : public StreamsServiceBase {
 public:
  // `served` must outlive the service.
  explicit StreamsService(const ServedBroker* served) : served_(*served) {}

  grpc::ServerUnaryReactor* CreateStream(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* DeleteStream(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* DescribeStream(grpc::CallbackServerContext* context,
                                           const grpc::ByteBuffer* request,
                                           grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* DescribeStreamSummary(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
      grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListStreams(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListShards(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* SplitShard(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* MergeShards(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* UpdateShardCount(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
      grpc::ByteBuffer* response) override;

 private:
  const ServedBroker& served_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_GRPC_STREAMS_SERVICE_H_
