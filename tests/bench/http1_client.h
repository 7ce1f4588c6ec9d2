// A keep-alive connection to a server of Kinesis's API that makes one HTTP/1.1
// call at a time. Lives on the thread of its io_context, which must outlive it.
#ifndef TRIREME_TESTS_BENCH_HTTP1_CLIENT_H_
#define TRIREME_TESTS_BENCH_HTTP1_CLIENT_H_

#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "server/http/asio.h"
// After asio.h, which includes what Boost's own headers lack.
#include <boost/beast/core/flat_buffer.hpp>

#include "tests/bench/kinesis_request.h"

namespace trireme::bench {

// Blocks until it is connected; stops the run if it cannot be.
TcpSocket ConnectTo(boost::asio::io_context& context,
                    const std::string& address);

class Http1Client {
 public:
  Http1Client(boost::asio::io_context& context, const std::string& address)
      : socket_(ConnectTo(context, address)) {
    // Beast reads no more at once than there is room for.
    received_.reserve(kReceivedBytes);
  }

  // The status of the answer, 0 when the connection broke. The request must
  // stay until then.
  Awaitable<unsigned> Call(const KinesisRequest& request);
  // The body of the last answer.
  absl::string_view answer() const { return answer_; }

  // The same for a long answer: `on_bytes` gets its body in pieces as they
  // come, and returns whether it wants more.
  Awaitable<unsigned> CallStreaming(
      const KinesisRequest& request,
      std::function<bool(absl::string_view)> on_bytes);

 private:
  static constexpr size_t kReceivedBytes = 256 << 10;

  Awaitable<bool> Send(const KinesisRequest& request);

  TcpSocket socket_;
  boost::beast::flat_buffer received_;  // Not parsed yet.
  std::string answer_;
};

}  // namespace trireme::bench

#endif  // TRIREME_TESTS_BENCH_HTTP1_CLIENT_H_
