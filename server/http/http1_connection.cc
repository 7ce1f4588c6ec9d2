#include "server/http/http1_connection.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/http/loop_exchange.h"

namespace trireme {
namespace {

// Requests that came early wait here; more of them wait in the kernel.
constexpr size_t kEarlyBytesMax = 16 << 10;

}  // namespace

Http1Connection::Http1Connection(HttpContext* context,
                                 std::shared_ptr<HttpLoop> loop,
                                 HttpSocket* socket, std::string bytes)
    : context_(context),
      loop_(std::move(loop)),
      socket_(socket),
      changed_(loop_->executor()),
      input_(loop_.get(), socket, std::move(bytes), &changed_),
      unanswered_(std::make_shared<uint64_t>(0)),
      draining_(context->draining) {}

Awaitable<void> Http1Connection::Run() {
  loop_->Spawn(input_.Run());
  bool goes_on = true;
  while (goes_on) goes_on = co_await ServeOne();
  co_await input_.Stop();
  if (upgrade_.has_value()) co_return;
  if (linger_) co_await socket_->Finish();
  socket_->Close();
}

void Http1Connection::StartDraining() {
  draining_ = true;
  changed_.Notify();
}

Awaitable<bool> Http1Connection::ServeOne() {
  parser_.emplace(context_->limits, context_->body_budget);
  const bool is_read = co_await ReadRequest();
  if (!is_read) {
    const int refusal = parser_->refusal();
    if (refusal != 0) co_await Refuse(refusal);
    co_return false;
  }
  const bool upgraded = co_await MaybeUpgrade();
  if (upgraded) co_return false;
  Serve();
  const bool sent = co_await SendAnswer();
  answer_->Close();
  answer_ = nullptr;
  if (!sent) co_return false;
  co_return keep_alive_;
}

Awaitable<bool> Http1Connection::ReadRequest() {
  const bool has_head = co_await ReadHead();
  if (!has_head) co_return false;
  const bool more_to_come = !parser_->done();
  if (more_to_come && parser_->expects_continue() && input_.bytes().empty()) {
    const absl::Status asked =
        co_await socket_->Write(absl::Cord("HTTP/1.1 100 Continue\r\n\r\n"));
    if (!asked.ok()) co_return false;
  }
  bool has_body = true;
  if (more_to_come) has_body = co_await ReadBody();
  if (!has_body) co_return false;
  socket_->ExpectNoInput();
  co_return true;
}

Awaitable<bool> Http1Connection::ReadHead() {
  bool goes_on = true;
  if (input_.bytes().empty()) {
    socket_->ExpectInputWithin(context_->limits.idle_timeout);
    goes_on = co_await MoreInput();
  }
  socket_->ExpectInputWithin(context_->limits.header_timeout);
  while (goes_on && Parse() && !parser_->head_done()) {
    goes_on = co_await MoreInput();
  }
  co_return parser_->head_done() && parser_->refusal() == 0;
}

Awaitable<bool> Http1Connection::ReadBody() {
  const HttpLimits& limits = context_->limits;
  const SteadyTime begun = std::chrono::steady_clock::now();
  bool goes_on = true;
  while (goes_on && Parse() && !parser_->done()) {
    const absl::Duration taken =
        absl::FromChrono(std::chrono::steady_clock::now() - begun);
    const absl::Duration left =
        limits.BodyTime(parser_->request().body.size()) - taken;
    socket_->ExpectInputWithin(std::min(limits.body_timeout, left));
    goes_on = co_await MoreInput();
  }
  co_return parser_->done() && parser_->refusal() == 0;
}

bool Http1Connection::Parse() {
  const bool had_head = parser_->head_done();
  while (!parser_->done() && !input_.bytes().empty()) {
    const size_t used = parser_->Parse(input_.bytes());
    input_.Consume(used);
    if (parser_->refusal() != 0) return false;
    // The head may ask for something before the body is read.
    if (used == 0 || parser_->head_done() != had_head) break;
  }
  return true;
}

Awaitable<bool> Http1Connection::MoreInput() {
  const size_t before = input_.bytes().size();
  input_.Want();
  while (input_.reading()) {
    const bool idle = before == 0 && !parser_->head_done();
    // A request on its way is answered by the peer's next connection.
    if (draining_ && idle) co_return false;
    co_await changed_.Wait();
  }
  co_return input_.bytes().size() > before;
}

Awaitable<void> Http1Connection::Refuse(int status) {
  HttpResponse response{.status = status};
  const std::string head =
      FormatHttp1Head(response, {.keep_alive = false, .date = loop_->Date()});
  co_await socket_->Write(absl::Cord(head));
}

// RFC 7540 §3.2. A request that asks wrongly is answered in HTTP/1.
Awaitable<bool> Http1Connection::MaybeUpgrade() {
  const HttpRequest& request = parser_->request();
  std::string settings;
  if (!parser_->wants_upgrade() || socket_->secure() || draining_ ||
      !absl::EqualsIgnoreCase(request.Header("upgrade"), "h2c") ||
      !absl::WebSafeBase64Unescape(request.Header("http2-settings"),
                                   &settings)) {
    co_return false;
  }
  const absl::Status told = co_await socket_->Write(
      absl::Cord("HTTP/1.1 101 Switching Protocols\r\n"
                 "connection: Upgrade\r\nupgrade: h2c\r\n\r\n"));
  if (!told.ok()) co_return false;
  upgrade_.emplace(Http2Upgrade{std::move(settings), parser_->TakeRequest(),
                                parser_->TakeCharge()});
  co_return true;
}

void Http1Connection::OnAnswerChanged() {
  // A write that the peer does not take must not go on.
  if (answer_ != nullptr && answer_->aborted() && answer_->streaming()) {
    socket_->Close();
  }
  changed_.Notify();
}

void Http1Connection::Serve() {
  is_head_request_ = parser_->request().method == "HEAD";
  keep_alive_ = parser_->keep_alive();
  answer_ = std::make_shared<HttpAnswer>(loop_.get(), unanswered_,
                                         [this] { OnAnswerChanged(); });
  context_->service->Serve(std::make_shared<LoopExchange>(
      parser_->TakeRequest(), parser_->TakeCharge(), loop_, answer_));
}

Awaitable<bool> Http1Connection::SendAnswer() {
  while (!answer_->has_head()) {
    if (answer_->aborted()) {
      co_await Refuse(500);
      co_return false;
    }
    // A peer that has only ended its own side may still read.
    if (absl::IsUnavailable(input_.status())) co_return false;
    co_await AwaitChange();
  }
  const bool head_sent = co_await SendHead();
  if (!head_sent) co_return false;
  while (true) {
    const bool pending_sent = co_await SendPending();
    if (!pending_sent) co_return false;
    if (answer_->aborted() || PeerIsGone()) break;
    if (answer_->pending_bytes() > 0 || answer_->HasEmptyPiece()) continue;
    if (answer_->complete()) break;
    co_await AwaitChange();
  }
  if (answer_->aborted() || !answer_->complete()) {
    // Without chunks only a reset tells that something is missing.
    if (body_ != Http1Body::kChunked) socket_->Reset();
    co_return false;
  }
  if (body_ != Http1Body::kChunked || is_head_request_) co_return true;
  const absl::Status ended = co_await socket_->Write(absl::Cord("0\r\n\r\n"));
  co_return ended.ok();
}

Awaitable<bool> Http1Connection::SendHead() {
  const uint64_t body_bytes = answer_->pending_bytes();
  const HttpResponse response = answer_->TakeHead();
  if (!answer_->streaming()) {
    body_ = Http1Body::kSized;
  } else {
    body_ = parser_->is_http_1_0() ? Http1Body::kToTheEnd : Http1Body::kChunked;
  }
  if (draining_ || body_ == Http1Body::kToTheEnd) keep_alive_ = false;
  absl::Cord bytes(
      FormatHttp1Head(response, {.body = body_,
                                 .body_bytes = body_bytes,
                                 .keep_alive = keep_alive_,
                                 .is_http_1_0 = parser_->is_http_1_0(),
                                 .date = loop_->Date()}));
  // Together with what there is of the body.
  if (body_bytes > 0) {
    bool ends_piece = false;
    absl::Cord body = answer_->Take(body_bytes, &ends_piece);
    if (is_head_request_ || !StatusHasBody(response.status)) body.Clear();
    if (body_ == Http1Body::kChunked && !body.empty()) {
      body = FormatChunk(std::move(body));
    }
    bytes.Append(std::move(body));
    const absl::Status sent = co_await socket_->Write(std::move(bytes));
    if (ends_piece) answer_->PieceWritten(sent.ok());
    co_return sent.ok();
  }
  const absl::Status sent = co_await socket_->Write(std::move(bytes));
  co_return sent.ok();
}

Awaitable<bool> Http1Connection::SendPending() {
  if (answer_->pending_bytes() == 0 && !answer_->HasEmptyPiece()) {
    co_return true;
  }
  bool ends_piece = false;
  absl::Cord piece =
      answer_->Take(std::numeric_limits<uint64_t>::max(), &ends_piece);
  if (is_head_request_) piece.Clear();
  if (body_ == Http1Body::kChunked && !piece.empty()) {
    piece = FormatChunk(std::move(piece));
  }
  const absl::Status sent = co_await socket_->Write(std::move(piece));
  if (ends_piece) answer_->PieceWritten(sent.ok());
  co_return sent.ok();
}

Awaitable<void> Http1Connection::AwaitChange() {
  if (input_.bytes().size() < kEarlyBytesMax) input_.Want();
  co_await changed_.Wait();
}

bool Http1Connection::PeerIsGone() const {
  return answer_->streaming() && !input_.status().ok();
}

}  // namespace trireme
