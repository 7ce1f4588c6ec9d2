// What tests of the DynamoDB front end share: a node that has it, and calls as
// JSON.
#ifndef TRIREME_TESTS_UNIT_DYNAMODB_FIXTURE_H_
#define TRIREME_TESTS_UNIT_DYNAMODB_FIXTURE_H_

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "server/dynamodb/dynamodb.h"
#include "tests/unit/broker_fixture.h"

namespace trireme::dynamodb {

class DynamoDbTest : public ::testing::Test {
 protected:
  struct Reply {
    int status = 0;
    Json body;

    std::string type() const {
      const std::string name = body.value("__type", "");
      return name.substr(name.find('#') + 1);
    }
    std::string message() const { return body.value("message", ""); }
  };
  using Pending = std::shared_ptr<std::optional<Answer>>;

  // Begins a call; its answer comes when the node has settled.
  Pending Begin(const std::string& operation, std::string body) {
    // Line breaks are only of the tests' sources.
    std::replace(body.begin(), body.end(), '\n', ' ');
    auto pending = std::make_shared<std::optional<Answer>>();
    service_.Serve(operation, Json::parse(body), [pending](Answer answer) {
      EXPECT_FALSE(pending->has_value()) << "answered twice";
      *pending = std::move(answer);
    });
    return pending;
  }
  Reply Take(const Pending& pending) {
    node_.Settle();
    EXPECT_TRUE(pending->has_value()) << "not answered";
    if (!pending->has_value()) return {};
    return {(*pending)->status, Json::parse((*pending)->body)};
  }
  Reply Call(const std::string& operation, const std::string& body) {
    return Take(Begin(operation, body));
  }
  // Of a call that succeeds.
  Json Ok(const std::string& operation, const std::string& body) {
    const Reply reply = Call(operation, body);
    EXPECT_EQ(reply.status, 200) << operation << ": " << reply.body.dump();
    return reply.body;
  }
  // The exception and its message.
  std::string Error(const std::string& operation, const std::string& body) {
    const Reply reply = Call(operation, body);
    EXPECT_EQ(reply.status, 400) << operation << ": " << reply.body.dump();
    return reply.type() + ": " + reply.message();
  }

  TestNode node_;
  DynamoDb service_{&node_.broker};
};

}  // namespace trireme::dynamodb

#endif  // TRIREME_TESTS_UNIT_DYNAMODB_FIXTURE_H_
