#include "server/http/http1_head.h"

#include <algorithm>
#include <boost/beast/http/status.hpp>
#include <utility>

#include "absl/strings/str_cat.h"

namespace trireme {

std::string FormatHttp1Head(const HttpResponse& response,
                            const Http1Head& head) {
  const auto reason = boost::beast::http::obsolete_reason(
      boost::beast::http::int_to_status(response.status));
  std::string text =
      absl::StrCat("HTTP/1.1 ", response.status, " ",
                   absl::string_view(reason.data(), reason.size()), "\r\n");
  for (const HttpHeader& header : response.headers) {
    absl::StrAppend(&text, HeaderText(header.name), ": ",
                    HeaderText(header.value), "\r\n");
  }
  absl::StrAppend(&text, "date: ", head.date, "\r\n");
  if (head.body == Http1Body::kChunked) {
    absl::StrAppend(&text, "transfer-encoding: chunked\r\n");
  } else if (head.body == Http1Body::kSized && StatusHasBody(response.status)) {
    absl::StrAppend(&text, "content-length: ", head.body_bytes, "\r\n");
  }
  if (!head.keep_alive) {
    absl::StrAppend(&text, "connection: close\r\n");
  } else if (head.is_http_1_0) {
    absl::StrAppend(&text, "connection: keep-alive\r\n");
  }
  absl::StrAppend(&text, "\r\n");
  return text;
}

absl::Cord FormatChunk(absl::Cord piece) {
  absl::Cord chunk(absl::StrCat(absl::Hex(piece.size()), "\r\n"));
  chunk.Append(std::move(piece));
  chunk.Append("\r\n");
  return chunk;
}

bool StatusHasBody(int status) {
  return status >= 200 && status != 204 && status != 304;
}

std::string HeaderText(absl::string_view text) {
  std::string clean(text);
  std::replace_if(
      clean.begin(), clean.end(),
      [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  return clean;
}

}  // namespace trireme
