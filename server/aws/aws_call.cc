#include "server/aws/aws_call.h"

#include <optional>

#include "server/aws/message_reader.h"

namespace trireme {

bool AwsCall::ReadMessage() {
  std::optional<nlohmann::json> message =
      trireme::ReadMessage(format_, exchange_->request().body);
  if (message) message_ = *std::move(message);
  return message.has_value();
}

void AwsCall::Respond(absl::Cord message) {
  HttpResponse response;
  response.headers = headers_;
  response.headers.push_back({"content-type", content_type_});
  response.body = std::move(message);
  exchange_->Respond(std::move(response));
}

void AwsCall::Fail(const AwsError& error) {
  Fail(error, EncodeError(format_, error));
}

void AwsCall::Fail(const AwsError& error, std::string message) {
  HttpResponse response;
  response.status = error.http_status;
  response.headers = headers_;
  response.headers.push_back({"content-type", content_type_});
  if (!error.code.empty()) {
    response.headers.push_back({"x-amzn-errortype", error.code});
  }
  response.body = absl::Cord(std::move(message));
  exchange_->Respond(std::move(response));
}

HttpResponse AwsCall::StreamHead(absl::string_view content_type) const {
  HttpResponse response;
  response.headers = headers_;
  response.headers.push_back({"content-type", std::string(content_type)});
  return response;
}

}  // namespace trireme
