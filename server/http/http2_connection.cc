#include "server/http/http2_connection.h"

#include <utility>

#include "server/http/loop_exchange.h"

namespace trireme {
namespace {

// One read of a quiet connection, and of one that has much to say.
constexpr size_t kReadBytesMin = 4 << 10;
constexpr size_t kReadBytesMax = 64 << 10;
constexpr uint64_t kWriteBytesMax = 64 << 10;

}  // namespace

Http2Connection::Http2Connection(HttpContext* context,
                                 std::shared_ptr<HttpLoop> loop,
                                 HttpSocket* socket, std::string bytes,
                                 std::optional<Http2Upgrade> upgrade)
    : context_(context),
      loop_(std::move(loop)),
      socket_(socket),
      bytes_(std::move(bytes)),
      upgrade_(std::move(upgrade)),
      session_(context, loop_.get()),
      unanswered_(std::make_shared<uint64_t>(0)),
      output_(loop_->executor()),
      room_(loop_->executor()),
      read_ended_(loop_->executor()) {}

Awaitable<void> Http2Connection::Run() {
  socket_->ExpectNoInput();
  if (context_->draining) session_.StartDraining();
  loop_->Spawn(ReadLoop());
  co_await WriteLoop();
  writing_ = false;
  room_.Notify();
  socket_->StopReading();
  while (reading_) co_await read_ended_.Wait();
  session_.CloseAll();
  co_await socket_->Finish();
}

void Http2Connection::StartDraining() {
  session_.StartDraining();
  output_.Notify();
}

void Http2Connection::OnTick(SteadyTime now) {
  if (!session_.GiveUpLate(now)) socket_->Close();
  if (session_.HasNews()) output_.Notify();
}

Awaitable<void> Http2Connection::ReadLoop() {
  bool goes_on = true;
  if (upgrade_.has_value()) {
    goes_on = session_
                  .Upgrade(upgrade_->settings, std::move(upgrade_->request),
                           std::move(upgrade_->charge))
                  .ok();
    upgrade_.reset();
  }
  goes_on = goes_on && Receive(std::exchange(bytes_, std::string()));
  std::string buffer(kReadBytesMin, '\0');
  while (goes_on && writing_) {
    if (session_.IsBackedUp()) {
      co_await room_.Wait();
      continue;
    }
    const absl::StatusOr<size_t> read =
        co_await socket_->Read(buffer.data(), buffer.size());
    if (!read.ok()) break;
    goes_on = Receive(absl::string_view(buffer.data(), *read));
    if (*read == buffer.size()) {
      buffer.resize(kReadBytesMax);
    } else if (*read < kReadBytesMin && buffer.size() > kReadBytesMin) {
      buffer = std::string(kReadBytesMin, '\0');
    }
  }
  reading_ = false;
  read_over_ = true;
  output_.Notify();
  read_ended_.Notify();
}

bool Http2Connection::Receive(absl::string_view bytes) {
  const absl::Status received = session_.Receive(bytes);
  ServeReady();
  output_.Notify();
  return received.ok();
}

void Http2Connection::ServeReady() {
  for (const auto& stream : session_.TakeReady()) {
    if (*unanswered_ >= context_->limits.unanswered_max) {
      session_.Terminate(NGHTTP2_ENHANCE_YOUR_CALM);
      return;
    }
    Serve(stream);
  }
}

void Http2Connection::Serve(const std::shared_ptr<Http2Stream>& stream) {
  // Of a stream that is closed nothing is told.
  stream->answer = std::make_shared<HttpAnswer>(
      loop_.get(), unanswered_, [this, stream = stream.get()] {
        session_.OnAnswerChanged(stream);
        output_.Notify();
      });
  context_->service->Serve(std::make_shared<LoopExchange>(
      std::move(stream->request), std::move(stream->charge), loop_,
      stream->answer));
}

Awaitable<void> Http2Connection::WriteLoop() {
  while (true) {
    Http2Output output;
    session_.Gather(kWriteBytesMax, &output);
    if (output.bytes.empty() && output.pieces.empty()) {
      if (read_over_ || session_.IsOver()) co_return;
      co_await output_.Wait();
      continue;
    }
    const absl::Status written =
        co_await socket_->Write(std::move(output.bytes));
    for (const auto& answer : output.pieces) answer->PieceWritten(written.ok());
    if (!written.ok()) co_return;
    room_.Notify();
  }
}

}  // namespace trireme
