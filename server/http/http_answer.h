// HttpAnswer is one answer between the exchange, where a service writes it, and
// the connection, which sends it: it keeps what HttpExchange promises to the
// service whatever happens to the connection.
//
// Shared by both; on the loop's thread only.
#ifndef TRIREME_SERVER_HTTP_HTTP_ANSWER_H_
#define TRIREME_SERVER_HTTP_HTTP_ANSWER_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/strings/cord.h"
#include "server/http/http_exchange.h"
#include "server/http/http_loop.h"

namespace trireme {

class HttpAnswer {
 public:
  // `changed` is called when there is something new to send, until Close.
  // `unanswered` counts the answers that the service still owes. `loop` must
  // outlive the calls of the service's side.
  HttpAnswer(HttpLoop* loop, std::shared_ptr<uint64_t> unanswered,
             absl::AnyInvocable<void()> changed);

  // The service's side: the calls of its exchange.
  void Respond(HttpResponse response);
  void BeginStream(HttpResponse head, std::shared_ptr<HttpStreamWriter> writer);
  void Write(absl::Cord piece);
  void End();
  void Abort();
  // The service has let go of the exchange.
  void Drop();

  // The connection's side.
  bool has_head() const { return head_.has_value(); }
  // Its body is among the pending bytes.
  HttpResponse TakeHead();
  // The head is that of a body in pieces.
  bool streaming() const { return streaming_; }
  bool aborted() const { return aborted_; }
  uint64_t pending_bytes() const { return pending_.size(); }
  // All of the body is pending, or taken.
  bool complete() const { return complete_; }
  // The next bytes of the body. When they are the last of a Write, says so in
  // `ends_piece`: PieceWritten is to follow.
  absl::Cord Take(uint64_t bytes, bool* ends_piece);
  // An empty Write waits to be taken.
  bool HasEmptyPiece() const {
    return pending_.empty() && piece_ == Piece::kPending;
  }
  void PieceWritten(bool ok);
  // The connection is done with it: nothing more is sent.
  void Close();

 private:
  enum class Piece { kNone, kPending, kTaken };

  void Changed();
  void Answered();

  HttpLoop* const loop_;
  std::shared_ptr<uint64_t> unanswered_;  // Null once answered.
  absl::AnyInvocable<void()> changed_;    // Null once closed.
  std::optional<HttpResponse> head_;
  absl::Cord pending_;
  bool streaming_ = false;
  bool complete_ = false;
  bool aborted_ = false;
  Piece piece_ = Piece::kNone;
  // Held while there may be news for it; afterwards only known.
  std::shared_ptr<HttpStreamWriter> writer_;
  std::weak_ptr<HttpStreamWriter> past_writer_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_HTTP_ANSWER_H_
