// Tables as DynamoDB's JSON describes them, and the parts of requests that
// define them.
#ifndef TRIREME_SERVER_DYNAMODB_TABLE_JSON_H_
#define TRIREME_SERVER_DYNAMODB_TABLE_JSON_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/dynamodb/dynamodb_error.h"
#include "server/dynamodb/table_definition.h"
#include "server/resource_names.h"

namespace trireme::dynamodb {

inline constexpr size_t kTagsMax = 50;
inline constexpr size_t kIndexesMax = 20;

// What CreateTable asks for. ValidationException.
absl::StatusOr<TableDefinition> ParseDefinition(const Json& request);
// An element of GlobalSecondaryIndexes, or what is to be created of
// GlobalSecondaryIndexUpdates. `attributes`: those that are defined.
absl::StatusOr<TableIndex> ParseIndex(const Json& json,
                                      const std::vector<KeyPart>& attributes);
// AttributeDefinitions.
absl::StatusOr<std::vector<KeyPart>> ParseAttributes(const Json& request);
// ProvisionedThroughput; zeros when it is not there.
absl::StatusOr<Throughput> ParseThroughput(const Json& json);
// Tags, each key once.
absl::StatusOr<std::map<std::string, std::string>> ParseTags(
    const Json& request);
// BillingMode: true for PAY_PER_REQUEST. ValidationException for one that is
// not known.
absl::StatusOr<bool> ParseIsPayPerRequest(const Json& request);

// The attributes that no key uses, or that a key uses but are not defined.
absl::Status CheckAttributesAreUsed(const TableDefinition& definition);

// TableDescription. `status`: ACTIVE, DELETING.
Json DescribeTable(const Table& table, const Account& account,
                   absl::string_view status);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_TABLE_JSON_H_
