#include "server/http/http1_parser.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace trireme {
namespace {

namespace http = boost::beast::http;

// A body grows step by step beyond this, whatever length it announces.
constexpr uint64_t kBodyReservedMax = 1u << 20;

absl::string_view View(boost::beast::string_view text) {
  return absl::string_view(text.data(), text.size());
}

int StatusOf(const boost::beast::error_code& error) {
  if (error == http::error::header_limit) return 431;
  if (error == http::error::body_limit) return 413;
  if (error == http::error::bad_version) return 505;
  return 400;
}

}  // namespace

Http1Parser::Http1Parser(const HttpLimits& limits,
                         std::shared_ptr<BodyBudget> budget)
    : limits_(limits), charge_(std::move(budget)) {
  header_limit(static_cast<uint32_t>(limits.header_bytes_max));
  body_limit(limits.body_bytes_max);
}

size_t Http1Parser::Parse(absl::string_view input) {
  error_code error;
  const bool in_head = !head_done();
  const size_t used =
      put(boost::asio::const_buffer(input.data(), input.size()), error);
  if (error == http::error::need_more) {
    // Lines are parsed when they are complete. Those of chunks are short.
    if (input.size() - used > limits_.header_bytes_max) refusal_ = 431;
  } else if (error && refusal_ == 0) {
    refusal_ = StatusOf(error);
  }
  if (in_head) head_bytes_ += used;
  if (head_bytes_ > limits_.header_bytes_max && refusal_ == 0) refusal_ = 431;
  return used;
}

bool Http1Parser::expects_continue() const {
  return !is_http_1_0() &&
         absl::EqualsIgnoreCase(request_.Header("expect"), "100-continue");
}

void Http1Parser::on_request_impl(http::verb, string_view method_name,
                                  string_view target, int version,
                                  error_code&) {
  request_.method = std::string(View(method_name));
  request_.target = std::string(View(target));
  version_ = version;
}

void Http1Parser::on_response_impl(int, string_view, int, error_code&) {}

void Http1Parser::on_field_impl(http::field field, string_view name,
                                string_view value, error_code& error) {
  if (head_done()) return;  // A trailer: there is nothing of ours in it.
  if (request_.headers.size() == limits_.headers_max) {
    return Refuse(431, error);
  }
  const bool chunked = absl::EqualsIgnoreCase(View(value), "chunked");
  if (field == http::field::transfer_encoding && !chunked) {
    // Where such a body ends is what proxies do not agree on.
    return Refuse(501, error);
  }
  request_.headers.push_back(
      {absl::AsciiStrToLower(View(name)), std::string(View(value))});
}

void Http1Parser::on_header_impl(error_code& error) {
  const auto hosts =
      std::count_if(request_.headers.begin(), request_.headers.end(),
                    [](const HttpHeader& h) { return h.name == "host"; });
  // RFC 9112 §3.2; and §6.1 of what HTTP/1.0 does not know.
  if (hosts > 1 || (hosts == 0 && !is_http_1_0())) return Refuse(400, error);
  if (is_http_1_0() && chunked()) return Refuse(400, error);
}

void Http1Parser::on_body_init_impl(
    const boost::optional<std::uint64_t>& content_length, error_code&) {
  request_.body.reserve(std::min(content_length.value_or(0), kBodyReservedMax));
}

std::size_t Http1Parser::on_body_impl(string_view body, error_code& error) {
  if (!charge_.Grow(body.size())) {
    Refuse(503, error);
    return 0;
  }
  request_.body.append(body.data(), body.size());
  return body.size();
}

void Http1Parser::on_chunk_header_impl(std::uint64_t, string_view,
                                       error_code&) {}

std::size_t Http1Parser::on_chunk_body_impl(std::uint64_t, string_view body,
                                            error_code& error) {
  return on_body_impl(body, error);
}

void Http1Parser::on_finish_impl(error_code&) {}

void Http1Parser::Refuse(int status, error_code& error) {
  refusal_ = status;
  error = http::error::bad_value;
}

}  // namespace trireme
