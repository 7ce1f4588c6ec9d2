// A unary call whose messages we parse and serialize ourselves, so that bytes
// that are no message, or too many, get a typed error. It runs on the context's
// own reactor, which gRPC ends on the answering thread; a reactor of our own
// would be handed to another thread for that, which costs a quarter of a
// PutRecord.
//
// Owned by the callback that answers it.
#ifndef TRIREME_SERVER_GRPC_UNARY_CALL_H_
#define TRIREME_SERVER_GRPC_UNARY_CALL_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/grpc/grpc_status.h"
#include "server/grpc/record_messages.h"
#include "server/served_broker.h"
#include "storage/status_macros.h"

namespace trireme {

template <typename Request, typename Response>
class UnaryCall {
 public:
  // `reactor` is the context's. Null: there is no broker yet, or the bytes are
  // no Request, and the call has ended with the error.
  static std::unique_ptr<UnaryCall> Begin(const ServedBroker& served,
                                          grpc::ServerUnaryReactor* reactor,
                                          const grpc::ByteBuffer& request,
                                          grpc::ByteBuffer* response) {
    std::unique_ptr<UnaryCall> call(new UnaryCall(reactor, response));
    const absl::Status begun = call->Begin(served, request);
    if (begun.ok()) return call;
    reactor->Finish(ToGrpcStatus(begun));
    return nullptr;
  }

  Broker& broker() const { return *broker_; }
  const Request& request() const { return request_; }

  // One of these three ends the call.

  // With the message as it is.
  void Reply(const absl::StatusOr<Response>& message) {
    if (message.ok()) *response_ = SerializeMessage(*message);
    reactor_->Finish(ToGrpcStatus(message.status()));
  }
  // With what ToMessage makes of the result.
  template <typename Result>
  void Answer(const absl::StatusOr<Result>& result) {
    if (!result.ok()) return Reply(result.status());
    Response message;
    ToMessage(*result, &message);
    Reply(std::move(message));
  }
  // With an empty message.
  void Acknowledge(const absl::Status& status) {
    if (!status.ok()) return Reply(status);
    Reply(Response());
  }

 private:
  UnaryCall(grpc::ServerUnaryReactor* reactor, grpc::ByteBuffer* response)
      : reactor_(reactor), response_(response) {}

  absl::Status Begin(const ServedBroker& served,
                     const grpc::ByteBuffer& request) {
    ASSIGN_OR_RETURN(broker_, served.Get());
    return ParseMessage(request, &request_);
  }

  // gRPC's; not to be touched after Finish.
  grpc::ServerUnaryReactor* const reactor_;
  grpc::ByteBuffer* const response_;
  Broker* broker_ = nullptr;  // Set by Begin.
  Request request_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_GRPC_UNARY_CALL_H_
