// HttpPeer is one accepted connection from its first byte to its last: it finds
// out whether the peer speaks TLS and which version of HTTP, and runs that.
//
// Of one loop's thread. Keeps itself alive while it runs.
#ifndef TRIREME_SERVER_HTTP_HTTP_PEER_H_
#define TRIREME_SERVER_HTTP_HTTP_PEER_H_

#include <memory>
#include <string>

#include "server/http/http_connection.h"
#include "server/http/http_context.h"
#include "server/http/http_loop.h"
#include "server/http/http_socket.h"

namespace trireme {

class HttpPeer : public TickListener,
                 public std::enable_shared_from_this<HttpPeer> {
 public:
  // The connection is already counted in `context`.
  HttpPeer(std::shared_ptr<HttpContext> context, std::shared_ptr<HttpLoop> loop,
           TcpSocket socket);
  ~HttpPeer() override;

  // On the loop's thread.
  void Start();

  // TickListener
  void OnTick(SteadyTime now) override;
  void StartDraining() override;
  void Close() override { socket_.Close(); }

 private:
  // Keeps `self` alive.
  Awaitable<void> Run(std::shared_ptr<HttpPeer> self);
  // Agrees on TLS; false when there is no talking to the peer.
  Awaitable<bool> Secure();
  // Reads into bytes_ until they are HTTP/2's preface or cannot become it.
  Awaitable<bool> ReadPreface(bool* is_http2);
  Awaitable<void> ServeHttp1();

  const std::shared_ptr<HttpContext> context_;
  const std::shared_ptr<HttpLoop> loop_;
  HttpSocket socket_;
  std::string bytes_;  // Read, and not yet given to the connection.
  std::unique_ptr<HttpConnection> connection_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_HTTP_PEER_H_
