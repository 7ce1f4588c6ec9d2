// Read barriers on several replication groups at once.
#ifndef TRIREME_SERVER_BARRIERS_H_
#define TRIREME_SERVER_BARRIERS_H_

#include "absl/container/btree_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "replication/replicas.h"
#include "storage/ids.h"

namespace trireme {

// Calls `done` once: when what this node has of all the groups is fresh, or
// with one of the errors when that could not be had of all. On this thread, or
// a thread of the node: it must not block.
void AwaitBarriers(const absl::btree_set<GroupId>& groups,
                   absl::Duration timeout, Replicas* replicas,
                   absl::AnyInvocable<void(absl::Status)> done);

}  // namespace trireme

#endif  // TRIREME_SERVER_BARRIERS_H_
