// HttpSocket is one accepted TCP connection, with TLS over it or without, and
// the times by which its peer has to move.
//
// Of one loop's thread. At most one Read and one Write at a time. Errors are
// Unavailable, and OutOfRange when the peer has ended its side in good order.
#ifndef TRIREME_SERVER_HTTP_HTTP_SOCKET_H_
#define TRIREME_SERVER_HTTP_HTTP_SOCKET_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/time/time.h"
#include "server/http/asio.h"
#include "server/http/http_limits.h"

namespace trireme {

class HttpSocket {
 public:
  HttpSocket(TcpSocket socket, const HttpLimits& limits);

  // The first byte, which stays to be read.
  Awaitable<absl::StatusOr<uint8_t>> PeekByte();
  // TLS from here on. `context` must outlive the socket.
  Awaitable<absl::Status> Handshake(boost::asio::ssl::context* context);
  bool secure() const { return tls_.has_value(); }
  // Whether TLS's ALPN has chosen HTTP/2.
  bool ChoseHttp2() const;

  // At least one byte.
  Awaitable<absl::StatusOr<size_t>> Read(char* to, size_t bytes_max);
  // Returns when the kernel has taken all of it.
  Awaitable<absl::Status> Write(absl::Cord data);
  // A Read that is waiting fails; later ones do not.
  void StopReading();
  // Ends our side and waits for the peer to end its own, so that it can read
  // all we have written; then closes. No Read may be waiting.
  Awaitable<void> Finish();
  // All that is waiting fails.
  void Close();
  // The peer shall see that something is missing.
  void Reset();

  // When Read, or a handshake, is to be given up.
  void ExpectInputWithin(absl::Duration timeout);
  void ExpectNoInput() { read_deadline_ = SteadyTime::max(); }
  // Closes when something was due before `now`.
  void CloseIfLate(SteadyTime now);

 private:
  using TlsStream = boost::asio::ssl::stream<TcpSocket&>;
  // Takes what fits into one call; returns how much.
  Awaitable<size_t> WriteSome(const absl::Cord& data, ErrorCode* error);
  Awaitable<size_t> WriteSomeTls(const absl::Cord& data, ErrorCode* error);

  const HttpLimits& limits_;
  TcpSocket socket_;
  std::optional<TlsStream> tls_;
  std::string tls_piece_;  // What becomes one TLS record.
  // Reading is over. Asio, told once of the peer's end, would wait for ever to
  // be told of it again.
  bool ended_ = false;
  SteadyTime read_deadline_ = SteadyTime::max();
  SteadyTime write_deadline_ = SteadyTime::max();
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_HTTP_SOCKET_H_
