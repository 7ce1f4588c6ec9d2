// TableReader finds the tables and items that requests name, as this node knows
// them (server/table_operations.h).
#ifndef TRIREME_SERVER_DYNAMODB_TABLE_READER_H_
#define TRIREME_SERVER_DYNAMODB_TABLE_READER_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/broker.h"
#include "server/dynamodb/attribute_value.h"
#include "server/dynamodb/dynamodb_error.h"
#include "server/dynamodb/table_definition.h"

namespace trireme::dynamodb {

class TableReader {
 public:
  explicit TableReader(Broker* broker) : broker_(broker) {}

  // ResourceNotFoundException.
  absl::StatusOr<TablePtr> Find(absl::string_view name) const;
  // Of the member TableName; by ARN too.
  absl::StatusOr<TablePtr> FindNamedIn(const Json& request) const;
  std::optional<StoredItem> Get(const Table& table,
                                absl::string_view key) const {
    return broker_->tables().Get(table.found.number, key);
  }
  const TableOperations& tables() const { return broker_->tables(); }
  const Account& account() const { return broker_->account(); }

 private:
  Broker* const broker_;
};

// A table's name, or the one in its ARN. ValidationException.
absl::StatusOr<std::string> ParseTableName(absl::string_view name);
absl::StatusOr<std::string> TableNameIn(const Json& request);

std::string TableArn(const Account& account, absl::string_view name);

// The members that a request must not mix: parameters of before expressions,
// and expressions.
absl::Status CheckNotMixed(const Json& request,
                           std::initializer_list<const char*> legacy,
                           std::initializer_list<const char*> expressions);

// What the answer says about capacity when the request asks for it: nothing
// was consumed. `name`: of the table.
Json ConsumedCapacity(absl::string_view name);
bool WantsCapacity(const Json& request);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_TABLE_READER_H_
