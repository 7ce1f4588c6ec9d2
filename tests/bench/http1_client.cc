#include "tests/bench/http1_client.h"

#include <array>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>
#include <utility>

#include "storage/check.h"

namespace trireme::bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr size_t kPieceBytes = 64 << 10;

}  // namespace

TcpSocket ConnectTo(asio::io_context& context, const std::string& address) {
  const size_t colon = address.rfind(':');
  const auto port =
      static_cast<unsigned short>(std::stoi(address.substr(colon + 1)));
  TcpSocket socket(context.get_executor());
  ErrorCode error;
  socket.connect({asio::ip::make_address(address.substr(0, colon)), port},
                 error);
  CHECK(!error, "cannot connect to " + address + ": " + error.message());
  socket.set_option(Tcp::no_delay(true), error);
  return socket;
}

Awaitable<bool> Http1Client::Send(const KinesisRequest& request) {
  const std::array<asio::const_buffer, 2> buffers = {
      asio::buffer(request.head), asio::buffer(request.body)};
  ErrorCode error;
  co_await asio::async_write(socket_, buffers,
                             asio::redirect_error(kAwait, error));
  co_return !error;
}

Awaitable<unsigned> Http1Client::Call(const KinesisRequest& request) {
  const bool sent = co_await Send(request);
  if (!sent) co_return 0;
  http::response_parser<http::string_body> parser;
  parser.body_limit(boost::none);
  parser.get().body().swap(answer_);  // Its room is used again.
  parser.get().body().clear();
  ErrorCode error;
  co_await http::async_read(socket_, received_, parser,
                            asio::redirect_error(kAwait, error));
  if (error) co_return 0;
  answer_.swap(parser.get().body());
  co_return parser.get().result_int();
}

Awaitable<unsigned> Http1Client::CallStreaming(
    const KinesisRequest& request,
    std::function<bool(absl::string_view)> on_bytes) {
  const bool sent = co_await Send(request);
  if (!sent) co_return 0;
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(boost::none);
  ErrorCode error;
  co_await http::async_read_header(socket_, received_, parser,
                                   asio::redirect_error(kAwait, error));
  if (error) co_return 0;
  std::string piece(kPieceBytes, '\0');
  while (!parser.is_done()) {
    parser.get().body().data = piece.data();
    parser.get().body().size = piece.size();
    co_await http::async_read_some(socket_, received_, parser,
                                   asio::redirect_error(kAwait, error));
    // It stops for room, too.
    if (error && error != http::error::need_buffer) break;
    const size_t bytes = piece.size() - parser.get().body().size;
    if (!on_bytes({piece.data(), bytes})) break;
  }
  co_return parser.get().result_int();
}

}  // namespace trireme::bench
