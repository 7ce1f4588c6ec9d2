// UnaryService is a generated service whose unary methods are functions of a
// UnaryCall: what the generated classes of raw callback methods do, one method
// a line instead of one base class and one declaration.
//
//   class StreamsService : public UnaryService<v1::Streams> {
//     ... { Serve("DeleteStream", OnDeleteStream); }
//
// Owned by the GrpcServer.
#ifndef TRIREME_SERVER_GRPC_UNARY_SERVICE_H_
#define TRIREME_SERVER_GRPC_UNARY_SERVICE_H_

#include <google/protobuf/descriptor.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "server/grpc/grpc_status.h"
#include "server/served_broker.h"
#include "server/grpc/unary_call.h"
#include "storage/check.h"

namespace trireme {

template <typename Request, typename Response>
using UnaryCallPtr = std::unique_ptr<UnaryCall<Request, Response>>;

template <typename Generated>
class UnaryService : public Generated::Service {
 protected:
  // `served` must outlive the service.
  explicit UnaryService(const ServedBroker* served) : served_(*served) {}

  // `run` gets every call of `method` that has a broker and parses, and the
  // time it has; it ends the call, on any thread, at any time.
  template <typename Request, typename Response>
  void Serve(const char* method,
             void (*run)(UnaryCallPtr<Request, Response>, absl::Duration)) {
    using Handler = grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer,
                                                         grpc::ByteBuffer>;
    this->MarkMethodRawCallback(
        IndexOf(method),
        new Handler([this, run](grpc::CallbackServerContext* context,
                                const grpc::ByteBuffer* request,
                                grpc::ByteBuffer* response) {
          grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
          auto call = UnaryCall<Request, Response>::Begin(served_, reactor,
                                                          *request, response);
          if (call != nullptr) run(std::move(call), TimeLeft(*context));
          return reactor;
        }));
  }

 private:
  static int IndexOf(const char* method) {
    const auto* const service =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
            Generated::service_full_name());
    CHECK(service != nullptr, "a service that no proto describes");
    const auto* const found = service->FindMethodByName(method);
    CHECK(found != nullptr, "a method that the service does not have");
    return found->index();
  }

  const ServedBroker& served_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_GRPC_UNARY_SERVICE_H_
