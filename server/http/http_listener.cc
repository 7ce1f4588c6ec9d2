#include "server/http/http_listener.h"

#include <boost/asio/ip/tcp.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/address.h"
#include "server/http/http_peer.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

constexpr int kBacklog = 1024;
// When there are no file descriptors left; some will be closed by then.
constexpr std::chrono::milliseconds kPause(100);

// As Address::Parse, but port 0 is one, too.
absl::StatusOr<Address> ParseListenAddress(const std::string& text) {
  absl::string_view host = text;
  if (!absl::ConsumeSuffix(&host, ":0")) return Address::Parse(text);
  ASSIGN_OR_RETURN(Address address, Address::Parse(absl::StrCat(host, ":1")));
  address.port = 0;
  return address;
}

}  // namespace

HttpListener::HttpListener(std::shared_ptr<HttpContext> context,
                           std::vector<std::shared_ptr<HttpLoop>> loops)
    : context_(std::move(context)),
      loops_(std::move(loops)),
      acceptor_(loops_[0]->executor()),
      pause_(loops_[0]->executor()) {}

absl::Status HttpListener::Listen(const std::string& address) {
  ASSIGN_OR_RETURN(const Address parsed, ParseListenAddress(address));
  ErrorCode error;
  boost::asio::ip::basic_resolver<Tcp, Executor> resolver(
      loops_[0]->executor());
  const auto found =
      resolver.resolve(parsed.host, absl::StrCat(parsed.port),
                       boost::asio::ip::resolver_base::passive |
                           boost::asio::ip::resolver_base::numeric_service,
                       error);
  if (!error && found.empty()) error = boost::asio::error::host_not_found;
  if (!error) {
    const Tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(TcpAcceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
  }
  if (!error) acceptor_.listen(kBacklog, error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("cannot listen on ", address, ": ", error.message()));
}

int HttpListener::port() const {
  ErrorCode ignored;
  return acceptor_.local_endpoint(ignored).port();
}

void HttpListener::Start() { loops_[0]->Spawn(AcceptLoop()); }

void HttpListener::Stop() {
  loops_[0]->Post([this] {
    stopping_ = true;
    ErrorCode ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  });
  ended_.WaitForNotification();
}

Awaitable<void> HttpListener::AcceptLoop() {
  for (size_t next = 0; !stopping_; next = (next + 1) % loops_.size()) {
    ErrorCode error;
    TcpSocket socket(loops_[next]->executor());
    co_await acceptor_.async_accept(socket,
                                    boost::asio::redirect_error(kAwait, error));
    if (!error) {
      OnAccepted(std::move(socket), loops_[next]);
    } else if (!stopping_ && error != boost::asio::error::connection_aborted) {
      pause_.expires_after(kPause);
      co_await pause_.async_wait(boost::asio::redirect_error(kAwait, error));
    }
  }
  ended_.Notify();
}

void HttpListener::OnAccepted(TcpSocket socket,
                              const std::shared_ptr<HttpLoop>& loop) {
  // Too many: closed at once.
  if (!context_->connections.Add(context_->limits.connections_max)) return;
  auto peer = std::make_shared<HttpPeer>(context_, loop, std::move(socket));
  loop->Post([peer = std::move(peer)] { peer->Start(); });
}

}  // namespace trireme
