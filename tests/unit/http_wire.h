// HttpWire is a client's side of one connection, blocking, with TLS or without:
// what the tests of the HTTP server send bytes with.
#ifndef TRIREME_TESTS_UNIT_HTTP_WIRE_H_
#define TRIREME_TESTS_UNIT_HTTP_WIRE_H_

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "server/tls_files.h"

namespace trireme {

// A new key and a certificate for localhost, signed by itself.
TlsContents MakeCertificate();

class HttpWire {
 public:
  // To 127.0.0.1. `receive_buffer` bytes, if not 0, make a slow reader felt.
  explicit HttpWire(int port, int receive_buffer = 0);
  ~HttpWire();

  // TLS from here on, offering `alpn` (as in "h2", empty: none); false when the
  // server refuses. With `own`, shows that certificate.
  bool Secure(absl::string_view alpn, const TlsContents* own = nullptr);
  // What the server has chosen.
  std::string Alpn() const;

  // False when the server has closed.
  bool Send(absl::string_view bytes);
  void EndOutput();
  // What there is, waiting for at least one byte; empty when the server has
  // closed. Gives up after 20 s, as a failure of the test.
  std::string Receive();
  // Receives until `end` has come; what came up to its end. What came after it
  // is for the next call.
  std::string ReceiveUntil(absl::string_view end);
  std::string ReceiveBytes(size_t count);
  std::string ReceiveAll();
  // Ends the connection with a reset.
  void Reset();

 private:
  int fd_ = -1;
  SSL_CTX* context_ = nullptr;
  SSL* tls_ = nullptr;
  std::string rest_;  // Received, not yet asked for.
};

}  // namespace trireme

#endif  // TRIREME_TESTS_UNIT_HTTP_WIRE_H_
