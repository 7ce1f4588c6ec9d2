#include "server/http/http_socket.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace trireme {
namespace {

namespace asio = boost::asio;

constexpr size_t kBuffersMax = 64;            // What one writev takes.
constexpr size_t kTlsRecordBytes = 16 << 10;  // The most that one record holds.
constexpr size_t kDropBytes = 16 << 10;

absl::Status SocketError(const ErrorCode& error) {
  if (error == asio::error::eof ||
      error == asio::ssl::error::stream_truncated) {
    return absl::OutOfRangeError("the peer has ended the connection");
  }
  return absl::UnavailableError(error.message());
}

SteadyTime After(absl::Duration timeout) {
  return std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(timeout);
}

}  // namespace

HttpSocket::HttpSocket(TcpSocket socket, const HttpLimits& limits)
    : limits_(limits), socket_(std::move(socket)) {
  ErrorCode ignored;
  socket_.set_option(Tcp::no_delay(true), ignored);
}

Awaitable<absl::StatusOr<uint8_t>> HttpSocket::PeekByte() {
  uint8_t byte = 0;
  ErrorCode error;
  co_await socket_.async_receive(asio::buffer(&byte, 1),
                                 TcpSocket::message_peek,
                                 asio::redirect_error(kAwait, error));
  if (error) co_return SocketError(error);
  co_return byte;
}

Awaitable<absl::Status> HttpSocket::Handshake(asio::ssl::context* context) {
  tls_.emplace(socket_, *context);
  ErrorCode error;
  co_await tls_->async_handshake(asio::ssl::stream_base::server,
                                 asio::redirect_error(kAwait, error));
  if (error) co_return SocketError(error);
  co_return absl::OkStatus();
}

bool HttpSocket::ChoseHttp2() const {
  if (!tls_.has_value()) return false;
  const unsigned char* name = nullptr;
  unsigned length = 0;
  // Asio hands out the connection of constant streams too, but not const.
  SSL_get0_alpn_selected(const_cast<TlsStream&>(*tls_).native_handle(), &name,
                         &length);
  return absl::string_view(reinterpret_cast<const char*>(name), length) == "h2";
}

Awaitable<absl::StatusOr<size_t>> HttpSocket::Read(char* to, size_t bytes_max) {
  if (ended_) co_return SocketError(asio::error::eof);
  ErrorCode error;
  const asio::mutable_buffer buffer(to, bytes_max);
  size_t bytes = 0;
  if (tls_.has_value()) {
    bytes = co_await tls_->async_read_some(buffer,
                                           asio::redirect_error(kAwait, error));
  } else {
    bytes = co_await socket_.async_read_some(
        buffer, asio::redirect_error(kAwait, error));
  }
  ended_ = error && error != asio::error::operation_aborted;
  if (error) co_return SocketError(error);
  co_return bytes;
}

Awaitable<absl::Status> HttpSocket::Write(absl::Cord data) {
  ErrorCode error;
  while (!data.empty() && !error) {
    write_deadline_ = After(limits_.write_timeout);
    size_t bytes = 0;
    if (tls_.has_value()) {
      bytes = co_await WriteSomeTls(data, &error);
    } else {
      bytes = co_await WriteSome(data, &error);
    }
    data.RemovePrefix(bytes);
  }
  write_deadline_ = SteadyTime::max();
  if (error) co_return SocketError(error);
  co_return absl::OkStatus();
}

Awaitable<size_t> HttpSocket::WriteSome(const absl::Cord& data,
                                        ErrorCode* error) {
  std::array<asio::const_buffer, kBuffersMax> buffers;
  size_t count = 0;
  for (const absl::string_view chunk : data.Chunks()) {
    buffers[count++] = asio::const_buffer(chunk.data(), chunk.size());
    if (count == kBuffersMax) break;
  }
  const absl::Span<const asio::const_buffer> used(buffers.data(), count);
  co_return co_await socket_.async_write_some(
      used, asio::redirect_error(kAwait, *error));
}

// Small chunks together, as each call makes a record of its own.
Awaitable<size_t> HttpSocket::WriteSomeTls(const absl::Cord& data,
                                           ErrorCode* error) {
  absl::string_view piece = *data.chunk_begin();
  if (piece.size() < kTlsRecordBytes && piece.size() < data.size()) {
    tls_piece_.clear();
    for (const absl::string_view chunk : data.Chunks()) {
      absl::StrAppend(&tls_piece_,
                      chunk.substr(0, kTlsRecordBytes - tls_piece_.size()));
      if (tls_piece_.size() == kTlsRecordBytes) break;
    }
    piece = tls_piece_;
  }
  co_return co_await tls_->async_write_some(
      asio::const_buffer(piece.data(), piece.size()),
      asio::redirect_error(kAwait, *error));
}

void HttpSocket::StopReading() {
  ErrorCode ignored;
  socket_.cancel(ignored);
}

Awaitable<void> HttpSocket::Finish() {
  ExpectInputWithin(limits_.linger_timeout);
  ErrorCode error;
  const bool told =
      tls_.has_value() &&
      (SSL_get_shutdown(tls_->native_handle()) & SSL_RECEIVED_SHUTDOWN) != 0;
  if (tls_.has_value() && (told || !ended_)) {
    // Also ends when the peer, instead of ending its side, sends more.
    co_await tls_->async_shutdown(asio::redirect_error(kAwait, error));
    if (error == asio::ssl::error::stream_truncated) ended_ = true;
  }
  ErrorCode ignored;
  socket_.shutdown(TcpSocket::shutdown_send, ignored);
  error.clear();
  std::array<char, kDropBytes> dropped;
  while (!ended_ && !error && socket_.is_open()) {
    co_await socket_.async_read_some(asio::buffer(dropped),
                                     asio::redirect_error(kAwait, error));
  }
  Close();
}

void HttpSocket::Close() {
  ErrorCode ignored;
  socket_.close(ignored);
}

void HttpSocket::Reset() {
  ErrorCode ignored;
  socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
  Close();
}

void HttpSocket::ExpectInputWithin(absl::Duration timeout) {
  read_deadline_ = After(timeout);
}

void HttpSocket::CloseIfLate(SteadyTime now) {
  if (now > read_deadline_ || now > write_deadline_) Close();
}

}  // namespace trireme
