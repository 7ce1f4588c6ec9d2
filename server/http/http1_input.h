// Http1Input reads what a peer of HTTP/1 sends, when asked to: for a request,
// or in the background of an answer, to notice that the peer is gone.
//
// Of one loop's thread.
#ifndef TRIREME_SERVER_HTTP_HTTP1_INPUT_H_
#define TRIREME_SERVER_HTTP_HTTP1_INPUT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/http/http_loop.h"
#include "server/http/http_socket.h"
#include "server/http/signal.h"

namespace trireme {

class Http1Input {
 public:
  // `bytes` have been read already. `came` is notified when a read is over.
  Http1Input(HttpLoop* loop, HttpSocket* socket, std::string bytes,
             Signal* came);

  // Reads whenever something is wanted, until Stop.
  Awaitable<void> Run();
  // No read is under way when it returns.
  Awaitable<void> Stop();

  // Starts a read, if none is under way.
  void Want();
  bool reading() const { return wanted_; }

  absl::string_view bytes() const {
    return absl::string_view(buffer_).substr(begin_, end_ - begin_);
  }
  void Consume(size_t count) { begin_ += count; }
  // OutOfRange when the peer has ended its side, else why reading fails.
  const absl::Status& status() const { return status_; }

 private:
  void MakeRoom();

  HttpSocket* const socket_;
  Signal* const came_;
  Signal wants_;
  Signal stopped_;
  bool wanted_ = false;
  bool stopping_ = false;
  bool running_ = true;  // Run is called at once.
  absl::Status status_;
  // From begin_ to end_ not yet consumed; a read goes to what lies behind.
  std::string buffer_;
  size_t begin_ = 0;
  size_t end_;
  size_t read_bytes_max_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_HTTP1_INPUT_H_
