// HttpExchange is one request and its answer, whatever the version of HTTP that
// carries it: what services see of a connection. The connections are
// http1_connection.* and http2_connection.*.
#ifndef TRIREME_SERVER_HTTP_HTTP_EXCHANGE_H_
#define TRIREME_SERVER_HTTP_HTTP_EXCHANGE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"

namespace trireme {

struct HttpHeader {
  std::string name;  // In lower case.
  std::string value;
};

// The first header of that (lower-case) name; empty when there is none.
inline absl::string_view FindHeader(const std::vector<HttpHeader>& headers,
                                    absl::string_view name) {
  for (const HttpHeader& header : headers) {
    if (header.name == name) return header.value;
  }
  return {};
}

struct HttpRequest {
  std::string method;
  std::string target;  // Path and query, as sent: "/?X-Amz-Date=...".
  // As sent, pseudo headers left out; "host" is there over HTTP/2 too (its
  // :authority, when no host was sent).
  std::vector<HttpHeader> headers;
  std::string body;

  absl::string_view Header(absl::string_view name) const {
    return FindHeader(headers, name);
  }
};

struct HttpResponse {
  int status = 200;
  // Without content-length, date and what is the connection's.
  std::vector<HttpHeader> headers;
  absl::Cord body;
};

// Who writes an answer in pieces. Called on the connection's thread, never from
// within a call of the exchange; must not block.
class HttpStreamWriter {
 public:
  virtual ~HttpStreamWriter() = default;
  // The piece has left for the peer; or never will, and nothing after it.
  virtual void OnWritten(bool ok) = 0;
  // The peer is gone, or gave the request up. At most once; not after End.
  virtual void OnClosed() = 0;
};

// Shared by its connection and by who answers it; any thread may call. Calls
// after the peer has gone do nothing, but each Write gets its OnWritten.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;

  const HttpRequest& request() const { return request_; }

  // The whole answer. Either this or BeginStream, once.
  virtual void Respond(HttpResponse response) = 0;

  // An answer whose body comes in pieces: the head is sent at once, its body is
  // the first piece (and has no OnWritten).
  virtual void BeginStream(HttpResponse head,
                           std::shared_ptr<HttpStreamWriter> writer) = 0;
  // One at a time: the next after OnWritten.
  virtual void Write(absl::Cord piece) = 0;
  // The body is complete.
  virtual void End() = 0;
  // Breaks the answer off: the peer sees that it is not complete.
  virtual void Abort() = 0;

  // Runs `job` on the connection's thread, soon.
  virtual void Post(absl::AnyInvocable<void()> job) = 0;

 protected:
  explicit HttpExchange(HttpRequest request) : request_(std::move(request)) {}

 private:
  const HttpRequest request_;
};

// What answers the requests of a server. Serve is called on a connection's
// thread and must not block; each exchange is answered, now or later.
class HttpService {
 public:
  virtual ~HttpService() = default;
  virtual void Serve(std::shared_ptr<HttpExchange> exchange) = 0;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_HTTP_EXCHANGE_H_
