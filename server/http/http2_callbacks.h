// What nghttp2 calls of an Http2Session. They only note what happened: nghttp2
// must not be entered again from within.
#ifndef TRIREME_SERVER_HTTP_HTTP2_CALLBACKS_H_
#define TRIREME_SERVER_HTTP_HTTP2_CALLBACKS_H_

#include <nghttp2/nghttp2.h>

#include <cstdint>

#include "server/http/http2_session.h"

namespace trireme {

struct Http2Session::Callbacks {
  // The caller deletes them.
  static nghttp2_session_callbacks* New();

  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame,
                            void* self);
  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame,
                      const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t flags,
                      void* self);
  static int OnFrameReceived(nghttp2_session*, const nghttp2_frame* frame,
                             void* self);
  static int OnData(nghttp2_session*, uint8_t flags, int32_t id,
                    const uint8_t* data, size_t size, void* self);
  static int OnStreamClosed(nghttp2_session*, int32_t id, uint32_t error,
                            void* self);
  static int OnFrameSent(nghttp2_session*, const nghttp2_frame* frame,
                         void* self);

  // The body of an answer: first how much of it goes into the next frame, then
  // the frame, past nghttp2's buffers.
  static ssize_t ReadBody(nghttp2_session*, int32_t id, uint8_t* buffer,
                          size_t size, uint32_t* flags,
                          nghttp2_data_source* source, void* self);
  static int SendBody(nghttp2_session*, nghttp2_frame* frame,
                      const uint8_t* header, size_t size,
                      nghttp2_data_source* source, void* self);
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_HTTP2_CALLBACKS_H_
