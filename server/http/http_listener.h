// HttpListener accepts connections on one of the loops and gives them to all
// loops in turn.
#ifndef TRIREME_SERVER_HTTP_HTTP_LISTENER_H_
#define TRIREME_SERVER_HTTP_HTTP_LISTENER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "server/http/asio.h"
#include "server/http/http_context.h"
#include "server/http/http_loop.h"

namespace trireme {

class HttpListener {
 public:
  HttpListener(std::shared_ptr<HttpContext> context,
               std::vector<std::shared_ptr<HttpLoop>> loops);

  // Binds HOST:PORT, port 0 for any free one. Errors name the address.
  absl::Status Listen(const std::string& address);
  int port() const;

  // The loops run by now.
  void Start();
  // No connection is accepted when it returns.
  void Stop();

 private:
  Awaitable<void> AcceptLoop();
  void OnAccepted(TcpSocket socket, const std::shared_ptr<HttpLoop>& loop);

  const std::shared_ptr<HttpContext> context_;
  const std::vector<std::shared_ptr<HttpLoop>> loops_;
  // Of the first loop's thread.
  TcpAcceptor acceptor_;
  Timer pause_;
  bool stopping_ = false;

  absl::Notification ended_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_HTTP_LISTENER_H_
