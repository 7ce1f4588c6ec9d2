// SubscribeCall is one SubscribeToShard call on its gRPC stream: it writes the
// subscription's events as shared slices, one at a time, under HTTP/2's flow
// control.
//
// Deletes itself when gRPC is done with it, which is after the subscription's
// Finish.
#ifndef TRIREME_SERVER_GRPC_SUBSCRIBE_CALL_H_
#define TRIREME_SERVER_GRPC_SUBSCRIBE_CALL_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>

#include "server/broker.h"
#include "server/subscription.h"
#include "trireme/v1/records.pb.h"

namespace trireme {

class SubscribeCall : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                      public SubscriptionSink {
 public:
  SubscribeCall(Broker* broker, grpc::CallbackServerContext* context,
                const v1::SubscribeToShardRequest& request);

  // SubscriptionSink
  void Write(SubscriptionEvent event) override;
  void Finish(absl::Status status) override;
  void Abandon() override;

  // ServerWriteReactor
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override { delete this; }

 private:
  grpc::CallbackServerContext* const context_;
  // Null when the subscription was refused.
  std::shared_ptr<Subscription> subscription_;
  grpc::ByteBuffer event_;  // The one being written.
};

}  // namespace trireme

#endif  // TRIREME_SERVER_GRPC_SUBSCRIBE_CALL_H_
