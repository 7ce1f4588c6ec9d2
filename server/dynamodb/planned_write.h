// PlannedWrite is what a request wants to be made of one item, and on which
// condition: of PutItem, UpdateItem, DeleteItem, and each part of
// TransactWriteItems.
#ifndef TRIREME_SERVER_DYNAMODB_PLANNED_WRITE_H_
#define TRIREME_SERVER_DYNAMODB_PLANNED_WRITE_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "server/dynamodb/dynamodb_error.h"
#include "server/dynamodb/expression.h"
#include "server/dynamodb/table_definition.h"

namespace trireme::dynamodb {

struct PlannedWrite {
  enum class Kind { kPut, kUpdate, kDelete, kCheck };
  Kind kind = Kind::kPut;
  std::string table_name;
  Item item;  // Of kPut; else its key.
  std::optional<Condition> condition;
  Update update;  // Of kUpdate.
  // Whether the item is told to whom its condition refuses.
  bool tells_item_of_failure = false;
  // Whether what was there before is asked for.
  bool needs_before = false;

  // Written whatever is there.
  bool is_blind() const {
    return !condition.has_value() && !needs_before &&
           (kind == Kind::kPut || kind == Kind::kDelete);
  }
};

// `request`: of the operation, or the transaction's part. ValidationException,
// SerializationException.
absl::StatusOr<PlannedWrite> ParseWrite(PlannedWrite::Kind kind,
                                        const Json& request);

// The item's key as bytes.
absl::StatusOr<std::string> KeyBytesOf(const PlannedWrite& write,
                                       const Table& table);

// What is there afterwards; nothing when it is gone. An item that is not there
// is nothing. IsConditionFailed when the condition does not hold.
absl::StatusOr<std::optional<Item>> Evaluate(const PlannedWrite& write,
                                             const Table& table,
                                             const std::optional<Item>& before);

}  // namespace trireme::dynamodb

#endif  // TRIREME_SERVER_DYNAMODB_PLANNED_WRITE_H_
