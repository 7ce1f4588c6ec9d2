#include "server/aws/aws_endpoint.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/aws/message_reader.h"
#include "server/aws/request_id.h"

namespace trireme {
namespace {

constexpr char kJson11[] = "application/x-amz-json-1.1";
constexpr char kJson10[] = "application/x-amz-json-1.0";
constexpr char kCbor11[] = "application/x-amz-cbor-1.1";
constexpr char kPlainJson[] = "application/json";
constexpr char kExposedHeaders[] =
    "x-amzn-RequestId,x-amzn-ErrorType,x-amz-request-id,x-amz-id-2,"
    "x-amzn-ErrorMessage,Date";
constexpr char kPreflightMaxAge[] = "172800";  // Seconds: two days.

// What a request says of itself before its body is looked at.
struct Envelope {
  std::string content_type;  // Without parameters; in lower case.
  absl::string_view target_prefix;
  absl::string_view operation;

  bool IsServiceType() const {
    return content_type == kJson11 || content_type == kCbor11 ||
           content_type == kJson10;
  }
  MessageFormat format() const {
    return content_type == kCbor11 ? MessageFormat::kCbor
                                   : MessageFormat::kJson;
  }
};

Envelope EnvelopeOf(const HttpRequest& request) {
  Envelope envelope;
  const std::pair<absl::string_view, absl::string_view> type =
      absl::StrSplit(request.Header("content-type"), absl::MaxSplits(';', 1));
  envelope.content_type =
      absl::AsciiStrToLower(absl::StripAsciiWhitespace(type.first));
  const std::pair<absl::string_view, absl::string_view> target =
      absl::StrSplit(request.Header("x-amz-target"), absl::MaxSplits('.', 1));
  envelope.target_prefix = target.first;
  envelope.operation = target.second;
  return envelope;
}

void Respond(HttpExchange& exchange, int status,
             std::vector<HttpHeader> headers, std::string body) {
  exchange.Respond({status, std::move(headers), absl::Cord(std::move(body))});
}

// For requests that no service can be told in its own encoding.
void RespondXml(HttpExchange& exchange, int status,
                std::vector<HttpHeader> headers, const AwsError& error) {
  headers.push_back({"x-amzn-errortype", error.code});
  const std::string body =
      error.message.empty()
          ? absl::StrCat("<", error.code, "/>\n")
          : absl::StrCat("<", error.code, ">\n  <Message>", error.message,
                         "</Message>\n</", error.code, ">\n");
  Respond(exchange, status, std::move(headers), body);
}

const AwsError kUndetermined{
    403, "AccessDeniedException",
    "Unable to determine service/operation name to be authorized"};

void AnswerPreflight(HttpExchange& exchange, std::vector<HttpHeader> headers) {
  const HttpRequest& request = exchange.request();
  const auto echo = [&](absl::string_view asked, const char* answer) {
    const absl::string_view value = request.Header(asked);
    if (!value.empty()) headers.push_back({answer, std::string(value)});
  };
  echo("access-control-request-headers", "access-control-allow-headers");
  echo("access-control-request-method", "access-control-allow-methods");
  headers.push_back({"access-control-max-age", kPreflightMaxAge});
  Respond(exchange, 200, std::move(headers), "");
}

// A body of plain JSON gets no further than this.
void RefusePlainJson(HttpExchange& exchange, std::vector<HttpHeader> headers) {
  headers.push_back({"content-type", kPlainJson});
  const bool is_json =
      ReadMessage(MessageFormat::kJson, exchange.request().body).has_value();
  Respond(exchange, is_json ? 404 : 400, std::move(headers),
          absl::StrCat(
              R"({"Output":{"__type":"com.amazon.coral.service#)",
              is_json ? "UnknownOperationException" : "SerializationException",
              R"("},"Version":"1.0"})"));
}

}  // namespace

AwsEndpoint::AwsEndpoint(std::vector<AwsApi*> apis, Checks checks)
    : apis_(std::move(apis)), checks_(std::move(checks)) {}

AwsApi* AwsEndpoint::FindApi(absl::string_view target_prefix) const {
  for (AwsApi* const api : apis_) {
    if (api->target_prefix() == target_prefix) return api;
  }
  return nullptr;
}

void AwsEndpoint::Serve(std::shared_ptr<HttpExchange> exchange) {
  const HttpRequest& request = exchange->request();
  std::vector<HttpHeader> headers{{"x-amzn-requestid", MakeRequestId()},
                                  {"x-amz-id-2", MakeExtendedRequestId()}};
  if (!request.Header("origin").empty()) {
    headers.push_back({"access-control-allow-origin", "*"});
    if (request.method == "OPTIONS") {
      return AnswerPreflight(*exchange, std::move(headers));
    }
    headers.push_back({"access-control-expose-headers", kExposedHeaders});
  }
  if (request.method != "POST") {
    return RespondXml(*exchange, 403, std::move(headers), kUndetermined);
  }
  const Envelope envelope = EnvelopeOf(request);
  AwsApi* const api = FindApi(envelope.target_prefix);
  const bool known = api != nullptr && api->Has(envelope.operation);
  const bool empty = request.body.empty();
  if (!empty && envelope.content_type == kPlainJson) {
    return RefusePlainJson(*exchange, std::move(headers));
  }
  if (!empty && !envelope.IsServiceType()) {
    if (envelope.target_prefix.empty() || envelope.operation.empty()) {
      return RespondXml(*exchange, 403, std::move(headers), kUndetermined);
    }
    return RespondXml(*exchange, 404, std::move(headers),
                      {404, "UnknownOperationException", ""});
  }
  // Without a body the type may be anything; then the answer is CBOR.
  const auto call = std::make_shared<AwsCall>(
      exchange, envelope.operation,
      envelope.IsServiceType() ? envelope.content_type : kCbor11,
      envelope.IsServiceType() ? envelope.format() : MessageFormat::kCbor,
      std::move(headers));
  if (empty) {
    return call->Fail(
        {400, known ? "SerializationException" : "UnknownOperationException",
         ""});
  }
  if (!known) {
    return call->Fail({400, "UnknownOperationException",
                       api == nullptr ? "" : api->WhyNot(envelope.operation)});
  }
  Run(api, call);
}

void AwsEndpoint::Run(AwsApi* api, std::shared_ptr<AwsCall> call) const {
  const HttpRequest& request = call->exchange().request();
  if (checks_.signature != nullptr) {
    if (const auto refused = checks_.signature(request)) {
      return call->Fail(*refused);
    }
  }
  if (!call->ReadMessage()) return call->Fail({400, "SerializationException"});
  if (const auto refused = checks_.signature_shape(request)) {
    return call->Fail(*refused);
  }
  api->Run(std::move(call));
}

}  // namespace trireme
