#include "server/http/http_peer.h"

#include <array>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "server/http/http1_connection.h"
#include "server/http/http2_connection.h"

namespace trireme {
namespace {

constexpr uint8_t kTlsHandshake = 0x16;  // The first byte of a ClientHello.
constexpr absl::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

}  // namespace

HttpPeer::HttpPeer(std::shared_ptr<HttpContext> context,
                   std::shared_ptr<HttpLoop> loop, TcpSocket socket)
    : context_(std::move(context)),
      loop_(std::move(loop)),
      socket_(std::move(socket), context_->limits) {}

HttpPeer::~HttpPeer() { context_->connections.Remove(); }

void HttpPeer::Start() {
  if (context_->stopping) return;
  loop_->Add(this);
  loop_->Spawn(Run(shared_from_this()));
}

void HttpPeer::OnTick(SteadyTime now) {
  socket_.CloseIfLate(now);
  if (connection_ != nullptr) connection_->OnTick(now);
}

void HttpPeer::StartDraining() {
  if (connection_ != nullptr) connection_->StartDraining();
}

Awaitable<void> HttpPeer::Run([[maybe_unused]] std::shared_ptr<HttpPeer> self) {
  bool is_http2 = false;
  bool begun = co_await Secure();
  if (begun) begun = co_await ReadPreface(&is_http2);
  if (begun) {
    if (is_http2) {
      connection_ = std::make_unique<Http2Connection>(
          context_.get(), loop_, &socket_, std::move(bytes_), std::nullopt);
      co_await connection_->Run();
    } else {
      co_await ServeHttp1();
    }
  }
  socket_.Close();
  loop_->Remove(this);
  connection_ = nullptr;
}

Awaitable<bool> HttpPeer::Secure() {
  socket_.ExpectInputWithin(context_->limits.idle_timeout);
  if (!context_->tls.has_value()) co_return true;
  socket_.ExpectInputWithin(context_->limits.handshake_timeout);
  const absl::StatusOr<uint8_t> first = co_await socket_.PeekByte();
  if (!first.ok()) co_return false;
  if (*first != kTlsHandshake) co_return context_->plaintext;
  const absl::Status agreed = co_await socket_.Handshake(&*context_->tls);
  co_return agreed.ok();
}

Awaitable<bool> HttpPeer::ReadPreface(bool* is_http2) {
  // Its SETTINGS go out at once; if it sends something else than the preface,
  // it is told so in HTTP/2.
  *is_http2 = socket_.ChoseHttp2();
  if (*is_http2) {
    socket_.ExpectInputWithin(context_->limits.header_timeout);
    co_return true;
  }
  std::array<char, 4096> buffer;
  while (true) {
    const absl::StatusOr<size_t> read =
        co_await socket_.Read(buffer.data(), buffer.size());
    if (!read.ok()) co_return false;
    if (bytes_.empty()) {
      socket_.ExpectInputWithin(context_->limits.header_timeout);
    }
    bytes_.append(buffer.data(), *read);
    *is_http2 = absl::StartsWith(bytes_, kHttp2Preface);
    if (*is_http2 || !absl::StartsWith(kHttp2Preface, bytes_)) co_return true;
  }
}

Awaitable<void> HttpPeer::ServeHttp1() {
  auto http1 = std::make_unique<Http1Connection>(context_.get(), loop_,
                                                 &socket_, std::move(bytes_));
  Http1Connection& served = *http1;
  connection_ = std::move(http1);
  co_await served.Run();
  if (!served.upgrade().has_value()) co_return;
  std::optional<Http2Upgrade> upgrade = std::move(served.upgrade());
  std::string rest = served.TakeRest();
  connection_ = std::make_unique<Http2Connection>(
      context_.get(), loop_, &socket_, std::move(rest), std::move(upgrade));
  co_await connection_->Run();
}

}  // namespace trireme
