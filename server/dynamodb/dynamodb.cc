#include "server/dynamodb/dynamodb.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/dynamodb/calls.h"
#include "server/dynamodb/json_fields.h"

namespace trireme::dynamodb {
namespace {

// KCL's own is 60 s, those of the SDKs mostly more than this.
constexpr absl::Duration kCallTimeout = absl::Seconds(10);

// Exactly one of the functions is there.
struct Call {
  absl::string_view operation;
  Replied (*read)(const TableReader&, const Json&) = nullptr;
  void (*write)(Broker*, const Json&, absl::Duration, AnswerDone) = nullptr;
};
constexpr Call kCalls[] = {
    {"BatchGetItem", BatchGetItem},
    {"BatchWriteItem", nullptr, BatchWriteItem},
    {"CreateTable", nullptr, CreateTable},
    {"DeleteItem", nullptr, DeleteItem},
    {"DeleteTable", nullptr, DeleteTable},
    {"DescribeContinuousBackups", DescribeContinuousBackups},
    {"DescribeTable", DescribeTable},
    {"DescribeTimeToLive", DescribeTimeToLive},
    {"GetItem", GetItem},
    {"ListTables", ListTables},
    {"ListTagsOfResource", ListTagsOfResource},
    {"PutItem", nullptr, PutItem},
    {"Query", Query},
    {"Scan", Scan},
    {"TagResource", nullptr, TagResource},
    {"TransactGetItems", TransactGetItems},
    {"TransactWriteItems", nullptr, TransactWriteItems},
    {"UntagResource", nullptr, UntagResource},
    {"UpdateContinuousBackups", UpdateContinuousBackups},
    {"UpdateItem", nullptr, UpdateItem},
    {"UpdateTable", nullptr, UpdateTable},
};

const Call* FindCall(absl::string_view operation) {
  for (const Call& call : kCalls) {
    if (call.operation == operation) return &call;
  }
  return nullptr;
}

}  // namespace

void DynamoDb::Serve(absl::string_view operation, Json request, Done done) {
  const Call* const call = FindCall(operation);
  if (call == nullptr) {
    return done(ErrorAnswer(Exception(
        "UnknownOperationException",
        absl::StrCat("Trireme offers what Kinesis's client library needs of "
                     "DynamoDB, which ",
                     operation, " is not part of."))));
  }
  if (call->write != nullptr) {
    return call->write(broker_, request, kCallTimeout, std::move(done));
  }
  broker_->tables().Refresh(
      kCallTimeout, [broker = broker_, call, request = std::move(request),
                     done = std::move(done)](absl::Status status) mutable {
        if (!status.ok()) return done(ErrorAnswer(status));
        const Replied reply = call->read(TableReader(broker), request);
        done(reply.ok() ? OkAnswer(*reply) : ErrorAnswer(reply.status()));
      });
}

}  // namespace trireme::dynamodb
