#include "server/grpc/put_records_stream.h"

#include <utility>

#include "server/grpc/grpc_status.h"
#include "server/grpc/record_messages.h"

namespace trireme {
namespace {

// Read no further while this much is unanswered.
constexpr uint64_t kUnansweredBytesMax = 16u << 20;
constexpr size_t kUnansweredPutsMax = 1024;

}  // namespace

PutRecordsStream::PutRecordsStream(Broker* broker,
                                   grpc::CallbackServerContext* context)
    : broker_(broker), context_(context) {
  // Ahead of the first answer: with a buffer hint gRPC would keep both back
  // until something else is written, and end the write only then.
  StartSendInitialMetadata();
  {
    absl::MutexLock lock(&mu_);
    TakeTurn();
  }
  Turn();
}

void PutRecordsStream::OnReadDone(bool ok) {
  Put* put = nullptr;
  {
    absl::MutexLock lock(&mu_);
    reading_ = false;
    if (!ok || refused_ || ending_.has_value()) {
      puts_.pop_back();
      read_all_ = true;
      if (!TakeTurn()) return;
    } else {
      put = puts_.back().get();
      put->bytes = put->buffer.Length();
      unanswered_bytes_ += put->bytes;
      ++in_progress_;
      starting_ = put;
      starting_done_ = false;
    }
  }
  if (put == nullptr) return Turn();
  const bool proposed = Begin(put);
  {
    absl::MutexLock lock(&mu_);
    if (!proposed && !starting_done_) holding_ = put;
    starting_ = nullptr;
    if (!TakeTurn()) return;
  }
  Turn();
}

// See Broker::PutRecords for the answer.
bool PutRecordsStream::Begin(Put* put) {
  const absl::Status parsed = ParseMessage(put->buffer, &put->request);
  if (!parsed.ok()) {
    OnPut(put, parsed);
    return true;
  }
  PutRecordsRequest request = FromMessage(put->request);
  request.sequence = sequence_;
  return broker_->PutRecords(
      request, TimeLeft(*context_),
      [this, put](absl::StatusOr<PutRecordsResponse> out) {
        OnPut(put, std::move(out));
      });
}

void PutRecordsStream::OnPut(Put* put,
                             absl::StatusOr<PutRecordsResponse> response) {
  // Nobody else looks at a put before it is done.
  if (response.ok()) {
    v1::PutRecordsResponse message;
    ToMessage(*response, &message);
    put->buffer = SerializeMessage(message);
  }
  {
    absl::MutexLock lock(&mu_);
    put->status = response.status();
    put->done = true;
    // What follows a refused request is not written: its producer is told so
    // by the end of the call, and sends it again.
    refused_ |= !response.ok();
    put->request.Clear();
    --in_progress_;
    if (starting_ == put) starting_done_ = true;
    if (holding_ == put) holding_ = nullptr;
    if (!TakeTurn()) return;
  }
  Turn();
}

void PutRecordsStream::OnWriteDone(bool ok) {
  {
    absl::MutexLock lock(&mu_);
    writing_ = false;
    if (ok) {
      unanswered_bytes_ -= puts_.front()->bytes;
      puts_.pop_front();
    } else if (!ending_.has_value()) {
      ending_ = absl::CancelledError("the producer is gone");
    }
    if (!TakeTurn()) return;
  }
  Turn();
}

void PutRecordsStream::OnCancel() {
  {
    absl::MutexLock lock(&mu_);
    if (!ending_.has_value()) {
      ending_ = absl::CancelledError("the call was cancelled");
    }
    if (!TakeTurn()) return;
  }
  Turn();
}

bool PutRecordsStream::TakeTurn() {
  turn_again_ = in_turn_;
  if (in_turn_) return false;
  in_turn_ = true;
  return true;
}

void PutRecordsStream::Turn() {
  for (;;) {
    Next next;
    {
      absl::MutexLock lock(&mu_);
      turn_again_ = false;
      next = Decide();
    }
    if (next.finish.has_value()) {
      // The turn is never given back: nothing may be started any more.
      Finish(ToGrpcStatus(*next.finish));
      return;
    }
    if (next.read != nullptr) StartRead(next.read);
    if (next.write != nullptr) {
      // Answers that are due together leave in one packet.
      grpc::WriteOptions options;
      if (next.write_goes_on) options.set_buffer_hint();
      StartWrite(next.write, options);
    }
    absl::MutexLock lock(&mu_);
    if (!turn_again_) {
      in_turn_ = false;
      return;
    }
  }
}

PutRecordsStream::Next PutRecordsStream::Decide() {
  Next next;
  const bool answer_due = !puts_.empty() && puts_.front()->done;
  if (answer_due && !writing_ && !ending_.has_value()) {
    if (puts_.front()->status.ok()) {
      writing_ = true;
      next.write = &puts_.front()->buffer;
      next.write_goes_on =
          puts_.size() > 1 && puts_[1]->done && puts_[1]->status.ok();
    } else {
      ending_ = puts_.front()->status;
    }
  }
  if (MayFinish()) {
    next.finish = ending_.value_or(absl::OkStatus());
  } else if (MayRead()) {
    puts_.push_back(std::make_unique<Put>());
    reading_ = true;
    next.read = &puts_.back()->buffer;
  }
  return next;
}

bool PutRecordsStream::MayRead() const {
  return !reading_ && !read_all_ && !refused_ && !ending_.has_value() &&
         starting_ == nullptr && holding_ == nullptr &&
         unanswered_bytes_ <= kUnansweredBytesMax &&
         puts_.size() < kUnansweredPutsMax;
}

// Puts in progress refer to this object: it outlives them.
bool PutRecordsStream::MayFinish() const {
  if (in_progress_ > 0 || writing_ || starting_ != nullptr) return false;
  return ending_.has_value() || (read_all_ && puts_.empty());
}

}  // namespace trireme
