// Http2Client speaks HTTP/2 over an HttpWire, with nghttp2's own flow control:
// what the tests of the HTTP server make requests with.
#ifndef TRIREME_TESTS_UNIT_HTTP2_CLIENT_H_
#define TRIREME_TESTS_UNIT_HTTP2_CLIENT_H_

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/http/http_exchange.h"
#include "tests/unit/http_wire.h"

namespace trireme {

struct Http2Answer {
  int status = 0;
  std::vector<HttpHeader> headers;
  std::string body;
  bool closed = false;
  uint32_t error = 0;  // Of the stream, when it is closed.
};

class Http2Client {
 public:
  // `wire` must outlive it. `window` bytes are taken of each stream before its
  // Consume; 0: all are taken as they come.
  explicit Http2Client(HttpWire* wire, int32_t window = 0);
  ~Http2Client();

  // After an HTTP/1 upgrade: stream 1 is under way.
  void BeginUpgraded(const std::string& settings);
  // A request with a body has a content-length, too.
  int32_t Request(const std::string& method, const std::string& path,
                  const std::string& body = "",
                  const std::vector<HttpHeader>& headers = {});
  void Reset(int32_t stream);
  void Ping();
  // Lets the server send as much again as has come of the stream.
  void Consume(int32_t stream);
  // Sends what is there to send; false when the server has closed.
  bool Flush();

  // Receives until the stream is closed, or the connection.
  const Http2Answer& Await(int32_t stream);
  // Receives until the body has that many bytes.
  const Http2Answer& AwaitBody(int32_t stream, size_t bytes);
  void AwaitPong();
  // Receives until the server closes the connection.
  void AwaitEnd();

  Http2Answer& answer(int32_t stream) { return answers_[stream]; }
  // The last GOAWAY's.
  std::optional<uint32_t> goaway() const { return goaway_; }

 private:
  struct Callbacks;
  bool ReceiveSome();

  HttpWire* const wire_;
  nghttp2_session* session_ = nullptr;
  const bool consumes_;
  std::map<int32_t, Http2Answer> answers_;
  std::map<int32_t, std::string> bodies_;  // What is left to send.
  std::map<int32_t, size_t> unconsumed_;
  std::optional<uint32_t> goaway_;
  bool ponged_ = false;
};

}  // namespace trireme

#endif  // TRIREME_TESTS_UNIT_HTTP2_CLIENT_H_
