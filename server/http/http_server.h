// HttpServer listens on one address for HTTP/1.1 and HTTP/2, with TLS or
// without, and gives each request to a service. Each connection belongs to one
// of its loops (http_loop.h) and is run by an HttpPeer.
#ifndef TRIREME_SERVER_HTTP_HTTP_SERVER_H_
#define TRIREME_SERVER_HTTP_HTTP_SERVER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/http/http_exchange.h"
#include "server/http/http_limits.h"
#include "server/tls_files.h"

namespace trireme {

class HttpListener;
class HttpLoop;
struct HttpContext;

struct HttpServerOptions {
  std::string address = "127.0.0.1:4567";  // Port 0: any free one.
  std::optional<TlsContents> tls;          // None: plaintext only.
  bool plaintext = true;                   // Beside TLS, on the same port.
  int threads = 2;  // Each with its share of the connections.
  HttpLimits limits;
};

class HttpServer {
 public:
  // Listens from here on. Unavailable when the address cannot be bound,
  // InvalidArgument when it or a PEM text is none. `service` must outlive the
  // server's Stop.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(
      const HttpServerOptions& options, HttpService* service);
  ~HttpServer();  // Stops without grace, if it was not stopped.

  int port() const { return port_; }
  // Tells peers to take their next requests elsewhere; new and running ones go
  // on.
  void StartDraining();
  // Accepts nothing more, lets running requests end for up to `grace`, then
  // breaks them off. No callback is running when this returns, and none will;
  // calls of exchanges do nothing. Not from a callback.
  void Stop(absl::Duration grace);

 private:
  HttpServer() = default;

  // Set by Start.
  int port_ = 0;
  std::shared_ptr<HttpContext> context_;
  std::vector<std::shared_ptr<HttpLoop>> loops_;
  std::unique_ptr<HttpListener> listener_;  // Null once stopped.
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_HTTP_SERVER_H_
