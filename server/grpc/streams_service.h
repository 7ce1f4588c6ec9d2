// The gRPC front end of the control plane: proto/trireme/v1/streams.proto over
// the Broker.
#ifndef TRIREME_SERVER_GRPC_STREAMS_SERVICE_H_
#define TRIREME_SERVER_GRPC_STREAMS_SERVICE_H_

#include "server/served_broker.h"
#include "server/grpc/unary_service.h"
#include "trireme/v1/streams.grpc.pb.h"

namespace trireme {

class StreamsService : public UnaryService<v1::Streams> {
 public:
  // `served` must outlive the service.
  explicit StreamsService(const ServedBroker* served);

 private:
  void ServeSettings();  // settings_methods.cc
};

}  // namespace trireme

#endif  // TRIREME_SERVER_GRPC_STREAMS_SERVICE_H_
