// The calls of DynamoDB's API, by what they are about. Those that only read
// look at what this node knows, after it was refreshed; the others answer
// later.
#ifndef TRIREME_SERVER_DYNAMODB_CALLS_H_
#define TRIREME_SERVER_DYNAMODB_CALLS_H_

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/broker.h"
#include "server/dynamodb/dynamodb_error.h"
#include "server/dynamodb/table_reader.h"

namespace trireme::dynamodb {

using AnswerDone = absl::AnyInvocable<void(Answer)>;
using Replied = absl::StatusOr<Json>;

// --- table_calls.cc ---
Replied DescribeTable(const TableReader& reader, const Json& request);
Replied ListTables(const TableReader& reader, const Json& request);
void CreateTable(Broker* broker, const Json& request, absl::Duration timeout,
                 AnswerDone done);
void UpdateTable(Broker* broker, const Json& request, absl::Duration timeout,
                 AnswerDone done);
void DeleteTable(Broker* broker, const Json& request, absl::Duration timeout,
                 AnswerDone done);

// --- setting_calls.cc ---
Replied DescribeContinuousBackups(const TableReader& reader,
                                  const Json& request);
// Taken, and answered with what is so: there are none.
Replied UpdateContinuousBackups(const TableReader& reader, const Json& request);
Replied DescribeTimeToLive(const TableReader& reader, const Json& request);
Replied ListTagsOfResource(const TableReader& reader, const Json& request);
void TagResource(Broker* broker, const Json& request, absl::Duration timeout,
                 AnswerDone done);
void UntagResource(Broker* broker, const Json& request, absl::Duration timeout,
                   AnswerDone done);

// --- read_calls.cc ---
Replied GetItem(const TableReader& reader, const Json& request);
Replied BatchGetItem(const TableReader& reader, const Json& request);
Replied TransactGetItems(const TableReader& reader, const Json& request);

// --- query_calls.cc ---
Replied Query(const TableReader& reader, const Json& request);
Replied Scan(const TableReader& reader, const Json& request);

// --- write_calls.cc ---
void PutItem(Broker* broker, const Json& request, absl::Duration timeout,
             AnswerDone done);
void UpdateItem(Broker* broker, const Json& request, absl::Duration timeout,
                AnswerDone done);
void DeleteItem(Broker* broker, const Json& request, absl::Duration timeout,
                AnswerDone done);

// --- several_writes_calls.cc ---
void BatchWriteItem(Broker* broker, const Json& request, absl::Duration timeout,
                    AnswerDone done);
void TransactWriteItems(Broker* broker, const Json& request,
                        absl::Duration timeout, AnswerDone done);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_CALLS_H_
