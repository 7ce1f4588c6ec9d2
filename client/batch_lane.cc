#include "client/batch_lane.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"

namespace trireme::client {
namespace {

constexpr absl::Duration kPauseFirst = absl::Milliseconds(100);
constexpr absl::Duration kPauseMax = absl::Seconds(10);

}  // namespace

BatchLane::BatchLane(const BatchOptions& options, const ShardLease& lease)
    : options_(options), lease_(lease), backoff_(kPauseFirst, kPauseMax) {
  if (options.tumbling_window > absl::ZeroDuration()) {
    window_.emplace(options.tumbling_window);
  }
}

void BatchLane::Add(uint64_t number, UserRecord record, absl::Time now) {
  queued_bytes_ += record.bytes();
  queue_.push_back({number, std::move(record), now});
}

absl::Time BatchLane::due_at() const {
  if (under_way_) return absl::InfiniteFuture();
  if (final_due_ || !pieces_.empty()) return retry_at_;
  if (flushing_ && !idle()) return absl::InfinitePast();
  absl::Time due = absl::InfiniteFuture();
  if (!queue_.empty()) {
    const bool full =
        queue_.size() >= static_cast<size_t>(options_.batch_size) ||
        queued_bytes_ >= options_.batch_bytes_max;
    due = full ? absl::InfinitePast()
               : queue_.front().came_at + options_.batching_window;
  }
  if (window_.has_value() && window_->open() && caught_up_) {
    due = std::min(due, window_->ends_at());
  }
  return due;
}

bool BatchLane::idle() const {
  return queue_.empty() && pieces_.empty() && !final_due_ && !in_window();
}

BatchLane::Work BatchLane::Next(absl::Time now) {
  if (under_way_ || now < retry_at_ || !HasWork(now)) return {};
  under_way_ = true;
  if (!final_due_) DiscardTooOld(now);
  if (!final_due_ && discard_.has_value()) return MakeDiscarded(now);
  return MakeBatch();
}

// Begins the next batch, or the window's end, when it is time.
bool BatchLane::HasWork(absl::Time now) {
  if (final_due_ || !pieces_.empty()) return true;
  if (window_.has_value() && !window_->open() && !queue_.empty()) {
    window_->Open(queue_.front().record.approximate_arrival_timestamp);
  }
  Front front = FrontOfQueue();
  if (window_.has_value() && window_->open()) {
    front.window_over |= flushing_ || (caught_up_ && now >= window_->ends_at());
    if (front.records == 0 && front.window_over) {
      final_due_ = window_->touched();
      if (final_due_) return true;
      window_->Close();
      return HasWork(now);
    }
  }
  if (front.records == 0) return false;
  if (!front.full && !front.window_over && !flushing_ &&
      now < queue_.front().came_at + options_.batching_window) {
    return false;
  }
  TakeFront(front.records);
  return true;
}

BatchLane::Front BatchLane::FrontOfQueue() const {
  Front front;
  uint64_t bytes = 0;
  for (const Queued& queued : queue_) {
    if (window_.has_value() &&
        !window_->Covers(queued.record.approximate_arrival_timestamp)) {
      front.window_over = true;
      break;
    }
    bytes += queued.record.bytes();
    // The first goes in whatever its size.
    if (front.records > 0 && bytes > options_.batch_bytes_max) {
      front.full = true;
      break;
    }
    ++front.records;
    if (front.records == static_cast<size_t>(options_.batch_size) ||
        bytes >= options_.batch_bytes_max) {
      front.full = true;
      break;
    }
  }
  return front;
}

void BatchLane::TakeFront(size_t records) {
  batch_.clear();
  numbers_.clear();
  batch_bytes_ = 0;
  batch_done_ = 0;
  for (size_t i = 0; i < records; ++i) {
    Queued& queued = queue_.front();
    batch_bytes_ += queued.record.bytes();
    batch_.push_back(std::move(queued.record));
    numbers_.push_back(queued.number);
    queue_.pop_front();
  }
  queued_bytes_ -= batch_bytes_;
  pieces_.push_back({records});
}

Batch BatchLane::MakeBatch() const {
  Batch batch = {lease_.stream_name, lease_.shard_id};
  if (window_.has_value()) {
    batch.window = {window_->start(), window_->end(), window_->state(),
                    final_due_, final_due_ && window_->state_too_large()};
  }
  if (final_due_) {
    batch.attempt = final_invocations_ + 1;
    return batch;
  }
  const Piece& piece = pieces_.back();
  batch.records =
      absl::MakeSpan(batch_).subspan(batch_done_, piece.end - batch_done_);
  batch.attempt = piece.invocations + 1;
  return batch;
}

DiscardedBatch BatchLane::MakeDiscarded(absl::Time now) const {
  DiscardedBatch batch;
  batch.request_id = discard_->request_id;
  batch.stream_name = lease_.stream_name;
  batch.stream_arn = options_.stream_arn;
  batch.shard_id = lease_.shard_id;
  batch.group_name = lease_.group_name;
  batch.worker_id = lease_.worker_id;
  batch.reason = discard_->reason;
  // 1 for records that were too old when they came, too (§6.3).
  batch.invoke_count = std::max(1, pieces_.back().invocations);
  if (discard_->reason == DiscardReason::kRetryAttemptsExhausted) {
    batch.error = last_error_;
  }
  batch.time = now;
  batch.records =
      absl::MakeSpan(batch_).subspan(batch_done_, discard_->end - batch_done_);
  return batch;
}

// Those at the front of the piece; the others are handled.
void BatchLane::DiscardTooOld(absl::Time now) {
  if (discard_.has_value()) return;
  size_t end = batch_done_;
  while (end < pieces_.back().end &&
         now - batch_[end].approximate_arrival_timestamp >
             options_.max_record_age) {
    ++end;
  }
  if (end > batch_done_) StartDiscard(end, DiscardReason::kRecordAgeExceeded);
}

void BatchLane::StartDiscard(size_t end, DiscardReason reason) {
  discard_ = {end, reason,
              absl::StrFormat("%016x%016x", absl::Uniform<uint64_t>(random_),
                              absl::Uniform<uint64_t>(random_))};
}

// None: all went well.
std::optional<BatchLane::Failure> BatchLane::FailureOf(
    const BatchResult& result) const {
  Failure failure = {batch_done_};
  if (!result.status.ok()) {
    failure.error = result.status;
    return failure;
  }
  if (window_.has_value() && !final_due_ && !result.state.has_value()) {
    failure.error = absl::FailedPreconditionError(
        "the result has no state; with tumbling windows it must have one");
    return failure;
  }
  if (result.failed.empty()) return std::nullopt;
  if (final_due_ || !options_.report_batch_item_failures) return failure;
  const auto begin = batch_.begin() + static_cast<ptrdiff_t>(batch_done_);
  const auto end = batch_.begin() + static_cast<ptrdiff_t>(pieces_.back().end);
  auto lowest = end;
  for (const RecordPosition& position : result.failed) {
    // In the order of the shard, so of positions.
    const auto at = std::lower_bound(
        begin, end, position,
        [](const UserRecord& record, const RecordPosition& position) {
          return record.position < position;
        });
    if (at == end || at->position != position) return failure;
    lowest = std::min(lowest, at);
  }
  failure.from = static_cast<size_t>(lowest - batch_.begin());
  return failure;
}

BatchLane::Finished BatchLane::OnResult(BatchResult result, absl::Time now) {
  under_way_ = false;
  if (final_due_) return OnFinalResult(result, now);
  Piece& piece = pieces_.back();
  ++piece.invocations;
  const std::optional<Failure> failure = FailureOf(result);
  const bool progress = !failure.has_value() || failure->from > batch_done_;
  if (window_.has_value() && progress) {
    window_->SetState(*std::move(result.state));
    final_due_ = window_->state_too_large();
  }
  const Finished finished =
      FinishTo(failure.has_value() ? failure->from : piece.end);
  if (failure.has_value()) {
    last_error_ = failure->error;
    OnFailure(progress, now);
  } else {
    OnProgress();
  }
  return finished;
}

BatchLane::Finished BatchLane::OnFinalResult(const BatchResult& result,
                                             absl::Time now) {
  ++final_invocations_;
  if (FailureOf(result).has_value()) {
    RetryAfterPause(now);
    return {};
  }
  if (window_->state_too_large()) {
    window_->DropState();  // The window goes on.
  } else {
    window_->Close();
  }
  final_due_ = false;
  final_invocations_ = 0;
  OnProgress();
  return {};
}

void BatchLane::OnFailure(bool progress, absl::Time now) {
  const bool split = Bisect(progress);
  // Not the same batch again: the pauses begin anew.
  if (split || progress) backoff_.Reset();
  if (split) {
    RetryAfterPause(now);
    return;
  }
  Piece& piece = pieces_.back();
  ++piece.failures;
  if (options_.max_retry_attempts < 0 ||
      piece.failures <= options_.max_retry_attempts) {
    RetryAfterPause(now);
    return;
  }
  OnProgress();
  StartDiscard(piece.end, DiscardReason::kRetryAttemptsExhausted);
}

// False when the batch cannot be split, or is not to be.
bool BatchLane::Bisect(bool progress) {
  if (!options_.bisect_on_error) return false;
  // It was split at the record that was reported.
  if (progress) return true;
  const size_t records = pieces_.back().end - batch_done_;
  if (records < 2) return false;
  Piece first = pieces_.back();
  first.end = batch_done_ + records / 2;
  pieces_.push_back(first);
  return true;
}

BatchLane::Finished BatchLane::FinishTo(size_t end) {
  const Finished finished(
      numbers_.begin() + static_cast<ptrdiff_t>(batch_done_),
      numbers_.begin() + static_cast<ptrdiff_t>(end));
  if (window_.has_value() && end > batch_done_) window_->Touch();
  for (; batch_done_ < end; ++batch_done_) {
    batch_bytes_ -= batch_[batch_done_].bytes();
  }
  while (!pieces_.empty() && pieces_.back().end <= batch_done_) {
    pieces_.pop_back();
  }
  return finished;
}

BatchLane::Finished BatchLane::OnDiscarded(const absl::Status& sent,
                                           absl::Time now) {
  under_way_ = false;
  if (!sent.ok()) {
    RetryAfterPause(now);
    return {};
  }
  const size_t end = discard_->end;
  discard_.reset();
  OnProgress();
  return FinishTo(end);
}

void BatchLane::OnProgress() {
  backoff_.Reset();
  retry_at_ = absl::InfinitePast();
}

}  // namespace trireme::client
