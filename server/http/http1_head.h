// How an answer's head and its chunks are written in HTTP/1.
#ifndef TRIREME_SERVER_HTTP_HTTP1_HEAD_H_
#define TRIREME_SERVER_HTTP_HTTP1_HEAD_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "server/http/http_exchange.h"

namespace trireme {

// How long a body is: as many bytes; else in chunks; else until the end of the
// connection.
enum class Http1Body { kSized, kChunked, kToTheEnd };

struct Http1Head {
  Http1Body body = Http1Body::kSized;
  uint64_t body_bytes = 0;   // When sized.
  bool keep_alive = true;    // What the connection does after it.
  bool is_http_1_0 = false;  // What the request was.
  absl::string_view date;
};

// Status line and headers, with the empty line that ends them.
std::string FormatHttp1Head(const HttpResponse& response,
                            const Http1Head& head);

// Not for an empty piece, which would end the body.
absl::Cord FormatChunk(absl::Cord piece);

// 204 and 304 have no body, not even an empty one.
bool StatusHasBody(int status);

// `text` without what would end a header.
std::string HeaderText(absl::string_view text);

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_HTTP1_HEAD_H_
