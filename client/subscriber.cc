#include "client/subscriber.h"

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/support/async_stream.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/backoff.h"
#include "client/error.h"
#include "client/status_macros.h"

namespace trireme::client {
namespace {

constexpr char kCall[] = "SubscribeToShard";
constexpr absl::Duration kConnectAttempt = absl::Seconds(1);
// A shard that was subscribed to, by ourselves maybe before the connection
// broke, can be taken over after 5 seconds.
constexpr absl::Duration kHeldRetry = absl::Seconds(1);

absl::Status Stopped() {
  return MakeError(absl::StatusCode::kCancelled, kCancelled, kCall,
                   "the subscriber was stopped");
}

// One subscription call. It is asynchronous only to be able to wait for an
// event with a time limit; there is never more than one operation under way.
class Subscription {
 public:
  Subscription(const Endpoint& endpoint,
               const v1::SubscribeToShardRequest& request, Cancellation& stop)
      : hook_(stop, [this] { context_.TryCancel(); }),
        call_(endpoint.records->PrepareAsyncSubscribeToShard(&context_, request,
                                                             &queue_)) {
    call_->StartCall(this);
  }
  ~Subscription() {
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  // False when the call has ended or was silent for too long: then Finish.
  bool Started(absl::Duration silence_max) { return Complete(silence_max); }
  bool Read(v1::SubscribeToShardEvent& event, absl::Duration silence_max) {
    call_->Read(&event, this);
    return Complete(silence_max);
  }
  absl::Status Finish() {
    grpc::Status status;
    call_->Finish(&status, this);
    Complete(absl::InfiniteDuration());
    if (silent_) {
      return MakeError(absl::StatusCode::kUnavailable, "", kCall,
                       "no event came for too long");
    }
    return FromGrpc(status, kCall);
  }

 private:
  bool Complete(absl::Duration silence_max) {
    void* tag = nullptr;
    bool ok = false;
    const absl::Time deadline = absl::Now() + silence_max;
    if (queue_.AsyncNext(&tag, &ok, absl::ToChronoTime(deadline)) ==
        grpc::CompletionQueue::TIMEOUT) {
      silent_ = true;
      context_.TryCancel();
      queue_.Next(&tag, &ok);  // Comes soon now.
      return false;
    }
    return ok;
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  Cancellation::Hook hook_;
  std::unique_ptr<grpc::ClientAsyncReader<v1::SubscribeToShardEvent>> call_;
  bool silent_ = false;
};

}  // namespace

Subscriber::Subscriber(Client& client, SubscriberOptions options)
    : client_(client),
      options_(std::move(options)),
      position_(options_.from),
      on_cancel_(client.cancellation(), [this] { stop_.Cancel(); }) {
  thread_ = std::thread([this] { Run(); });
}

Subscriber::~Subscriber() { Stop(); }

void Subscriber::Stop() {
  stop_.Cancel();
  if (thread_.joinable()) thread_.join();
}

absl::Status Subscriber::Wait() {
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(this, &Subscriber::Done));
  return result_;
}

void Subscriber::Run() {
  Backoff backoff;
  absl::Status result;
  while (!at_end_) {
    const Endpoint& endpoint = client_.endpoints().current();
    progressed_ = false;
    const absl::Status status = FollowOnce(endpoint);
    if (at_end_) break;
    if (stop_.cancelled()) {
      result = Stopped();
      break;
    }
    const bool held =
        !progressed_ && Reason(status) == "ResourceInUseException";
    if (Classify(status) == Failure::kRefused && !status.ok() && !held) {
      result = status;
      break;
    }
    if (progressed_) backoff.Reset();
    if (options_.on_interruption) options_.on_interruption(status);
    if (status.ok()) continue;
    if (absl::IsUnavailable(status)) client_.endpoints().Leave(endpoint);
    stop_.WaitFor(
        held ? kHeldRetry
             : backoff.Next(RetryDelay(status).value_or(absl::ZeroDuration())));
  }
  if (options_.on_end) options_.on_end(result);
  absl::MutexLock lock(&mu_);
  result_ = result;
  done_ = true;
}

// OK when the server ended the subscription as it does after 5 minutes.
absl::Status Subscriber::FollowOnce(const Endpoint& endpoint) {
  CLIENT_RETURN_IF_ERROR(endpoint.Connect(kCall, kConnectAttempt));
  v1::SubscribeToShardRequest request;
  request.set_stream_name(options_.stream_name);
  request.set_consumer_arn(options_.consumer_arn);
  request.set_shard_id(options_.shard_id);
  *request.mutable_starting_position() = position_;
  Subscription subscription(endpoint, request, stop_);
  if (subscription.Started(options_.silence_max)) {
    v1::SubscribeToShardEvent event;
    while (subscription.Read(event, options_.silence_max)) OnEvent(event);
  }
  return subscription.Finish();
}

void Subscriber::OnEvent(const v1::SubscribeToShardEvent& event) {
  progressed_ = true;
  if (event.continuation_sequence_number().empty()) {
    at_end_ = true;
  } else {
    position_ = AfterSequenceNumber(event.continuation_sequence_number());
  }
  if (options_.on_event && !stop_.cancelled()) options_.on_event(event);
}

}  // namespace trireme::client
