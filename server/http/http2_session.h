// Http2Session is the protocol of one HTTP/2 connection without its socket:
// nghttp2 with our streams. Bytes come in and requests go out; answers come in
// and bytes go out.
//
// Of one loop's thread. No code of the service runs within a callback of
// nghttp2.
#ifndef TRIREME_SERVER_HTTP_HTTP2_SESSION_H_
#define TRIREME_SERVER_HTTP_HTTP2_SESSION_H_

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "server/http/http2_stream.h"
#include "server/http/http_context.h"
#include "server/http/http_loop.h"

namespace trireme {

// Bytes for the socket, and the answers that are to be told when these have
// left.
struct Http2Output {
  absl::Cord bytes;
  std::vector<std::shared_ptr<HttpAnswer>> pieces;
};

class Http2Session {
 public:
  using Streams = std::vector<std::shared_ptr<Http2Stream>>;

  // Both must outlive it.
  Http2Session(HttpContext* context, HttpLoop* loop);
  ~Http2Session();

  // Begins with the request of an HTTP/1 upgrade, as stream 1.
  absl::Status Upgrade(absl::string_view settings, HttpRequest request,
                       BodyCharge charge);
  // An error ends the connection, once Gather has nothing more to say.
  absl::Status Receive(absl::string_view bytes);
  // The streams whose requests have become complete.
  Streams TakeReady();

  // There is something new of the stream's answer.
  void OnAnswerChanged(Http2Stream* stream);
  // Adds what can be sent now; not much more than `bytes_max`.
  void Gather(uint64_t bytes_max, Http2Output* output);
  // The peer makes us answer faster than it reads.
  bool IsBackedUp() const;
  // Neither side has anything left to say.
  bool IsOver() const;
  // It is over, or there are frames to gather.
  bool HasNews() const;

  // Says that no new streams are taken soon, then, once the peer knows, which
  // was the last.
  void StartDraining();
  // GOAWAY; NGHTTP2_NO_ERROR lets the open streams end.
  void Terminate(uint32_t error_code);
  // Gives up what should have moved on by now; false when that is all.
  bool GiveUpLate(SteadyTime now);
  // The socket is gone.
  void CloseAll();

 private:
  struct Callbacks;  // What nghttp2 calls.

  Http2Stream* Find(int32_t id);
  Http2Stream* Open(int32_t id);
  // Of nghttp2's callbacks.
  void AddHeader(Http2Stream* stream, absl::string_view name,
                 absl::string_view value);
  void OnRequestHead(Http2Stream* stream, bool complete);
  void OnBody(Http2Stream* stream, absl::string_view bytes);
  void OnRequestComplete(Http2Stream* stream);
  void OnFrameReceived(const nghttp2_frame& frame);
  void OnFrameSent(const nghttp2_frame& frame);
  void OnStreamClosed(int32_t id);

  // Answers with nothing but a status; the rest of the request is dropped.
  void Refuse(Http2Stream* stream, int status);
  void SubmitHead(Http2Stream* stream);
  bool IsLate(const Http2Stream& stream, SteadyTime now) const;
  void Reset(const Http2Stream& stream, uint32_t error_code);
  // Lets the closed streams' answers know.
  void CloseEnded();

  HttpContext* const context_;
  HttpLoop* const loop_;
  nghttp2_session* session_ = nullptr;

  absl::flat_hash_map<int32_t, std::shared_ptr<Http2Stream>> streams_;
  Streams ready_;
  Streams closed_;
  Http2Output* output_ = nullptr;  // During Gather.
  bool has_settings_ = false;      // The peer's first.
  bool draining_ = false;
  bool goaway_sent_ = false;
  bool broken_ = false;    // nghttp2 cannot go on.
  SteadyTime idle_since_;  // When the last stream was closed.
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_HTTP2_SESSION_H_
