// ItemTableSet holds the meta group's tables of items in memory
// (docs/decisions/0012). The same stands in rows of the store, written in the
// same batches.
//
// Thread-safe. Owned by the StateMachine, which publishes a change here after
// it was written to the store.
#ifndef TRIREME_STORAGE_ITEM_TABLE_SET_H_
#define TRIREME_STORAGE_ITEM_TABLE_SET_H_

#include <span>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "storage/item_tables.h"

namespace trireme {

class ItemTableSet {
 public:
  // `read` sees the tables as they are at one moment, and holds up changes.
  void Read(absl::FunctionRef<void(const ItemTables&)> read) const {
    absl::ReaderMutexLock lock(&mu_);
    read(tables_);
  }

  // The writer's alone, below: nobody else changes what it looks at.
  const ItemTables& tables() const ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return tables_;
  }
  void Publish(std::span<const TableChange> changes) {
    absl::MutexLock lock(&mu_);
    for (const TableChange& change : changes) tables_.Apply(change);
  }
  void Replace(ItemTables tables) {
    absl::MutexLock lock(&mu_);
    std::swap(tables_, tables);
  }

 private:
  mutable absl::Mutex mu_;
  ItemTables tables_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_ITEM_TABLE_SET_H_
