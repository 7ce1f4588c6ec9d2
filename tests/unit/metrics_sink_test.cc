#include "server/cloudwatch/metrics_sink.h"

#include <memory>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/unit/fake_exchange.h"

namespace trireme {
namespace {

HttpRequest RequestOf(const std::string& target,
                      std::vector<HttpHeader> headers,
                      const std::string& body) {
  HttpRequest request;
  request.method = "POST";
  request.target = target;
  request.headers = std::move(headers);
  request.body = body;
  return request;
}

const HttpRequest kQuery = RequestOf(
    "/", {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}},
    "Action=PutMetricData&Version=2010-08-01");
const HttpRequest kJson =
    RequestOf("/",
              {{"x-amz-target", "GraniteServiceVersion20100801.PutMetricData"},
               {"content-type", "application/x-amz-json-1.0"}},
              "{}");
const HttpRequest kCbor =
    RequestOf("/service/GraniteServiceVersion20100801/operation/PutMetricData",
              {{"smithy-protocol", "rpc-v2-cbor"}}, "\xa0");

std::shared_ptr<FakeExchange> Serve(const HttpRequest& request,
                                    std::optional<AwsError> refused = {}) {
  EXPECT_TRUE(MetricsSink::Takes(request));
  MetricsSink sink([&](const HttpRequest&) { return refused; });
  auto exchange = std::make_shared<FakeExchange>(request);
  sink.Serve(exchange);
  EXPECT_TRUE(exchange->answered());
  return exchange;
}

TEST(MetricsSinkTest, AnswersEachProtocolInItsOwnWay) {
  EXPECT_TRUE(
      absl::StartsWith(Serve(kQuery)->body(), "<PutMetricDataResponse"));
  EXPECT_EQ(Serve(kJson)->body(), "{}");
  EXPECT_EQ(Serve(kCbor)->body(), "\xa0");
  EXPECT_EQ(Serve(kCbor)->header("smithy-protocol"), "rpc-v2-cbor");
  for (const HttpRequest& request : {kQuery, kJson, kCbor}) {
    EXPECT_EQ(Serve(request)->response().status, 200);
  }
}

TEST(MetricsSinkTest, RefusesWhoMayNotCallAndOtherOperations) {
  const AwsError refused{400, "UnrecognizedClientException", "who?"};
  for (const HttpRequest& request : {kQuery, kJson, kCbor}) {
    const auto exchange = Serve(request, refused);
    EXPECT_EQ(exchange->response().status, 400);
    EXPECT_TRUE(
        absl::StrContains(exchange->body(), "UnrecognizedClientException"));
  }
  HttpRequest list = kQuery;
  list.body = "Action=ListMetrics";
  EXPECT_TRUE(
      absl::StrContains(Serve(list)->body(), "UnknownOperationException"));
}

TEST(MetricsSinkTest, LeavesWhatIsForOthers) {
  EXPECT_FALSE(MetricsSink::Takes(
      RequestOf("/", {{"x-amz-target", "Kinesis_20131202.PutRecord"}}, "{}")));
}

}  // namespace
}  // namespace trireme
