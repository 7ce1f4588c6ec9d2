#include "server/http/http2_callbacks.h"

#include <algorithm>

#include "storage/check.h"

namespace trireme {
namespace {

constexpr size_t kFrameHeaderBytes = 9;  // RFC 9113 §4.1.

Http2Session* Session(void* self) { return static_cast<Http2Session*>(self); }

absl::string_view View(const uint8_t* bytes, size_t size) {
  return absl::string_view(reinterpret_cast<const char*>(bytes), size);
}

bool IsRequestHead(const nghttp2_frame& frame) {
  return frame.hd.type == NGHTTP2_HEADERS &&
         frame.headers.cat == NGHTTP2_HCAT_REQUEST;
}

}  // namespace

nghttp2_session_callbacks* Http2Session::Callbacks::New() {
  nghttp2_session_callbacks* callbacks = nullptr;
  CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks,
                                                          OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks,
                                                       OnFrameReceived);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks,
                                                         OnStreamClosed);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, OnFrameSent);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, SendBody);
  return callbacks;
}

int Http2Session::Callbacks::OnBeginHeaders(nghttp2_session*,
                                            const nghttp2_frame* frame,
                                            void* self) {
  if (IsRequestHead(*frame)) Session(self)->Open(frame->hd.stream_id);
  return 0;
}

int Http2Session::Callbacks::OnHeader(nghttp2_session*,
                                      const nghttp2_frame* frame,
                                      const uint8_t* name, size_t name_size,
                                      const uint8_t* value, size_t value_size,
                                      uint8_t, void* self) {
  Http2Stream* const stream = Session(self)->Find(frame->hd.stream_id);
  // Trailers are dropped: there is nothing of ours in them.
  if (stream == nullptr || !IsRequestHead(*frame)) return 0;
  Session(self)->AddHeader(stream, View(name, name_size),
                           View(value, value_size));
  return 0;
}

int Http2Session::Callbacks::OnFrameReceived(nghttp2_session*,
                                             const nghttp2_frame* frame,
                                             void* self) {
  Session(self)->OnFrameReceived(*frame);
  return 0;
}

int Http2Session::Callbacks::OnData(nghttp2_session*, uint8_t, int32_t id,
                                    const uint8_t* data, size_t size,
                                    void* self) {
  Http2Stream* const stream = Session(self)->Find(id);
  if (stream != nullptr) Session(self)->OnBody(stream, View(data, size));
  return 0;
}

int Http2Session::Callbacks::OnStreamClosed(nghttp2_session*, int32_t id,
                                            uint32_t, void* self) {
  Session(self)->OnStreamClosed(id);
  return 0;
}

int Http2Session::Callbacks::OnFrameSent(nghttp2_session*,
                                         const nghttp2_frame* frame,
                                         void* self) {
  if (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) {
    Session(self)->OnFrameSent(*frame);
  }
  return 0;
}

ssize_t Http2Session::Callbacks::ReadBody(nghttp2_session*, int32_t, uint8_t*,
                                          size_t size, uint32_t* flags,
                                          nghttp2_data_source* source,
                                          void* self) {
  HttpAnswer& answer = *static_cast<Http2Stream*>(source->ptr)->answer;
  if (answer.HasEmptyPiece()) {
    bool ends_piece = false;
    answer.Take(0, &ends_piece);
    Session(self)->output_->pieces.push_back(
        static_cast<Http2Stream*>(source->ptr)->answer);
  }
  const size_t pending = answer.pending_bytes();
  if (pending == 0 && !answer.complete()) return NGHTTP2_ERR_DEFERRED;
  const size_t taken = std::min(size, pending);
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (taken == pending && answer.complete()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(taken);
}

int Http2Session::Callbacks::SendBody(nghttp2_session*, nghttp2_frame* frame,
                                      const uint8_t* header, size_t size,
                                      nghttp2_data_source* source, void* self) {
  CHECK(frame->data.padlen == 0, "we send no padding");
  Http2Output& output = *Session(self)->output_;
  Http2Stream& stream = *static_cast<Http2Stream*>(source->ptr);
  bool ends_piece = false;
  output.bytes.Append(View(header, kFrameHeaderBytes));
  output.bytes.Append(stream.answer->Take(size, &ends_piece));
  if (ends_piece) output.pieces.push_back(stream.answer);
  stream.progress = std::chrono::steady_clock::now();
  return 0;
}

}  // namespace trireme
