#include "server/http/http_answer.h"

#include <utility>

#include "storage/check.h"

namespace trireme {

HttpAnswer::HttpAnswer(HttpLoop* loop, std::shared_ptr<uint64_t> unanswered,
                       absl::AnyInvocable<void()> changed)
    : loop_(loop),
      unanswered_(std::move(unanswered)),
      changed_(std::move(changed)) {
  ++*unanswered_;
}

void HttpAnswer::Respond(HttpResponse response) {
  CHECK(unanswered_ != nullptr && !streaming_, "a request is answered once");
  pending_ = std::move(response.body);
  head_ = std::move(response);
  complete_ = true;
  Answered();
  Changed();
}

void HttpAnswer::BeginStream(HttpResponse head,
                             std::shared_ptr<HttpStreamWriter> writer) {
  CHECK(unanswered_ != nullptr && !streaming_, "a request is answered once");
  streaming_ = true;
  past_writer_ = writer;
  if (changed_ == nullptr) {
    // Not from within this call.
    loop_->Post([writer = std::move(writer)] { writer->OnClosed(); });
    return;
  }
  writer_ = std::move(writer);
  pending_ = std::move(head.body);
  head_ = std::move(head);
  Changed();
}

void HttpAnswer::Write(absl::Cord piece) {
  CHECK(aborted_ || (streaming_ && !complete_), "a piece outside of a stream");
  CHECK(piece_ == Piece::kNone, "a piece before the last one's OnWritten");
  if (changed_ == nullptr || aborted_) {
    loop_->Post([past = past_writer_] {
      if (const auto writer = past.lock()) writer->OnWritten(false);
    });
    return;
  }
  piece_ = Piece::kPending;
  pending_.Append(std::move(piece));
  Changed();
}

void HttpAnswer::End() {
  if (aborted_) return;
  CHECK(streaming_ && !complete_, "the end of what is no stream");
  complete_ = true;
  Answered();
  if (piece_ == Piece::kNone) writer_ = nullptr;
  Changed();
}

void HttpAnswer::Abort() {
  aborted_ = true;
  complete_ = true;
  Answered();
  if (piece_ == Piece::kNone) writer_ = nullptr;
  Changed();
}

void HttpAnswer::Drop() {
  if (unanswered_ != nullptr) Abort();
}

HttpResponse HttpAnswer::TakeHead() {
  HttpResponse head = *std::move(head_);
  head_.reset();
  return head;
}

absl::Cord HttpAnswer::Take(uint64_t bytes, bool* ends_piece) {
  absl::Cord taken;
  if (bytes >= pending_.size()) {
    taken = std::exchange(pending_, absl::Cord());
  } else {
    taken = pending_.Subcord(0, bytes);
    pending_.RemovePrefix(bytes);
  }
  *ends_piece = pending_.empty() && piece_ == Piece::kPending;
  if (*ends_piece) piece_ = Piece::kTaken;
  return taken;
}

void HttpAnswer::PieceWritten(bool ok) {
  piece_ = Piece::kNone;
  // The writer may call back into this.
  const std::shared_ptr<HttpStreamWriter> writer =
      complete_ ? std::exchange(writer_, nullptr) : writer_;
  const std::shared_ptr<HttpStreamWriter> told =
      writer != nullptr ? writer : past_writer_.lock();
  if (told != nullptr) told->OnWritten(ok);
}

void HttpAnswer::Close() {
  if (changed_ == nullptr) return;
  changed_ = nullptr;
  pending_.Clear();
  const bool ended = complete_;
  // A piece that was taken is told of by who took it.
  if (piece_ == Piece::kPending) PieceWritten(false);
  const std::shared_ptr<HttpStreamWriter> writer =
      std::exchange(writer_, nullptr);
  if (writer != nullptr && !ended && !complete_) writer->OnClosed();
}

void HttpAnswer::Changed() {
  if (changed_ != nullptr) changed_();
}

void HttpAnswer::Answered() {
  if (unanswered_ == nullptr) return;
  --*unanswered_;
  unanswered_ = nullptr;
}

}  // namespace trireme
