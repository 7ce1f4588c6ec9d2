// DynamoDb answers calls of DynamoDB's API, of the subset that KCL applications
// use (kinesis-contract.md §5.3, docs/decisions/0012): JSON in, JSON out, of
// content type application/x-amz-json-1.0. Knows no transport.
//
// Holds nothing: it may go before the answer comes; the broker must not. Any
// thread; nothing blocks.
#ifndef TRIREME_SERVER_DYNAMODB_DYNAMODB_H_
#define TRIREME_SERVER_DYNAMODB_DYNAMODB_H_

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "server/broker.h"
#include "server/dynamodb/dynamodb_error.h"

namespace trireme::dynamodb {

class DynamoDb {
 public:
  // Called exactly once, on any thread; must not block.
  using Done = absl::AnyInvocable<void(Answer)>;

  explicit DynamoDb(Broker* broker) : broker_(broker) {}

  // `operation`: what follows "DynamoDB_20120810." in X-Amz-Target.
  // `request` is an object.
  void Serve(absl::string_view operation, Json request, Done done);

 private:
  Broker* const broker_;
};

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_DYNAMODB_H_
