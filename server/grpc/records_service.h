// The gRPC front end of the data plane: proto/trireme/v1/records.proto over
// the Broker. Callbacks only: no thread waits for an answer.
#ifndef TRIREME_SERVER_GRPC_RECORDS_SERVICE_H_
#define TRIREME_SERVER_GRPC_RECORDS_SERVICE_H_

#include "server/served_broker.h"
#include "trireme/v1/records.grpc.pb.h"

namespace trireme {

// All are raw: what is no message gets a typed error (unary_call.h), and
// encoded records are sent as they are.
using RecordsServiceBase = v1::Records::WithRawCallbackMethod_PutRecord<
    v1::Records::WithRawCallbackMethod_PutRecords<
        v1::Records::WithRawCallbackMethod_PutRecordsStream<
            v1::Records::WithRawCallbackMethod_GetShardIterator<
                v1::Records::WithRawCallbackMethod_GetRecords<
                    v1::Records::WithRawCallbackMethod_SubscribeToShard<
                        v1::Records::Service>>>>>>;

class RecordsService : public RecordsServiceBase {
 public:
  // `served` must outlive the service.
  explicit RecordsService(const ServedBroker* served) : served_(*served) {}

  grpc::ServerUnaryReactor* PutRecord(grpc::CallbackServerContext* context,
                                      const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* PutRecords(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* PutRecordsStream(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* GetShardIterator(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
      grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetRecords(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* SubscribeToShard(
      grpc::CallbackServerContext* context,
      const grpc::ByteBuffer* request) override;

 private:
  const ServedBroker& served_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_GRPC_RECORDS_SERVICE_H_
