// What tests of the Kinesis API share: an endpoint over a node without a
// network, and calls as a client's HTTP library sends them.
#ifndef TRIREME_TESTS_UNIT_KINESIS_FIXTURE_H_
#define TRIREME_TESTS_UNIT_KINESIS_FIXTURE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "server/aws/aws_endpoint.h"
#include "server/aws/message_reader.h"
#include "server/kinesis/kinesis_api.h"
#include "tests/unit/broker_fixture.h"
#include "tests/unit/fake_exchange.h"

namespace trireme {

inline constexpr char kJsonType[] = "application/x-amz-json-1.1";
inline constexpr char kCborType[] = "application/x-amz-cbor-1.1";

// An answer that has come.
struct Answered {
  int status = 0;
  std::string type;  // Of its content.
  std::string body;

  nlohmann::json json() const {
    const auto message = ReadMessage(
        type == kCborType ? MessageFormat::kCbor : MessageFormat::kJson, body);
    EXPECT_TRUE(message.has_value()) << body;
    return message.value_or(nlohmann::json::object());
  }
  std::string error() const { return json().value("__type", ""); }
  std::string message() const {
    const nlohmann::json body_json = json();
    return body_json.value("message", body_json.value("Message", ""));
  }
};

class KinesisTest : public testing::Test {
 protected:
  KinesisTest()
      : api_(&served_),
        endpoint_({&api_},
                  {nullptr, [](const HttpRequest&) { return std::nullopt; }}) {
    served_.Set(&node_.broker);
  }

  static HttpRequest RequestOf(const std::string& operation, std::string body,
                               const std::string& type = kJsonType) {
    HttpRequest request;
    request.method = "POST";
    request.target = "/";
    request.headers = {{"host", "localhost:4567"},
                       {"content-type", type},
                       {"x-amz-target", "Kinesis_20131202." + operation}};
    request.body = std::move(body);
    return request;
  }

  std::shared_ptr<FakeExchange> Send(HttpRequest request) {
    auto exchange = std::make_shared<FakeExchange>(std::move(request));
    endpoint_.Serve(exchange);
    Settle(*exchange);
    return exchange;
  }
  void Settle(FakeExchange& exchange) {
    do {
      node_.Settle();
    } while (exchange.RunOne());
  }

  Answered SendAndWait(HttpRequest request) {
    const std::shared_ptr<FakeExchange> exchange = Send(std::move(request));
    if (!exchange->answered()) {
      ADD_FAILURE() << "not answered";
      return {};
    }
    return {exchange->response().status, exchange->header("content-type"),
            exchange->body()};
  }
  Answered Call(const std::string& operation, const nlohmann::json& input) {
    return SendAndWait(RequestOf(operation, input.dump()));
  }
  Answered CallCbor(const std::string& operation, const nlohmann::json& input) {
    const std::vector<uint8_t> body = nlohmann::json::to_cbor(input);
    return SendAndWait(
        RequestOf(operation, std::string(body.begin(), body.end()), kCborType));
  }
  // The answer of a call that succeeds.
  nlohmann::json Ok(const std::string& operation, const nlohmann::json& input) {
    const Answered answer = Call(operation, input);
    EXPECT_EQ(answer.status, 200) << operation << ": " << answer.body;
    return answer.body.empty() ? nlohmann::json() : answer.json();
  }

  std::string Iterator(const std::string& stream, const std::string& shard,
                       const std::string& type) {
    return Ok("GetShardIterator", {{"StreamName", stream},
                                   {"ShardId", shard},
                                   {"ShardIteratorType", type}})
        .value("ShardIterator", "");
  }

  TestNode node_;
  ServedBroker served_;
  KinesisApi api_;
  AwsEndpoint endpoint_;
};

}  // namespace trireme

#endif  // TRIREME_TESTS_UNIT_KINESIS_FIXTURE_H_
