// ChangeTable carries out a change of a table's definition: on what is fresh,
// and again when another change came first.
#ifndef TRIREME_SERVER_DYNAMODB_TABLE_CHANGE_H_
#define TRIREME_SERVER_DYNAMODB_TABLE_CHANGE_H_

#include <functional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/broker.h"
#include "server/dynamodb/table_definition.h"

namespace trireme::dynamodb {

struct DefinitionChange {
  std::string table_name;
  // Makes of the definition what it is to be; an error refuses the change. Not
  // there: the table is to go, unless it is protected.
  std::function<absl::Status(TableDefinition*)> change;
};

// `done` gets the table as it is then; one that went, as it was.
void ChangeTable(Broker* broker, DefinitionChange change,
                 absl::Duration timeout,
                 absl::AnyInvocable<void(absl::StatusOr<TablePtr>)> done);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_TABLE_CHANGE_H_
