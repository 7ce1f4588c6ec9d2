#include "server/cloudwatch/metrics_sink.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "server/aws/request_id.h"
#include "server/aws/utf8.h"

namespace trireme {
namespace {

constexpr char kTargetPrefix[] = "GraniteServiceVersion20100801.";
constexpr char kPathPrefix[] =
    "/service/GraniteServiceVersion20100801/operation/";
constexpr char kNamespace[] = "http://monitoring.amazonaws.com/doc/2010-08-01/";
constexpr char kPutMetricData[] = "PutMetricData";
constexpr char kAction[] = "Action=PutMetricData";

// The protocols of CloudWatch: AWS JSON 1.0, Smithy RPC v2 CBOR, AWS Query.
enum class Protocol { kJson, kRpcCbor, kQuery };

struct Meant {
  Protocol protocol = Protocol::kQuery;
  absl::string_view operation;  // Of the request.
};

// Asked of every request, whoever it is for.
std::optional<Meant> MeantBy(const HttpRequest& request) {
  absl::string_view target = request.Header("x-amz-target");
  if (absl::ConsumePrefix(&target, kTargetPrefix)) {
    return Meant{Protocol::kJson, target};
  }
  absl::string_view path = request.target;
  if (absl::ConsumePrefix(&path, kPathPrefix)) {
    return Meant{Protocol::kRpcCbor, path};
  }
  if (request.target != "/" || !target.empty() ||
      !absl::StartsWith(request.Header("content-type"),
                        "application/x-www-form-urlencoded")) {
    return std::nullopt;
  }
  // Its clients may compress the body, and have Action in it; no one else
  // sends forms here.
  const absl::string_view body = request.body;
  const bool is_put = absl::StrContains(body, kAction) ||
                      !request.Header("content-encoding").empty();
  return Meant{Protocol::kQuery, is_put ? kPutMetricData : ""};
}

HttpResponse Answer(Protocol protocol, const std::string& id) {
  HttpResponse response;
  response.headers = {{"x-amzn-requestid", id}};
  switch (protocol) {
    case Protocol::kJson:
      response.headers.push_back(
          {"content-type", "application/x-amz-json-1.0"});
      response.body = absl::Cord("{}");
      break;
    case Protocol::kRpcCbor:
      response.headers.push_back({"content-type", "application/cbor"});
      response.headers.push_back({"smithy-protocol", "rpc-v2-cbor"});
      response.body = absl::Cord("\xa0");  // An empty map.
      break;
    case Protocol::kQuery:
      response.headers.push_back({"content-type", "text/xml"});
      response.body = absl::Cord(absl::StrCat(
          "<PutMetricDataResponse xmlns=\"", kNamespace,
          "\"><ResponseMetadata><RequestId>", id,
          "</RequestId></ResponseMetadata></PutMetricDataResponse>"));
      break;
  }
  return response;
}

std::string EscapeXml(absl::string_view text) {
  return absl::StrReplaceAll(ToUtf8(text),
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

std::string Document(Protocol protocol, const AwsError& error) {
  if (protocol == Protocol::kQuery) {
    return absl::StrCat("<ErrorResponse xmlns=\"", kNamespace,
                        "\"><Error><Type>Sender</Type><Code>", error.code,
                        "</Code><Message>", EscapeXml(error.message),
                        "</Message></Error></ErrorResponse>");
  }
  return EncodeError(
      protocol == Protocol::kJson ? MessageFormat::kJson : MessageFormat::kCbor,
      error);
}

HttpResponse Refusal(Protocol protocol, const std::string& id,
                     const AwsError& error) {
  HttpResponse response = Answer(protocol, id);
  response.status = error.http_status;
  response.body = absl::Cord(Document(protocol, error));
  return response;
}

}  // namespace

bool MetricsSink::Takes(const HttpRequest& request) {
  return MeantBy(request).has_value();
}

void MetricsSink::Serve(std::shared_ptr<HttpExchange> exchange) {
  const Meant meant = *MeantBy(exchange->request());
  const std::string id = MakeRequestId();
  if (const std::optional<AwsError> refused =
          authenticate_(exchange->request())) {
    return exchange->Respond(Refusal(meant.protocol, id, *refused));
  }
  if (meant.operation != kPutMetricData) {
    return exchange->Respond(Refusal(
        meant.protocol, id,
        {400, "UnknownOperationException",
         "Of CloudWatch's operations Trireme takes PutMetricData only."}));
  }
  exchange->Respond(Answer(meant.protocol, id));
}

}  // namespace trireme
