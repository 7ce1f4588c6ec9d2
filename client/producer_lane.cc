#include "client/producer_lane.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/error.h"

namespace trireme::client {
namespace {

constexpr char kCall[] = "PutRecordsStream";
constexpr absl::Duration kConnectAttempt = absl::Seconds(1);

absl::Status Cancelled() {
  return MakeError(absl::StatusCode::kCancelled, kCancelled, kCall,
                   "the producer was ended before the record was answered");
}

}  // namespace

ProducerLane::ProducerLane(Client& client, const ProducerOptions& options,
                           ByteBudget& budget, NumberWindow& numbers,
                           std::optional<uint32_t> group)
    : client_(client),
      options_(options),
      budget_(budget),
      numbers_(numbers),
      group_(group) {
  thread_ = std::thread([this] { Run(); });
}

ProducerLane::~ProducerLane() {
  Abort();
  if (thread_.joinable()) thread_.join();
}

void ProducerLane::Add(ProducerRecord record, uint64_t number,
                       PutCallback done) {
  Pending pending{std::move(record), number, std::move(done),
                  absl::Now() + options_.delivery_timeout, absl::OkStatus()};
  {
    absl::MutexLock lock(&mu_);
    if (!aborted_) {
      queue_.push_back(std::move(pending));
      return;
    }
  }
  Settled settled;
  settled.emplace_back(std::move(pending), Cancelled());
  Tell(std::move(settled));
}

void ProducerLane::Close() {
  {
    absl::MutexLock lock(&mu_);
    closing_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void ProducerLane::Abort() {
  absl::MutexLock lock(&mu_);
  aborted_ = true;
  if (context_ != nullptr) context_->TryCancel();
}

void ProducerLane::BreakIfSilent(absl::Time now) {
  absl::MutexLock lock(&mu_);
  if (context_ == nullptr || sent_.empty()) return;
  if (now - sent_.front().sent_at > options_.answer_timeout) {
    context_->TryCancel();
  }
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
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(this, &ProducerLane::HasWorkOrEnds));
  return !aborted_ && !queue_.empty();
}

void ProducerLane::RunCall(const Endpoint& endpoint) {
  grpc::ClientContext context;
  {
    absl::MutexLock lock(&mu_);
    if (aborted_) return;
    context_ = &context;
    broken_ = false;
  }
  const auto call = endpoint.records->PutRecordsStream(&context);
  std::thread reader([&] { ReadAnswers(*call); });
  SendUntilBroken(endpoint, *call);
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
  if (!failed_.empty()) return sent_.empty();  // All answered: repeat them.
  if (queue_.empty()) return closing_ && sent_.empty();
  return sent_.size() < static_cast<size_t>(options_.requests_in_flight_max);
}

void ProducerLane::SendUntilBroken(const Endpoint& endpoint, Call& call) {
  v1::PutRecordsRequest request;
  std::vector<uint64_t> tags;
  while (AwaitTurn()) {
    // The group's leader moved: what was sent here is answered here, and the
    // rest goes there.
    if (&Destination() != &endpoint) return;
    if (!TakeRequest(request, tags)) return;
    if (options_.delivery == Delivery::kExactlyOnce) AddProducer(request);
    if (options_.on_send) {
      for (const uint64_t tag : tags) options_.on_send(tag);
    }
    if (!call.Write(request)) return;
  }
}

// Until there is something that may be sent; false when the call is to end.
bool ProducerLane::AwaitTurn() {
  for (;;) {
    {
      absl::MutexLock lock(&mu_);
      mu_.Await(absl::Condition(this, &ProducerLane::MaySendOrEnds));
      if (broken_ || aborted_) return false;
      // Closing, and all is answered, when there is nothing.
      if (failed_.empty()) return !queue_.empty();
      if (std::exchange(clean_answer_, false)) backoff_.Reset();
      RequeueFailed();
    }
    SettleExpired(absl::OkStatus());
    client_.cancellation().WaitFor(backoff_.Next());
  }
}

// False when the call is to end.
bool ProducerLane::TakeRequest(v1::PutRecordsRequest& request,
                               std::vector<uint64_t>& tags) {
  absl::MutexLock lock(&mu_);
  if (broken_ || aborted_ || queue_.empty()) return false;
  Sent sent;
  GatherRequest(sent);
  request.Clear();
  request.set_stream_name(options_.stream_name);
  tags.clear();
  for (const Pending& pending : sent.records) {
    v1::PutRecordsEntry* entry = request.add_records();
    entry->set_data(pending.record.data);
    entry->set_partition_key(pending.record.partition_key);
    entry->set_explicit_hash_key(pending.record.explicit_hash_key);
    entry->set_number(pending.number);
    tags.push_back(pending.record.tag);
  }
  // Known as sent before it is, so that an answer always finds it.
  sent_.push_back(std::move(sent));
  return true;
}

// Of a request whose numbers are taken, and not settled before it is answered.
void ProducerLane::AddProducer(v1::PutRecordsRequest& request) const {
  v1::Producer& producer = *request.mutable_producer();
  producer.set_producer_id(options_.identity->id);
  producer.set_epoch(options_.identity->epoch);
  producer.set_oldest_number(numbers_.oldest());
}

void ProducerLane::GatherRequest(Sent& sent) {
  uint64_t bytes = 0;
  while (!queue_.empty() &&
         sent.records.size() <
             static_cast<size_t>(options_.request_records_max)) {
    Pending& next = queue_.front();
    if (!sent.records.empty() &&
        (next.alone || sent.records.back().alone ||
         bytes + next.bytes() > options_.request_bytes_max)) {
      break;
    }
    bytes += next.bytes();
    sent.records.push_back(std::move(next));
    queue_.pop_front();
  }
  sent.sent_at = absl::Now();
}

// The call ended with `status`: what becomes of the requests it has not
// answered. An error answers the first of them; the ones behind it were not
// read when it was refused, and are unknown in every other case.
void ProducerLane::OnBroken(const absl::Status& status) {
  Settled settled;
  {
    absl::MutexLock lock(&mu_);
    std::deque<Sent> unanswered = std::exchange(sent_, {});
    const absl::Status error =
        status.ok() ? MakeError(absl::StatusCode::kUnavailable, "", kCall,
                                "the server ended the call")
                    : status;
    const Failure failure = Classify(error);
    // The node took the call itself for none, and read nothing of it.
    const bool refused_all = Reason(error) == "NodeStarting";
    bool first = true;
    for (Sent& sent : unanswered) {
      if (first && failure == Failure::kRefused) {
        OnRefused(std::move(sent), error, settled);
      } else {
        const bool not_done = failure == Failure::kRefused || refused_all ||
                              (first && failure == Failure::kNotDone);
        for (Pending& pending : sent.records) {
          if (not_done) {
            if (first) pending.KeepError(error);
            failed_.push_back(std::move(pending));
          } else {
            OnUnknown(std::move(pending), error, settled);
          }
        }
      }
      first = false;
    }
    RequeueFailed();
  }
  Tell(std::move(settled));
  SettleExpired(status);
}

void ProducerLane::OnRefused(Sent sent, const absl::Status& status,
                             Settled& settled) {
  // One bad record fails its whole request: send them one by one to find it.
  const bool find_it =
      absl::IsInvalidArgument(status) && sent.records.size() > 1;
  for (Pending& pending : sent.records) {
    if (find_it) {
      pending.alone = true;
      failed_.push_back(std::move(pending));
    } else {
      const absl::Status why = pending.Error(status);
      settled.emplace_back(std::move(pending), why);
    }
  }
}

void ProducerLane::OnUnknown(Pending pending, const absl::Status& status,
                             Settled& settled) {
  pending.last_error = AsOutcomeUnknown(status);
  pending.may_be_written = true;
  if (options_.delivery == Delivery::kAtMostOnce) {
    const absl::Status why = pending.last_error;
    settled.emplace_back(std::move(pending), why);
    return;
  }
  failed_.push_back(std::move(pending));
}

void ProducerLane::RequeueFailed() {
  queue_.insert(queue_.begin(), std::make_move_iterator(failed_.begin()),
                std::make_move_iterator(failed_.end()));
  failed_.clear();
}

void ProducerLane::WaitBeforeRetry(const absl::Status& status) {
  {
    absl::MutexLock lock(&mu_);
    if (queue_.empty()) return;
  }
  // A refusal concerned one request, which is settled.
  if (!status.ok() && Classify(status) == Failure::kRefused) return;
  client_.cancellation().WaitFor(std::max(
      backoff_.Next(), RetryDelay(status).value_or(absl::ZeroDuration())));
}

void ProducerLane::SettleExpired(const absl::Status& status) {
  Settled settled;
  {
    absl::MutexLock lock(&mu_);
    const absl::Time now = absl::Now();
    std::deque<Pending> rest;
    for (Pending& pending : queue_) {
      if (pending.expires > now) {
        rest.push_back(std::move(pending));
        continue;
      }
      absl::Status why = !pending.last_error.ok() ? pending.last_error : status;
      if (why.ok()) {
        why = MakeError(absl::StatusCode::kDeadlineExceeded, kNotConnected,
                        kCall, "the record was not sent in time");
      }
      settled.emplace_back(std::move(pending), std::move(why));
    }
    queue_ = std::move(rest);
  }
  Tell(std::move(settled));
}

void ProducerLane::SettleAllCancelled() {
  Settled settled;
  {
    absl::MutexLock lock(&mu_);
    aborted_ = true;  // No record comes in behind us.
    RequeueFailed();
    for (Pending& pending : queue_) {
      const absl::Status why = pending.Error(Cancelled());
      settled.emplace_back(std::move(pending), why);
    }
    queue_.clear();
  }
  Tell(std::move(settled));
}

// --- the reading thread ---

void ProducerLane::ReadAnswers(Call& call) {
  v1::PutRecordsResponse answer;
  while (call.Read(&answer)) {
    if (OnAnswer(answer)) continue;
    // Answers no longer match requests: nothing on this call can be trusted.
    absl::MutexLock lock(&mu_);
    context_->TryCancel();
    break;
  }
  absl::MutexLock lock(&mu_);
  broken_ = true;
}

// False when it answers no request of ours.
bool ProducerLane::OnAnswer(const v1::PutRecordsResponse& answer) {
  Settled settled;
  {
    absl::MutexLock lock(&mu_);
    if (sent_.empty() || answer.records_size() !=
                             static_cast<int>(sent_.front().records.size())) {
      return false;
    }
    Sent sent = std::move(sent_.front());
    sent_.pop_front();
    for (int i = 0; i < answer.records_size(); ++i) {
      SettleOne(std::move(sent.records[i]), answer.records(i), settled);
    }
    if (failed_.empty()) clean_answer_ = true;
  }
  Tell(std::move(settled));
  return true;
}

void ProducerLane::SettleOne(Pending pending,
                             const v1::PutRecordsResult& result,
                             Settled& settled) {
  if (result.error_code().empty()) {
    settled.emplace_back(std::move(pending),
                         PutOutcome{result.shard_id(), result.sequence_number(),
                                    result.duplicate()});
    return;
  }
  if (result.error_code() == "ProvisionedThroughputExceededException" ||
      result.error_code() == "LimitExceededException") {
    pending.KeepError(MakeError(absl::StatusCode::kResourceExhausted,
                                result.error_code(), kCall,
                                result.error_message()));
    failed_.push_back(std::move(pending));
    return;
  }
  if (result.error_code() == "ProducerFencedException" ||
      result.error_code() == "StaleProducerNumberException") {
    const absl::Status why = pending.Error(
        MakeError(absl::StatusCode::kFailedPrecondition, result.error_code(),
                  kCall, result.error_message()));
    settled.emplace_back(std::move(pending), why);
    return;
  }
  const absl::Status error =
      MakeError(absl::StatusCode::kInternal, result.error_code(), kCall,
                result.error_message());
  OnUnknown(std::move(pending), error, settled);
}

void ProducerLane::Tell(Settled settled) {
  for (auto& [pending, outcome] : settled) {
    const uint64_t bytes = pending.bytes();
    if (pending.done) pending.done(std::move(outcome));
    if (pending.number != 0) numbers_.Settle(pending.number);
    budget_.Release(bytes);
  }
}

}  // namespace trireme::client
