#include "server/http/http_server.h"

#include <algorithm>
#include <utility>

#include "server/http/http_context.h"
#include "server/http/http_listener.h"
#include "server/http/http_loop.h"
#include "server/http/tls_context.h"
#include "storage/check.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

// How often the loops look for what took too long: often enough for the
// shortest of the timeouts.
absl::Duration Tick(const HttpLimits& limits) {
  const absl::Duration shortest = std::min(
      {limits.handshake_timeout, limits.header_timeout, limits.body_timeout,
       limits.idle_timeout, limits.write_timeout, limits.linger_timeout});
  return std::clamp(shortest / 4, absl::Milliseconds(5), absl::Seconds(1));
}

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(
    const HttpServerOptions& options, HttpService* service) {
  CHECK(options.threads > 0);
  auto context = std::make_shared<HttpContext>();
  context->limits = options.limits;
  context->service = service;
  context->plaintext = options.plaintext || !options.tls.has_value();
  context->body_budget =
      std::make_shared<BodyBudget>(options.limits.body_bytes_total_max);
  if (options.tls.has_value()) {
    ASSIGN_OR_RETURN(context->tls, MakeTlsContext(*options.tls));
  }
  auto server = std::unique_ptr<HttpServer>(new HttpServer());
  server->context_ = context;
  std::vector<std::shared_ptr<HttpLoop>> loops;
  for (int i = 0; i < options.threads; ++i) {
    loops.push_back(std::make_shared<HttpLoop>(Tick(options.limits)));
  }
  auto listener = std::make_unique<HttpListener>(context, loops);
  RETURN_IF_ERROR(listener->Listen(options.address));
  server->port_ = listener->port();
  server->loops_ = std::move(loops);
  server->listener_ = std::move(listener);
  for (const auto& loop : server->loops_) loop->Start();
  server->listener_->Start();
  return server;
}

HttpServer::~HttpServer() { Stop(absl::ZeroDuration()); }

void HttpServer::StartDraining() {
  context_->draining = true;
  for (const auto& loop : loops_) {
    loop->Post([loop = loop.get()] { loop->StartDraining(); });
  }
}

void HttpServer::Stop(absl::Duration grace) {
  if (listener_ == nullptr) return;
  StartDraining();
  listener_->Stop();
  context_->connections.AwaitNone(grace);
  context_->stopping = true;
  for (const auto& loop : loops_) {
    loop->Post([loop = loop.get()] { loop->CloseAll(); });
  }
  context_->connections.AwaitNone(absl::InfiniteDuration());
  for (const auto& loop : loops_) loop->Finish();
  listener_ = nullptr;
}

}  // namespace trireme
