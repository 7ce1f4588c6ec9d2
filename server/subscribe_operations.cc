#include "server/subscribe_operations.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/dry_run.h"
#include "storage/errors.h"
#include "storage/stream_name.h"

namespace trireme {

struct SubscribeOperations::Call {
  Call(const SubscribeToShardRequest& request, absl::Duration until)
      : stream_name(request.stream.name),
        stream_arn(request.stream.arn),
        stream_id(request.stream.id),
        consumer_arn(request.consumer_arn),
        shard_id(request.shard_id),
        sequence_number(request.position.sequence_number),
        position(request.position),
        dry_run(request.dry_run),
        deadline(until) {
    position.sequence_number = sequence_number;
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // The request.
  const std::string stream_name;
  const std::string stream_arn;
  const std::string stream_id;
  const std::string consumer_arn;
  const std::string shard_id;
  const std::string sequence_number;
  StartingPosition position;
  const bool dry_run;

  const absl::Duration deadline;  // Monotonic.
  std::shared_ptr<Subscription> subscription;
  // Of a registered consumer.
  std::optional<ConsumerName> named;
  StreamId stream;
  uint32_t consumer = 0;  // Its number.
};

absl::StatusOr<std::shared_ptr<Subscription>> SubscribeOperations::Subscribe(
    const SubscribeToShardRequest& request, absl::Duration timeout,
    SubscriptionSink* sink) {
  absl::StatusOr<std::shared_ptr<Subscription>> subscription =
      subscriptions_->Add(sink);
  if (!subscription.ok()) return subscription;
  auto call = std::make_shared<Call>(request, clock_->MonotonicNow() + timeout);
  call->subscription = *subscription;
  if (call->consumer_arn.empty()) {
    FindPosition(std::move(call));
    return subscription;
  }
  absl::StatusOr<ConsumerName> named = ResolveConsumer(
      {{call->stream_name, call->stream_arn}, "", call->consumer_arn},
      router_->account());
  if (named.ok()) {
    call->named = *std::move(named);
    FindConsumer(std::move(call));
  } else {
    call->subscription->Begin(named.status());
  }
  return subscription;
}

// Known here, or after a read barrier.
void SubscribeOperations::FindConsumer(CallPtr call) {
  const auto take = [](Call& found_for, const StreamPtr& stream) {
    const ConsumerRow* const consumer =
        trireme::FindConsumer(*stream, *found_for.named);
    if (consumer == nullptr) return false;
    found_for.stream = stream->id;
    found_for.consumer = consumer->second.number;
    return true;
  };
  const StreamPtr here = router_->FindHere(call->named->stream);
  if (here != nullptr && take(*call, here)) return FindPosition(call);
  router_->FindFresh(
      call->named->stream, TimeLeft(*call),
      [this, call, take](const absl::StatusOr<StreamPtr>& stream) {
        if (!stream.ok()) return call->subscription->Begin(stream.status());
        if (take(*call, *stream)) return FindPosition(call);
        call->subscription->Begin(
            ConsumerNotFound(*call->named, router_->account()));
      });
}

void SubscribeOperations::FindPosition(CallPtr call) {
  const StreamAddress stream =
      call->named.has_value()
          ? StreamAddress{call->named->stream, ""}
          : StreamAddress{call->stream_name, call->stream_arn,
                          /*is_resource=*/false, call->stream_id};
  const GetShardIteratorRequest request{stream, call->shard_id, call->position};
  reads_->FindPosition(
      request, kSubscribeToShardNames, TimeLeft(*call),
      [this, call](absl::StatusOr<ShardPosition> position) {
        if (position.ok() && call->dry_run) position = DryRunSucceeded();
        if (!position.ok() || !call->named.has_value()) {
          return call->subscription->Begin(std::move(position));
        }
        EnterOfConsumer(call, *std::move(position));
      });
}

// A consumer calls so often for each shard.
void SubscribeOperations::EnterOfConsumer(CallPtr call,
                                          ShardPosition position) {
  const StreamPtr stream = position.stream;
  const Shard& shard = *position.shard;
  rates_->EnterSubscribe(
      *stream, shard, call->named->name, TimeLeft(*call),
      [this, call, position = std::move(position)](absl::Status admitted) {
        if (!admitted.ok()) return call->subscription->Begin(admitted);
        Claim(call, position);
      });
}

void SubscribeOperations::Claim(CallPtr call, ShardPosition position) {
  const Account& account = router_->account();
  if (position.stream->id != call->stream) {  // Another one of its name.
    return call->subscription->Begin(ConsumerNotFound(*call->named, account));
  }
  WantedShard wanted;
  wanted.key = {{call->stream, position.shard->index}, call->consumer};
  wanted.group = position.shard->group;
  wanted.subscription = requests_.NewSubscription();
  wanted.what =
      absl::StrCat("consumer ", call->named->name, ", shard ",
                   ShardIdToString(position.shard->index), " in stream ",
                   call->named->stream, " under account ", account.id);
  claims_->Add(wanted, call->subscription,
               [subscription = call->subscription,
                position = std::move(position)](absl::Status decided) mutable {
                 if (!decided.ok())
                   return subscription->Begin(std::move(decided));
                 subscription->Begin(std::move(position));
               });
  const StreamPtr stream = router_->catalog().Find(call->stream);
  if (stream == nullptr || !stream->consumers.Has(call->consumer)) {
    return claims_->GiveUp(wanted.key, wanted.subscription,
                           ConsumerNotFound(*call->named, account));
  }
  requests_.Claim(wanted, TimeLeft(*call));
}

absl::Duration SubscribeOperations::TimeLeft(const Call& call) const {
  return call.deadline - clock_->MonotonicNow();
}

}  // namespace trireme
