// Http1Parser turns the bytes of one HTTP/1 request into an HttpRequest, within
// the limits: Beast's parser, which writes straight into the request.
#ifndef TRIREME_SERVER_HTTP_HTTP1_PARSER_H_
#define TRIREME_SERVER_HTTP_HTTP1_PARSER_H_

#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "server/http/body_budget.h"
#include "server/http/http_exchange.h"
#include "server/http/http_limits.h"

namespace trireme {

class Http1Parser : private boost::beast::http::basic_parser<true> {
 public:
  Http1Parser(const HttpLimits& limits, std::shared_ptr<BodyBudget> budget);

  // Parses some of `input` and says how much of it is used up. When that is
  // nothing, more has to come first, unless the request is done or refused.
  size_t Parse(absl::string_view input);

  bool head_done() const { return is_header_done(); }
  bool done() const { return is_done(); }
  // The status to refuse the request with; 0 while nothing is wrong.
  int refusal() const { return refusal_; }

  // Once its head is done.
  bool keep_alive() const { return basic_parser::keep_alive(); }
  bool is_http_1_0() const { return version_ < 11; }
  bool expects_continue() const;
  bool wants_upgrade() const { return upgrade(); }
  const HttpRequest& request() const { return request_; }

  // Once it is done.
  HttpRequest TakeRequest() { return std::move(request_); }
  BodyCharge TakeCharge() { return std::move(charge_); }

 private:
  using string_view = boost::beast::string_view;
  using error_code = boost::beast::error_code;

  void on_request_impl(boost::beast::http::verb method, string_view method_name,
                       string_view target, int version,
                       error_code& error) override;
  void on_response_impl(int code, string_view reason, int version,
                        error_code& error) override;
  void on_field_impl(boost::beast::http::field field, string_view name,
                     string_view value, error_code& error) override;
  void on_header_impl(error_code& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& content_length,
                         error_code& error) override;
  std::size_t on_body_impl(string_view body, error_code& error) override;
  void on_chunk_header_impl(std::uint64_t size, string_view extensions,
                            error_code& error) override;
  std::size_t on_chunk_body_impl(std::uint64_t remaining, string_view body,
                                 error_code& error) override;
  void on_finish_impl(error_code& error) override;

  // Makes the parser stop.
  void Refuse(int status, error_code& error);

  const HttpLimits& limits_;
  BodyCharge charge_;
  HttpRequest request_;
  int version_ = 11;
  int refusal_ = 0;
  uint64_t head_bytes_ = 0;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_HTTP1_PARSER_H_
