#include "server/grpc/subscribe_call.h"

#include <utility>

#include "server/grpc/grpc_status.h"
#include "server/grpc/record_messages.h"

namespace trireme {

// gRPC calls back only after the call's method has returned this object, so
// nothing else reads subscription_ while it is set here.
SubscribeCall::SubscribeCall(Broker* broker,
                             grpc::CallbackServerContext* context,
                             const v1::SubscribeToShardRequest& request)
    : context_(context) {
  absl::StatusOr<std::shared_ptr<Subscription>> subscription =
      broker->SubscribeToShard(FromMessage(request), TimeLeft(*context), this);
  if (subscription.ok()) {
    subscription_ = *std::move(subscription);
  } else {
    Finish(subscription.status());
  }
}

void SubscribeCall::Write(SubscriptionEvent event) {
  event_ = ToBuffer(event);
  StartWrite(&event_);
}

void SubscribeCall::Finish(absl::Status status) {
  grpc::ServerWriteReactor<grpc::ByteBuffer>::Finish(ToGrpcStatus(status));
}

void SubscribeCall::Abandon() { context_->TryCancel(); }

void SubscribeCall::OnWriteDone(bool ok) {
  event_.Clear();
  // The subscription may finish this call, and with it this reference.
  const std::shared_ptr<Subscription> subscription = subscription_;
  subscription->OnWritten(ok);
}

void SubscribeCall::OnCancel() {
  const std::shared_ptr<Subscription> subscription = subscription_;
  if (subscription == nullptr) return;
  subscription->Stop(absl::CancelledError("the call was cancelled"));
}

}  // namespace trireme
