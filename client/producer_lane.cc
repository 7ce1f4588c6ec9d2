#include "client/producer_lane.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/time/clock.h"
#include "client/error.h"

namespace trireme::client {
namespace {

constexpr char kCall[] = "PutRecordsStream";
constexpr absl::Duration kConnectAttempt = absl::Seconds(1);
// Between two looks for expired records, each of which goes through all.
constexpr absl::Duration kSweepPauseMin = absl::Milliseconds(20);

absl::Status Cancelled() {
  return MakeError(absl::StatusCode::kCancelled, kCancelled, kCall,
                   "the producer was ended before the record was answered");
}

}  // namespace

ProducerLane::ProducerLane(Client& client, ProducerShared& shared,
                           std::optional<uint32_t> group)
    : client_(client),
      shared_(shared),
      options_(shared.options),
      group_(group),
      open_(options_.aggregation.value_or(AggregationOptions()),
            shared.is_numbered()) {
  if (options_.compression.has_value()) {
    compressor_.emplace(options_.compression->level);
  }
  thread_ = std::thread([this] { Run(); });
}

ProducerLane::~ProducerLane() {
  Abort();
  if (thread_.joinable()) thread_.join();
}

bool ProducerLane::Add(UserPut& put, const ShardMap::Shard* shard,
                       uint64_t& number) {
  {
    absl::MutexLock lock(&mu_);
    const absl::Time expires = put.member.expires;
    if (!aborted_) {
      if (shard != nullptr) {
        if (!open_.Add(put, *shard, number, queue_)) return false;
      } else {
        if (shared_.is_numbered() && number == 0) return false;
        queue_.emplace_back(std::move(put)).number = std::exchange(number, 0);
      }
      expire_at_ = std::min(expire_at_, expires);
      SealHeldUp();
      return true;
    }
  }
  Outcomes outcomes;
  Container::Fail(Container(std::move(put)), Cancelled(), outcomes);
  Tell(outcomes);
  return true;
}

void ProducerLane::Seal() {
  absl::MutexLock lock(&mu_);
  open_.SealAll(queue_);
}

void ProducerLane::SealIfAwaited() {
  absl::MutexLock lock(&mu_);
  SealHeldUp();
}

void ProducerLane::SealHeldUp() {
  if (shared_.waiting == 0) return;
  if (queue_.empty() && sent_.empty() && failed_.empty()) {
    open_.SealAll(queue_);
  }
}

void ProducerLane::Close() {
  {
    absl::MutexLock lock(&mu_);
    open_.SealAll(queue_);
    closing_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void ProducerLane::Abort() {
  absl::MutexLock lock(&mu_);
  aborted_ = true;
  if (context_ != nullptr) context_->TryCancel();
}

void ProducerLane::Watch(absl::Time now) {
  {
    absl::MutexLock lock(&mu_);
    const absl::Time waits_since =
        sent_.empty() ? half_closed_at_ : sent_.front().sent_at;
    if (context_ != nullptr && now - waits_since > options_.answer_timeout) {
      context_->TryCancel();
    }
  }
  SettleExpired(absl::OkStatus());
}

// --- the lane's thread ---

void ProducerLane::Run() {
  while (WaitForWork()) {
    const Endpoint& endpoint = Destination();
    const absl::Status connected = endpoint.Connect(kCall, kConnectAttempt);
    if (!connected.ok()) {
      client_.endpoints().Leave(endpoint);
      SettleExpired(connected);
      WaitBeforeRetry(connected);
      continue;
    }
    RunCall(endpoint);
  }
  SettleAllCancelled();
}

// False when the lane ends.
bool ProducerLane::WaitForWork() {
  if (client_.cancellation().cancelled()) Abort();
  for (;;) {
    {
      absl::MutexLock lock(&mu_);
      if (AwaitOrExpire(&ProducerLane::HasWorkOrEnds)) {
        return !aborted_ && !queue_.empty();
      }
    }
    SettleExpired(absl::OkStatus());
  }
}

absl::Time ProducerLane::NextWake() const {
  return std::min(open_.seal_at(), expire_at_);
}

bool ProducerLane::AwaitOrExpire(bool (ProducerLane::*holds)() const) {
  // Also when a record came that is to be sealed, or expires, sooner.
  const auto stirs = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return (this->*holds)() || NextWake() < wakes_at_;
  };
  for (;;) {
    const absl::Time now = absl::Now();
    if (now >= expire_at_) return false;
    open_.SealDue(now, queue_);
    if ((this->*holds)()) return true;
    wakes_at_ = NextWake();
    mu_.AwaitWithDeadline(absl::Condition(&stirs), wakes_at_);
  }
}

void ProducerLane::RunCall(const Endpoint& endpoint) {
  grpc::ClientContext context;
  {
    absl::MutexLock lock(&mu_);
    if (aborted_) return;
    context_ = &context;
    broken_ = false;
    half_closed_at_ = absl::InfiniteFuture();
  }
  const auto call = endpoint.records->PutRecordsStream(&context);
  std::thread reader([&] { ReadAnswers(*call); });
  SendUntilBroken(endpoint, *call);
  {
    absl::MutexLock lock(&mu_);
    half_closed_at_ = absl::Now();
  }
  call->WritesDone();
  reader.join();
  const absl::Status status = FromGrpc(call->Finish(), kCall);
  {
    absl::MutexLock lock(&mu_);
    context_ = nullptr;
    if (std::exchange(clean_answer_, false)) backoff_.Reset();
  }
  OnBroken(status);
  if (absl::IsUnavailable(status)) client_.endpoints().Leave(endpoint);
  if (absl::IsNotFound(status)) {
    client_.topology().Forget(options_.stream_name);
  }
  WaitBeforeRetry(status);
}

bool ProducerLane::MaySendOrEnds() const {
  if (broken_ || aborted_) return true;
  // All answered: repeat them.
  if (!failed_.empty() || FrontIsToBePlaced()) return sent_.empty();
  if (queue_.empty()) return closing_ && sent_.empty();
  return sent_.size() < static_cast<size_t>(options_.requests_in_flight_max);
}

void ProducerLane::SendUntilBroken(const Endpoint& endpoint, Call& call) {
  v1::PutRecordsRequest request;
  while (AwaitTurn()) {
    // The group's leader moved: what was sent here is answered here, and the
    // rest goes there.
    if (&Destination() != &endpoint) return;
    if (TakeRequest(request) && !call.Write(request)) return;
  }
}

// Until there is something that may be sent; false when the call is to end.
bool ProducerLane::AwaitTurn() {
  for (;;) {
    bool is_pause = false;
    {
      absl::MutexLock lock(&mu_);
      if (AwaitOrExpire(&ProducerLane::MaySendOrEnds)) {
        if (broken_ || aborted_) return false;
        // Closing, and all is answered, when there is nothing.
        if (failed_.empty() && !FrontIsToBePlaced()) return !queue_.empty();
        if (std::exchange(clean_answer_, false)) backoff_.Reset();
        RequeueFailed();
        is_pause = true;
      }
    }
    SettleExpired(absl::OkStatus());
    if (!is_pause) continue;
    Pause(backoff_.Next());
    PlaceAll();
  }
}

// False when there is nothing to send any more.
bool ProducerLane::TakeRequest(v1::PutRecordsRequest& request) {
  Sent sent;
  {
    absl::MutexLock lock(&mu_);
    if (broken_ || aborted_ || queue_.empty() || FrontIsToBePlaced()) {
      return false;
    }
    GatherRequest(sent);
  }
  // Not under the lock: to compress takes a while.
  FillRequest(sent, request);
  TellSending(sent);
  absl::MutexLock lock(&mu_);
  // Known as sent before it is, so that an answer always finds it.
  sent_.push_back(std::move(sent));
  return true;
}

void ProducerLane::GatherRequest(Sent& sent) {
  uint64_t bytes = 0;
  while (!queue_.empty() &&
         sent.containers.size() <
             static_cast<size_t>(options_.request_records_max)) {
    Container& next = queue_.front();
    if (!sent.containers.empty() &&
        (next.alone || sent.containers.back().alone || IsToBePlaced(next) ||
         next.stream_id() != sent.containers.back().stream_id() ||
         bytes + next.EntryBytes() > options_.request_bytes_max)) {
      break;
    }
    bytes += next.EntryBytes();
    sent.containers.push_back(std::move(next));
    queue_.pop_front();
  }
}

void ProducerLane::FillRequest(Sent& sent, v1::PutRecordsRequest& request) {
  request.Clear();
  request.set_stream_name(options_.stream_name);
  // Another one of its name may have other ranges: aggregates are not for it.
  request.set_stream_id(sent.containers.front().stream_id());
  if (shared_.is_numbered()) {
    // Of a request whose numbers are taken, and not settled before it is
    // answered.
    v1::Producer& producer = *request.mutable_producer();
    producer.set_producer_id(options_.identity->id);
    producer.set_epoch(options_.identity->epoch);
    producer.set_oldest_number(shared_.numbers.oldest());
  }
  ProducerMetrics counts;
  counts.requests_sent = 1;
  sent.sent_at = absl::Now();
  for (Container& container : sent.containers) {
    v1::PutRecordsEntry* const entry = request.add_records();
    container.FillEntry(compressor_.has_value() ? &*compressor_ : nullptr,
                        entry);
    ++counts.container_records_sent;
    counts.container_bytes_sent += entry->data().size();
    if (container.attempts++ > 0) {
      ++counts.retries;
      continue;
    }
    for (const Member& member : container.members()) {
      counts.buffering_time.Add(sent.sent_at - member.put_at);
    }
  }
  shared_.counters.Add(counts);
}

void ProducerLane::TellSending(const Sent& sent) const {
  if (!options_.on_send) return;
  for (const Container& container : sent.containers) {
    for (const Member& member : container.members()) {
      options_.on_send(member.tag);
    }
  }
}

void ProducerLane::WaitBeforeRetry(const absl::Status& status) {
  {
    absl::MutexLock lock(&mu_);
    if (queue_.empty()) return;
  }
  // A refusal concerned one request, which is settled.
  if (!status.ok() && Classify(status) == Failure::kRefused) return;
  Pause(backoff_.Next(RetryDelay(status).value_or(absl::ZeroDuration())));
}

void ProducerLane::Pause(absl::Duration pause) {
  absl::MutexLock lock(&mu_);
  mu_.AwaitWithTimeout(absl::Condition(&aborted_), pause);
}

void ProducerLane::SettleExpired(const absl::Status& status) {
  Outcomes outcomes;
  {
    absl::MutexLock lock(&mu_);
    const absl::Time now = absl::Now();
    if (now < expire_at_) return;
    expire_at_ = open_.GiveUpExpired(now, outcomes);
    const auto give_up = [&](auto& containers) {
      std::erase_if(containers, [&](Container& container) {
        return !container.GiveUpExpired(now, status, outcomes);
      });
      for (const Container& container : containers) {
        expire_at_ = std::min(expire_at_, container.expires());
      }
    };
    give_up(queue_);
    give_up(failed_);
    // Something is sent in between, however many expire.
    expire_at_ = std::max(expire_at_, absl::Now() + kSweepPauseMin);
    SealHeldUp();
  }
  Tell(outcomes);
}

void ProducerLane::SettleAllCancelled() {
  Outcomes outcomes;
  {
    absl::MutexLock lock(&mu_);
    aborted_ = true;  // No record comes in behind us.
    open_.SealAll(queue_);
    RequeueFailed();
    for (Container& container : queue_) {
      Container::Fail(std::move(container), Cancelled(), outcomes);
    }
    queue_.clear();
  }
  Tell(outcomes);
}

}  // namespace trireme::client
