// What becomes of the records that a lane has sent.
#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/error.h"
#include "client/producer_lane.h"
#include "client/regroup.h"

namespace trireme::client {
namespace {

constexpr char kCall[] = "PutRecordsStream";
// Records that every stream takes.
constexpr uint64_t kStreamRecordBytesMin = 1 << 20;

// An aggregate that may be over the stream's limit of a record, which only the
// service knows.
bool MayBeTooLarge(const Container& container) {
  return container.is_aggregate() && !container.may_be_written &&
         container.EntryBytes() > kStreamRecordBytesMin;
}

bool IsOutcome(const v1::PutRecordsResult& result) {
  return !result.error_code().empty() || !result.sequence_number().empty();
}

}  // namespace

// The call ended with `status`: what becomes of the requests it has not
// answered. An error answers the first of them; the ones behind it were not
// read when it was refused, and are unknown in every other case.
void ProducerLane::OnBroken(const absl::Status& status) {
  Outcomes outcomes;
  Failure failure = Failure::kUnknown;
  {
    absl::MutexLock lock(&mu_);
    std::deque<Sent> unanswered = std::exchange(sent_, {});
    const absl::Status error =
        status.ok() ? MakeError(absl::StatusCode::kUnavailable, "", kCall,
                                "the server ended the call")
                    : status;
    // gRPC's own limit on sizes: which request it was is not known.
    const bool is_untyped =
        absl::IsResourceExhausted(error) && Reason(error).empty();
    failure = is_untyped ? Failure::kUnknown : Classify(error);
    // The node took the call itself for none, and read nothing of it.
    const bool refused_all = Reason(error) == "NodeStarting";
    bool first = true;
    for (Sent& sent : unanswered) {
      if (first && failure == Failure::kRefused) {
        OnRefused(std::move(sent), error, outcomes);
      } else {
        const bool not_done = failure == Failure::kRefused || refused_all ||
                              (first && failure == Failure::kNotDone);
        for (Container& container : sent.containers) {
          if (not_done) {
            if (first) {
              container.KeepError(error);
              outcomes.AddError(error);
            }
            Repeat(std::move(container));
          } else {
            OnUnknown(std::move(container), error, outcomes);
          }
        }
      }
      first = false;
    }
    RequeueFailed();
    SealHeldUp();
  }
  Tell(outcomes);
  // A refusal was of one request, not of what expires.
  SettleExpired(failure == Failure::kNotDone ? status : absl::OkStatus());
}

void ProducerLane::OnRefused(Sent sent, const absl::Status& status,
                             Outcomes& outcomes) {
  // One bad record fails its whole request: send them one by one to find it.
  const bool find_it =
      absl::IsInvalidArgument(status) && sent.containers.size() > 1;
  for (Container& container : sent.containers) {
    if (find_it) {
      container.alone = true;
      Repeat(std::move(container));
    } else if (absl::IsInvalidArgument(status) && MayBeTooLarge(container)) {
      outcomes.AddError(status);
      for (Container& half : Container::Halve(std::move(container))) {
        Repeat(std::move(half));
      }
    } else {
      outcomes.AddError(status);
      Container::Fail(std::move(container), status, outcomes);
    }
  }
}

void ProducerLane::OnUnknown(Container container, const absl::Status& status,
                             Outcomes& outcomes) {
  container.last_error = AsOutcomeUnknown(status);
  container.may_be_written = true;
  outcomes.AddError(container.last_error);
  if (options_.delivery == Delivery::kAtMostOnce) {
    const absl::Status why = container.last_error;
    Container::Fail(std::move(container), why, outcomes);
    return;
  }
  Repeat(std::move(container));
}

void ProducerLane::Repeat(Container container) {
  expire_at_ = std::min(expire_at_, container.expires());
  failed_.push_back(std::move(container));
}

void ProducerLane::RequeueFailed() {
  queue_.insert(queue_.begin(), std::make_move_iterator(failed_.begin()),
                std::make_move_iterator(failed_.end()));
  failed_.clear();
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

// False when it answers no request of ours, or not as the service does.
bool ProducerLane::OnAnswer(const v1::PutRecordsResponse& answer) {
  Outcomes outcomes;
  {
    absl::MutexLock lock(&mu_);
    if (sent_.empty() ||
        answer.records_size() !=
            static_cast<int>(sent_.front().containers.size()) ||
        !std::all_of(answer.records().begin(), answer.records().end(),
                     IsOutcome)) {
      return false;
    }
    Sent sent = std::move(sent_.front());
    sent_.pop_front();
    outcomes.AddRequestTime(absl::Now() - sent.sent_at);
    for (int i = 0; i < answer.records_size(); ++i) {
      SettleOne(std::move(sent.containers[i]), answer.records(i), outcomes);
    }
    if (failed_.empty()) clean_answer_ = true;
    SealHeldUp();
  }
  Tell(outcomes);
  return true;
}

void ProducerLane::SettleOne(Container container,
                             const v1::PutRecordsResult& result,
                             Outcomes& outcomes) {
  if (result.error_code().empty()) {
    OnWritten(std::move(container),
              {result.shard_id(), result.sequence_number(), result.duplicate()},
              outcomes);
    return;
  }
  if (result.error_code() == "ProvisionedThroughputExceededException" ||
      result.error_code() == "LimitExceededException") {
    const absl::Status error =
        MakeError(absl::StatusCode::kResourceExhausted, result.error_code(),
                  kCall, result.error_message());
    container.KeepError(error);
    outcomes.AddError(error);
    Repeat(std::move(container));
    return;
  }
  if (result.error_code() == "ProducerFencedException" ||
      result.error_code() == "StaleProducerNumberException") {
    const absl::Status error =
        MakeError(absl::StatusCode::kFailedPrecondition, result.error_code(),
                  kCall, result.error_message());
    outcomes.AddError(error);
    Container::Fail(std::move(container), error, outcomes);
    return;
  }
  const absl::Status error =
      MakeError(absl::StatusCode::kInternal, result.error_code(), kCall,
                result.error_message());
  OnUnknown(std::move(container), error, outcomes);
}

void ProducerLane::OnWritten(Container container, const PutOutcome& outcome,
                             Outcomes& outcomes) {
  if (!container.is_aggregate() || container.shard_id() == outcome.shard_id) {
    Container::Succeed(std::move(container), outcome, outcomes);
    return;
  }
  container.misplaced = outcome;
  container.may_be_written = true;
  container.last_error = AsOutcomeUnknown(
      MakeError(absl::StatusCode::kUnavailable, "", kCall,
                absl::StrCat("its aggregate was written to ", outcome.shard_id,
                             ", and it is not known which hash keys belong "
                             "there")));
  Repeat(std::move(container));
}

void ProducerLane::Tell(Outcomes& outcomes) {
  outcomes.Tell(shared_.numbers, shared_.budget, shared_.counters);
}

// --- what needs a place or a number, on the lane's thread ---

// When there are aggregates that were written to other shards than they were
// made for (client/regroup.h), learns the shards: what readers leave out is
// queued again, and new aggregates of a shard that is closed are made anew.
// Then gives numbers to those that have none. What cannot be placed yet stays
// so, and is asked for after a pause.
void ProducerLane::PlaceAll() {
  bool has_misplaced = false;
  {
    absl::MutexLock lock(&mu_);
    bool is_any_to_be_placed = false;
    for (const Container& container : queue_) {
      has_misplaced |= container.misplaced.has_value();
      is_any_to_be_placed |= IsToBePlaced(container);
    }
    if (!is_any_to_be_placed) return;
  }
  std::shared_ptr<const ShardMap> shards;
  if (has_misplaced) {
    shared_.shards_changed = true;
    const absl::Time now = absl::Now();
    shards = client_.topology().LearnShards(options_.stream_name, now,
                                            now + options_.delivery_timeout);
  }
  Outcomes outcomes;
  {
    absl::MutexLock lock(&mu_);
    if (shards != nullptr) {
      std::deque<Container> placed;
      for (Container& container : queue_) {
        for (Container& part : Place(std::move(container), *shards, outcomes)) {
          placed.push_back(std::move(part));
        }
      }
      queue_ = std::move(placed);
    }
    if (shared_.is_numbered()) GiveNumbers(queue_, shared_.numbers);
    SealHeldUp();
  }
  Tell(outcomes);
}

// What of it is to be sent.
std::deque<Container> ProducerLane::Place(Container container,
                                          const ShardMap& shards,
                                          Outcomes& outcomes) {
  const AggregationOptions limits =
      options_.aggregation.value_or(AggregationOptions());
  const bool is_of_another_stream = container.stream_id() != shards.stream_id();
  std::deque<Container> parts;
  if (container.misplaced.has_value()) {
    const auto range = shards.RangeOf(container.misplaced->shard_id);
    if (is_of_another_stream) {
      // What became of it is not to be found out any more.
      const absl::Status why = container.last_error;
      Container::Fail(std::move(container), why, outcomes);
    } else if (range.has_value()) {
      parts = SplitMisplaced(std::move(container), *range, shards, limits,
                             outcomes);
    } else {
      parts.push_back(std::move(container));
    }
  } else if (container.is_aggregate() && !container.may_be_written &&
             !is_of_another_stream && !container.BelongsAsBefore(shards)) {
    parts = Regroup(std::move(container), shards, limits);
  } else {
    parts.push_back(std::move(container));
  }
  return parts;
}

}  // namespace trireme::client
