// Http2Connection moves the bytes of an Http2Session: one coroutine reads and
// hands complete requests to the service, another writes what has gathered
// while the last write was under way.
#ifndef TRIREME_SERVER_HTTP_HTTP2_CONNECTION_H_
#define TRIREME_SERVER_HTTP_HTTP2_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "server/http/http1_connection.h"
#include "server/http/http2_session.h"
#include "server/http/http_connection.h"
#include "server/http/http_context.h"
#include "server/http/http_loop.h"
#include "server/http/http_socket.h"
#include "server/http/signal.h"

namespace trireme {

class Http2Connection : public HttpConnection {
 public:
  // `bytes` have been read from `socket` already. All must outlive it.
  Http2Connection(HttpContext* context, std::shared_ptr<HttpLoop> loop,
                  HttpSocket* socket, std::string bytes,
                  std::optional<Http2Upgrade> upgrade);

  // HttpConnection
  Awaitable<void> Run() override;
  void StartDraining() override;
  void OnTick(SteadyTime now) override;

 private:
  Awaitable<void> ReadLoop();
  Awaitable<void> WriteLoop();
  // False when nothing of the peer is read any more.
  bool Receive(absl::string_view bytes);
  void ServeReady();
  void Serve(const std::shared_ptr<Http2Stream>& stream);

  HttpContext* const context_;
  const std::shared_ptr<HttpLoop> loop_;
  HttpSocket* const socket_;
  std::string bytes_;
  std::optional<Http2Upgrade> upgrade_;

  Http2Session session_;
  // Answers may outlive the connection.
  const std::shared_ptr<uint64_t> unanswered_;
  Signal output_;  // There is something to write, or reading has ended.
  Signal room_;    // Something was written, or writing has ended.
  Signal read_ended_;
  bool reading_ = true;     // ReadLoop runs.
  bool read_over_ = false;  // Nothing more of the peer is taken.
  bool writing_ = true;     // WriteLoop runs.
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_HTTP2_CONNECTION_H_
