#include "server/subscription.h"

#include <algorithm>
#include <string>
#include <utility>

#include "server/limits.h"
#include "storage/errors.h"
#include "storage/sequence_number.h"

namespace trireme {
namespace {

constexpr RunLimits kEventLimits{kGetRecordsMax, kEventBytesMax};
// The last record of a closed shard may be applied here before the meta
// group's replica knows its children.
constexpr absl::Duration kChildrenRetry = absl::Milliseconds(100);
constexpr absl::Duration kReadRetry = absl::Milliseconds(100);
// A subscription that is over and still cannot write its last event.
constexpr absl::Duration kStuckLife = absl::Seconds(30);

}  // namespace

void Subscription::Begin(absl::StatusOr<ShardPosition> position) {
  {
    absl::MutexLock lock(&mu_);
    happened_.begun = std::move(position);
    pending_ = true;
  }
  Run();
}

void Subscription::OnWritten(bool ok) {
  {
    absl::MutexLock lock(&mu_);
    happened_.written = ok;
    pending_ = true;
  }
  Run();
}

void Subscription::Stop(absl::Status status) {
  {
    absl::MutexLock lock(&mu_);
    happened_.stopped = std::move(status);
    pending_ = true;
  }
  Run();
}

void Subscription::OnTail() {
  {
    absl::MutexLock lock(&mu_);
    happened_.tail = true;
    pending_ = true;
  }
  Run();
}

void Subscription::StepAgain() {
  {
    absl::MutexLock lock(&mu_);
    pending_ = true;
  }
  Run();
}

void Subscription::Run() {
  // Finish may let go of the last reference but this one.
  const std::shared_ptr<Subscription> self = shared_from_this();
  {
    absl::MutexLock lock(&mu_);
    // Whoever runs sees what just happened before it leaves.
    if (running_) return;
    running_ = true;
  }
  for (;;) {
    Happened happened;
    {
      absl::MutexLock lock(&mu_);
      if (!pending_) {
        running_ = false;
        return;
      }
      pending_ = false;
      std::swap(happened, happened_);
    }
    Step(std::move(happened));
  }
}

void Subscription::Step(Happened happened) {
  if (sink_ == nullptr) return;
  if (!Absorb(happened)) return;
  if (happened.log_read.has_value()) {
    return Deliver(*std::move(happened.log_read));
  }
  Advance();
}

bool Subscription::Absorb(Happened& happened) {
  if (happened.written.has_value()) writing_ = false;
  if (happened.log_read.has_value()) reading_ = false;
  if (happened.tail) waiting_ = false;
  if (happened.retry) retrying_ = false;
  if (happened.begun.has_value() && happened.begun->ok()) {
    position_ = **std::move(happened.begun);
    ends_at_ = context_.clock->MonotonicNow() + kSubscriptionLife;
    if (context_.rates != nullptr) {
      rate_ = context_.rates->PushRate(*position_->stream);
    }
    ArmHeartbeat();
  }
  if (happened.heartbeat) ArmHeartbeat();
  DecideEnding(happened);
  if (ending_.has_value() && !writing_) {
    End(*std::exchange(ending_, std::nullopt));
    return false;
  }
  return position_.has_value() && !writing_ && !reading_;
}

void Subscription::DecideEnding(Happened& happened) {
  if (happened.stopped.has_value()) ending_ = *std::move(happened.stopped);
  if (ending_.has_value()) return;
  if (happened.begun.has_value() && !happened.begun->ok()) {
    ending_ = happened.begun->status();
  } else if (happened.written == false) {
    ending_ = absl::CancelledError("the subscriber is gone");
  } else if (closing_ && !writing_) {
    ending_ = absl::OkStatus();
  } else if (happened.heartbeat && CutOff()) {
    ending_ = MakeError(ErrorReason::kNoLeader,
                        "this node has lost touch with the shard's leader; "
                        "subscribe at another node");
  } else if (position_.has_value()) {
    const absl::Duration now = context_.clock->MonotonicNow();
    if (now >= ends_at_ && !writing_) ending_ = absl::OkStatus();
    if (now >= ends_at_ + kStuckLife && !abandoned_) {
      abandoned_ = true;
      sink_->Abandon();
    }
  }
}

// A node that is cut off from the others would say "nothing new" for ever. One
// heartbeat without a leader may be an election, two are not.
bool Subscription::CutOff() {
  if (context_.replicas == nullptr || !position_.has_value()) return false;
  const bool leaderless =
      context_.replicas->LeaderOf(position_->shard->group) == NodeId();
  return std::exchange(was_leaderless_, leaderless) && leaderless;
}

absl::Duration Subscription::PauseOfRate() const {
  if (!rate_.has_value()) return absl::ZeroDuration();
  return pushed_.WaitFor(*rate_, 1, context_.clock->MonotonicNow());
}

void Subscription::Advance() {
  const absl::Duration pause = PauseOfRate();
  if (pause > absl::ZeroDuration()) return StepAgainAfter(pause);
  absl::StatusOr<std::optional<ShardRead>> read = context_.reader->ReadMemory(
      *StreamNow(), *position_->shard, position_->next, kEventLimits);
  if (!read.ok()) return Deliver(read.status());
  if (!read->has_value()) return StartLogRead();
  Deliver(**std::move(read));
}

void Subscription::StartLogRead() {
  reading_ = true;
  WorkPool::Job job = [self = shared_from_this(), stream = StreamNow(),
                       position = *position_] {
    absl::StatusOr<ShardRead> read = self->context_.reader->ReadLog(
        *stream, *position.shard, position.next, kEventLimits);
    {
      absl::MutexLock lock(&self->mu_);
      self->happened_.log_read = std::move(read);
      self->pending_ = true;
    }
    self->Run();
  };
  if (context_.read_pool->TrySchedule(job)) return;
  // Too many reads wait: this one tries again a little later.
  reading_ = false;
  StepAgainAfter(kReadRetry);
}

void Subscription::Deliver(absl::StatusOr<ShardRead> read) {
  if (!read.ok()) return End(read.status());
  position_->next = read->run.next;
  if (read->at_end) {
    std::vector<ChildShard> children = ChildrenHere();
    closing_ = !children.empty();
    if (closing_) return Send(*std::move(read), std::move(children));
  }
  if (read->run.record_count > 0 || HeartbeatDue()) {
    return Send(*std::move(read), {});
  }
  if (read->at_end) return StepAgainAfter(kChildrenRetry);
  // At the tip, or what the state has beyond it is about to reach the tail.
  WaitForMore();
}

void Subscription::Send(ShardRead read, std::vector<ChildShard> children) {
  SubscriptionEvent event;
  if (children.empty()) {
    event.continuation_sequence_number = Continuation(read);
  }
  event.millis_behind_latest = read.millis_behind_latest;
  if (rate_.has_value()) {
    pushed_.Take(*rate_, CountedBytes(read.run),
                 context_.clock->MonotonicNow());
  }
  event.records = std::move(read.run);
  event.child_shards = std::move(children);
  event.encrypted = IsEncrypted(*StreamNow());
  sent_any_ = true;
  last_sent_at_ = context_.clock->MonotonicNow();
  writing_ = true;
  sink_->Write(std::move(event));
}

void Subscription::WaitForMore() {
  if (waiting_) return;  // The tail's next news wakes this.
  const ShardKey key{position_->stream->id, position_->shard->index};
  waiting_ = context_.tails->Wait(key, position_->next, shared_from_this());
  // Look once more: something may have come before it was registered.
  const ShardState state =
      context_.reader->StateOf(*position_->stream, *position_->shard);
  if (!waiting_ || state.next > position_->next || state.end.has_value() ||
      !state.exists) {
    StepAgain();
  }
}

void Subscription::StepAgainAfter(absl::Duration delay) {
  if (retrying_) return;
  retrying_ = true;
  context_.timers->After(delay, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->OnTimer(&Happened::retry);
  });
}

