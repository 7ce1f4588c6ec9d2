// Http1Connection serves the requests of one HTTP/1 connection, one after the
// other. A request may ask to go on in HTTP/2 (h2c): then Run returns with the
// socket open, and Http2Connection takes over.
#ifndef TRIREME_SERVER_HTTP_HTTP1_CONNECTION_H_
#define TRIREME_SERVER_HTTP_HTTP1_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "server/http/http1_head.h"
#include "server/http/http1_input.h"
#include "server/http/http1_parser.h"
#include "server/http/http_answer.h"
#include "server/http/http_connection.h"
#include "server/http/http_context.h"
#include "server/http/http_loop.h"
#include "server/http/http_socket.h"
#include "server/http/signal.h"

namespace trireme {

// A request that was answered with 101 and waits for its answer in HTTP/2.
struct Http2Upgrade {
  std::string settings;  // The payload of a SETTINGS frame.
  HttpRequest request;
  BodyCharge charge;
};

class Http1Connection : public HttpConnection {
 public:
  // `bytes` have been read from `socket` already. All must outlive it.
  Http1Connection(HttpContext* context, std::shared_ptr<HttpLoop> loop,
                  HttpSocket* socket, std::string bytes);

  // HttpConnection
  Awaitable<void> Run() override;
  void StartDraining() override;
  void OnTick(SteadyTime) override {}

  // After Run.
  std::optional<Http2Upgrade>& upgrade() { return upgrade_; }
  std::string TakeRest() { return std::string(input_.bytes()); }

 private:
  // False when the connection is to end.
  Awaitable<bool> ServeOne();
  // False when there is no (whole) request.
  Awaitable<bool> ReadRequest();
  Awaitable<bool> ReadHead();
  Awaitable<bool> ReadBody();
  // Parses what has come; false when the request is refused.
  bool Parse();
  Awaitable<bool> MoreInput();
  // Answers what is not for the service; the connection ends.
  Awaitable<void> Refuse(int status);
  // Fills upgrade_ when the request asks for it, and answers 101.
  Awaitable<bool> MaybeUpgrade();

  void Serve();
  void OnAnswerChanged();
  // False when the connection is to end.
  Awaitable<bool> SendAnswer();
  Awaitable<bool> SendHead();
  // What is there to send of a body in pieces; false when that failed.
  Awaitable<bool> SendPending();
  // The next thing to send has come, or the peer has gone.
  Awaitable<void> AwaitChange();
  bool PeerIsGone() const;

  HttpContext* const context_;
  const std::shared_ptr<HttpLoop> loop_;
  HttpSocket* const socket_;

  Signal changed_;  // Input or answer.
  Http1Input input_;
  const std::shared_ptr<uint64_t> unanswered_;
  bool draining_;
  bool linger_ = true;  // What was written last shall reach the peer.
  std::optional<Http2Upgrade> upgrade_;

  // Of the request being served.
  std::optional<Http1Parser> parser_;
  bool is_head_request_ = false;
  bool keep_alive_ = false;
  Http1Body body_ = Http1Body::kSized;
  std::shared_ptr<HttpAnswer> answer_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_HTTP1_CONNECTION_H_
