// TableOperations keeps tables of items in the meta group
// (docs/decisions/0012). What is read here is what this node has applied: after
// Refresh, all that had been acknowledged anywhere before. Every change is a
// command that can name the versions it was planned on.
//
// Owned by the Broker; thread-safe; nothing blocks. Callbacks come on the
// broker's pool.
#ifndef TRIREME_SERVER_TABLE_OPERATIONS_H_
#define TRIREME_SERVER_TABLE_OPERATIONS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "server/api.h"
#include "server/router.h"
#include "server/table_api.h"
#include "server/work_pool.h"
#include "storage/item_table_set.h"

namespace trireme {

namespace v1 {
class TableCommand;
}

class TableOperations {
 public:
  using StatusDone = absl::AnyInvocable<void(absl::Status)>;

  // All pointers must outlive it.
  TableOperations(const ItemTableSet* tables, Router* router,
                  Replicas* replicas, WorkPool* pool)
      : tables_(tables), router_(router), replicas_(replicas), pool_(pool) {}

  // What is read here after `done` was called with OK is fresh.
  void Refresh(absl::Duration timeout, StatusDone done) {
    router_->Refresh(timeout, std::move(done));
  }

  // --- as this node knows them ---
  std::optional<FoundTable> Find(absl::string_view name) const;
  std::vector<std::string> Names() const;  // Ascending.
  std::optional<StoredItem> Get(TableNumber table, absl::string_view key) const;
  // The same of several, as they are at one moment.
  std::vector<std::optional<StoredItem>> GetAll(
      const std::vector<std::pair<TableNumber, std::string>>& items) const;
  FoundItems List(const ItemRange& range) const;

  // --- changes ---
  // Errors: kResourceInUse, kLimitExceeded.
  void Create(absl::string_view name, std::string definition,
              absl::Duration timeout, Done<FoundTable> done);
  // False: the table has another version by now. Errors: kResourceNotFound.
  void Update(TableNumber table, ItemVersion version, std::string definition,
              absl::Duration timeout, Done<bool> done);
  void Delete(TableNumber table, ItemVersion version, absl::Duration timeout,
              Done<bool> done);
  // All or nothing. Answered with the items that have other versions; when
  // there are none, all is written. Errors: kResourceNotFound when a table is
  // not there (any more), kLimitExceeded.
  void Write(const std::vector<TableWrite>& writes, absl::Duration timeout,
             Done<std::vector<WriteConflict>> done);

 private:
  using Replied = absl::AnyInvocable<void(absl::StatusOr<std::string>)>;

  void Change(v1::TableCommand command, absl::Duration timeout,
              Done<bool> done);
  void Propose(v1::TableCommand command, absl::Duration timeout, Replied done);

  // Set at construction.
  const ItemTableSet* const tables_;
  Router* const router_;
  Replicas* const replicas_;
  WorkPool* const pool_;
};

}  // namespace trireme

#endif  // TRIREME_SERVER_TABLE_OPERATIONS_H_