void Subscription::OnTimer(bool Happened::*fired) {
  {
    absl::MutexLock lock(&mu_);
    happened_.*fired = true;
    pending_ = true;
  }
  Run();
}

// The next heartbeat is due a period after the last event; the timer also
// ends the call in time. There is one such timer a subscription.
void Subscription::ArmHeartbeat() {
  const absl::Duration now = context_.clock->MonotonicNow();
  absl::Duration delay = kHeartbeatPeriod;
  if (!writing_ && !HeartbeatDue()) {
    delay = last_sent_at_ + kHeartbeatPeriod - now;
  }
  if (ends_at_ > now) delay = std::min(delay, ends_at_ - now);
  context_.timers->After(delay, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->OnTimer(&Happened::heartbeat);
  });
}

bool Subscription::HeartbeatDue() const {
  return !sent_any_ ||
         context_.clock->MonotonicNow() - last_sent_at_ >= kHeartbeatPeriod;
}

StreamPtr Subscription::StreamNow() const {
  StreamPtr stream = context_.catalog->Find(position_->stream->id);
  return stream == nullptr ? position_->stream : stream;
}

std::vector<ChildShard> Subscription::ChildrenHere() const {
  return ChildrenOf(*StreamNow(), position_->shard->index);
}

void Subscription::End(absl::Status status) {
  if (waiting_) {
    context_.tails->StopWaiting(
        {position_->stream->id, position_->shard->index}, this);
    waiting_ = false;
  }
  position_.reset();
  std::exchange(sink_, nullptr)->Finish(std::move(status));
}

std::string Subscription::Continuation(const ShardRead& read) const {
  // Subscribing AFTER it goes on at run.next. Without records the counter
  // stays and the time moves, so that progress is seen (contract §2.8).
  const Shard& shard = *position_->shard;
  const Counter counter = read.run.next == 0 ? 0 : read.run.next - 1;
  const int64_t event_ms = read.run.record_count > 0
                               ? read.run.last_arrival_ms
                               : absl::ToUnixMillis(context_.clock->WallNow());
  return SequenceNumber{shard.created_s, shard.index, counter,
                        static_cast<uint64_t>(event_ms / 1000)}
      .ToString();
}

}  // namespace trireme
