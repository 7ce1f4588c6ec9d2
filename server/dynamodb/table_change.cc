#include "server/dynamodb/table_change.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/dynamodb/dynamodb_error.h"
#include "server/dynamodb/table_reader.h"
#include "storage/errors.h"
#include "storage/status_macros.h"

namespace trireme::dynamodb {
namespace {

constexpr int kTriesMax = 10;

using ChangeDone = absl::AnyInvocable<void(absl::StatusOr<TablePtr>)>;

// A change while it is tried.
struct Attempt {
  Broker* broker = nullptr;
  DefinitionChange change;
  absl::Duration deadline;
  ChangeDone done;
  int tries = 0;
};
using AttemptPtr = std::shared_ptr<Attempt>;

absl::StatusOr<TablePtr> FindTable(const Attempt& attempt) {
  absl::StatusOr<TablePtr> table =
      TableReader(attempt.broker).Find(attempt.change.table_name);
  if (ReasonOf(table.status()) != ErrorReason::kResourceNotFound) return table;
  return MakeError(ErrorReason::kResourceNotFound,
                   absl::StrCat("Requested resource not found: Table: ",
                                attempt.change.table_name, " not found"));
}

// The table as it is to be.
absl::StatusOr<TablePtr> Changed(const Attempt& attempt, const Table& table) {
  if (attempt.change.change != nullptr) {
    auto changed = std::make_shared<Table>(table);
    RETURN_IF_ERROR(attempt.change.change(&changed->definition));
    return changed;
  }
  if (!table.definition.deletion_protection) {
    return std::make_shared<Table>(table);
  }
  return ValidationError(
      "Resource cannot be deleted as it is currently protected against "
      "deletion. Disable deletion protection first.");
}

void Try(AttemptPtr attempt);

void OnChanged(AttemptPtr attempt, TablePtr changed,
               const absl::StatusOr<bool>& is_done) {
  if (!is_done.ok() &&
      ReasonOf(is_done.status()) != ErrorReason::kResourceNotFound) {
    return attempt->done(is_done.status());
  }
  if (is_done.ok() && *is_done) return attempt->done(std::move(changed));
  if (++attempt->tries < kTriesMax) return Try(std::move(attempt));
  attempt->done(MakeError(
      ErrorReason::kResourceInUse,
      absl::StrCat("Table is being updated: ", attempt->change.table_name)));
}

void Propose(AttemptPtr attempt) {
  const absl::StatusOr<TablePtr> table = FindTable(*attempt);
  if (!table.ok()) return attempt->done(table.status());
  absl::StatusOr<TablePtr> changed = Changed(*attempt, **table);
  if (!changed.ok()) return attempt->done(changed.status());
  const FoundTable& found = (*table)->found;
  TableOperations& tables = attempt->broker->tables();
  const absl::Duration left =
      attempt->deadline - attempt->broker->clock()->MonotonicNow();
  const bool goes = attempt->change.change == nullptr;
  auto answered = [attempt, changed = *changed](absl::StatusOr<bool> is_done) {
    OnChanged(attempt, changed, is_done);
  };
  if (goes) {
    return tables.Delete(found.number, found.head.version, left,
                         std::move(answered));
  }
  tables.Update(found.number, found.head.version,
                EncodeDefinition((*changed)->definition), left,
                std::move(answered));
}

void Try(AttemptPtr attempt) {
  Broker* const broker = attempt->broker;
  const absl::Duration left =
      attempt->deadline - broker->clock()->MonotonicNow();
  broker->tables().Refresh(left, [attempt](const absl::Status& status) {
    if (!status.ok()) return attempt->done(status);
    Propose(attempt);
  });
}

}  // namespace

void ChangeTable(Broker* broker, DefinitionChange change,
                 absl::Duration timeout, ChangeDone done) {
  auto attempt = std::make_shared<Attempt>();
  attempt->broker = broker;
  attempt->change = std::move(change);
  attempt->deadline = broker->clock()->MonotonicNow() + timeout;
  attempt->done = std::move(done);
  Try(std::move(attempt));
}

}  // namespace trireme::dynamodb
