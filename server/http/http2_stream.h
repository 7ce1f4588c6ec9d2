// Http2Stream is one request of an HTTP/2 connection and its answer.
#ifndef TRIREME_SERVER_HTTP_HTTP2_STREAM_H_
#define TRIREME_SERVER_HTTP_HTTP2_STREAM_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "server/http/asio.h"
#include "server/http/body_budget.h"
#include "server/http/http_answer.h"
#include "server/http/http_exchange.h"

namespace trireme {

struct Http2Stream {
  Http2Stream(int32_t stream_id, BodyCharge body_charge)
      : id(stream_id), charge(std::move(body_charge)) {}

  const int32_t id;

  // The request: moved to the exchange once it is complete.
  HttpRequest request;
  BodyCharge charge;
  uint64_t header_bytes = 0;
  bool has_head = false;
  bool complete = false;
  bool is_head_request = false;
  int refusal = 0;  // The status, when it is not for the service.

  std::shared_ptr<HttpAnswer> answer;  // Null before it is served.
  bool head_sent = false;
  SteadyTime begun;
  SteadyTime progress;  // When either side last had something new.
};

}  // namespace trireme

#endif  // TRIREME_SERVER_HTTP_HTTP2_STREAM_H_
