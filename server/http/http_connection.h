// HttpConnection is one version of HTTP spoken on one socket.
//
// Of one loop's thread; it lives until its Run has returned.
#ifndef TRIREME_SERVER_HTTP_HTTP_CONNECTION_H_
#define TRIREME_SERVER_HTTP_HTTP_CONNECTION_H_

#include "server/http/asio.h"

namespace trireme {

class HttpConnection {
 public:
  virtual ~HttpConnection() = default;
  // Serves until either side has had enough; the socket is closed by then,
  // unless another version goes on with it. Closing the socket ends it.
  virtual Awaitable<void> Run() = 0;
  // What has begun goes on; the peer is told to begin nothing more.
  virtual void StartDraining() = 0;
  // Gives up what should have moved on by now.
  virtual void OnTick(SteadyTime now) = 0;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_HTTP_CONNECTION_H_
