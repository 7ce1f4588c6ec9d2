// AwsCall is one call of an AWS client whose service and operation are known
// and whose signature is in order: its body and how to answer it, in the
// client's own encoding.
//
// Shared by those who answer it; any thread may. Each is answered once.
#ifndef TRIREME_SERVER_AWS_AWS_CALL_H_
#define TRIREME_SERVER_AWS_AWS_CALL_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"
#include "server/aws/aws_error.h"
#include "server/aws/message_format.h"
#include "server/http/http_exchange.h"

namespace trireme {

class AwsCall {
 public:
  // `content_type` is the request's, and the answer's.
  AwsCall(std::shared_ptr<HttpExchange> exchange, absl::string_view operation,
          absl::string_view content_type, MessageFormat format,
          std::vector<HttpHeader> headers)
      : exchange_(std::move(exchange)),
        operation_(operation),
        content_type_(content_type),
        format_(format),
        headers_(std::move(headers)) {}

  const std::string& operation() const { return operation_; }
  MessageFormat format() const { return format_; }
  // Makes message() of the request's body. False when it is none.
  bool ReadMessage();
  nlohmann::json& message() { return message_; }
  HttpExchange& exchange() { return *exchange_; }

  // 200 with an encoded message; an empty one for operations without output.
  void Respond(absl::Cord message);
  void Fail(const AwsError& error);
  // An error whose body the service has made; `error` may have no name then.
  void Fail(const AwsError& error, std::string message);
  // The head of an answer in pieces.
  HttpResponse StreamHead(absl::string_view content_type) const;

 private:
  const std::shared_ptr<HttpExchange> exchange_;
  const std::string operation_;
  const std::string content_type_;
  const MessageFormat format_;
  const std::vector<HttpHeader> headers_;  // Of every answer: request ids.
  // Owned by who answers the call.
  nlohmann::json message_;
};

// One of the services that an endpoint offers.
class AwsApi {
 public:
  virtual ~AwsApi() = default;
  // As in X-Amz-Target: "Kinesis_20131202".
  virtual absl::string_view target_prefix() const = 0;
  virtual bool Has(absl::string_view operation) const = 0;
  // What to say of an operation that it does not have; may be nothing.
  virtual std::string WhyNot(absl::string_view operation) const = 0;
  // Called on a connection's thread; must not block.
  virtual void Run(std::shared_ptr<AwsCall> call) = 0;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_AWS_AWS_CALL_H_
