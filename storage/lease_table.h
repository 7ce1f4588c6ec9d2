// LeaseTable holds the consumer groups of the meta group in memory: their
// workers and leases (docs/decisions/0010). The same stands in rows of the
// store, written in the same batches.
//
// Thread-safe. Owned by the StateMachine, which publishes a change here after
// it was written to the store.
#ifndef TRIREME_STORAGE_LEASE_TABLE_H_
#define TRIREME_STORAGE_LEASE_TABLE_H_

#include <span>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "storage/consumer_group.h"

namespace trireme {

class LeaseTable {
 public:
  // `read` sees the groups as they are at one moment, and holds up changes.
  void Read(absl::FunctionRef<void(const ConsumerGroups&)> read) const {
    absl::ReaderMutexLock lock(&mu_);
    read(groups_);
  }

  // The writer's alone, below: nobody else changes what it looks at.
  const ConsumerGroups& groups() const ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return groups_;
  }
  void Publish(std::span<const GroupChange> changes) {
    absl::MutexLock lock(&mu_);
    for (const GroupChange& change : changes) ApplyChange(change, &groups_);
  }
  void Replace(ConsumerGroups groups) {
    absl::MutexLock lock(&mu_);
    groups_ = std::move(groups);
  }

 private:
  mutable absl::Mutex mu_;
  ConsumerGroups groups_ ABSL_GUARDED_BY(mu_);
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_LEASE_TABLE_H_
