// The parts of Boost.Asio that the HTTP server uses, with every socket and
// coroutine bound to the executor of one io_context.
#ifndef TRIREME_SERVER_HTTP_ASIO_H_
#define TRIREME_SERVER_HTTP_ASIO_H_

// Boost 1.74's awaitable.hpp needs it, and does not include it.
// clang-format off
#include <utility>
// clang-format on

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace trireme {

using Tcp = boost::asio::ip::tcp;
using Executor = boost::asio::io_context::executor_type;
using TcpSocket = boost::asio::basic_stream_socket<Tcp, Executor>;
using TcpAcceptor = boost::asio::basic_socket_acceptor<Tcp, Executor>;
using SteadyTime = std::chrono::steady_clock::time_point;
using Timer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock,
    boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;
using ErrorCode = boost::system::error_code;

// What a coroutine returns, and what it passes to an operation of Asio to wait
// for it. What a coroutine waits for becomes a variable first: of a co_await
// within a condition, GCC 12 may lay the coroutine's frame out wrong.
template <typename T>
using Awaitable = boost::asio::awaitable<T, Executor>;
inline constexpr boost::asio::use_awaitable_t<Executor> kAwait;

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_ASIO_H_
