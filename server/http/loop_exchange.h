// LoopExchange is the exchange that services hold: each call goes to the
// connection's loop, or is made at once when it comes from there and nothing is
// on its way before it.
#ifndef TRIREME_SERVER_HTTP_LOOP_EXCHANGE_H_
#define TRIREME_SERVER_HTTP_LOOP_EXCHANGE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "server/http/body_budget.h"
#include "server/http/http_answer.h"
#include "server/http/http_exchange.h"
#include "server/http/http_loop.h"

namespace trireme {

class LoopExchange : public HttpExchange,
                     public std::enable_shared_from_this<LoopExchange> {
 public:
  LoopExchange(HttpRequest request, BodyCharge charge,
               std::shared_ptr<HttpLoop> loop,
               std::shared_ptr<HttpAnswer> answer);
  ~LoopExchange() override;

  void Respond(HttpResponse response) override;
  void BeginStream(HttpResponse head,
                   std::shared_ptr<HttpStreamWriter> writer) override;
  void Write(absl::Cord piece) override;
  void End() override;
  void Abort() override;
  void Post(absl::AnyInvocable<void()> job) override;

 private:
  template <typename Call>
  void OnLoop(Call call);

  const BodyCharge charge_;  // For the request's body.
  const std::shared_ptr<HttpLoop> loop_;
  const std::shared_ptr<HttpAnswer> answer_;
  std::atomic<uint64_t> on_their_way_ = 0;  // Calls that were posted.
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_LOOP_EXCHANGE_H_
