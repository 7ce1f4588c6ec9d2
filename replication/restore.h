// What a node goes on from after a restart: each group's part of the replayed
// log made to meet the state that was built from it (docs/replication.md,
// "Restart"), and whether the disk still holds everything the node has vouched
// for.
#ifndef TRIREME_REPLICATION_RESTORE_H_
#define TRIREME_REPLICATION_RESTORE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "replication/raft/raft.h"
#include "storage/replicated_state.h"
#include "storage/segment_log.h"

namespace trireme {

// What the core of one group is restored from.
struct RestoredGroup {
  raft::Restored core;
  // Entries that were here are gone: the replica must recover.
  bool damaged = false;
  // What the log holds was replaced by an installed state: it must be cut away
  // before anything is appended.
  bool obsolete = false;
};
RestoredGroup RestoreGroup(const ReplayedGroup& replayed,
                           const AppliedPosition& applied);

// DataLoss, with what is missing, when log and state together do not hold all
// that was once durable: entries the node vouched for, or its votes. It then
// begins a new life and recovers from its peers before it votes again
// (replication/raft/recovery.cc). Groups the log does not know are not judged.
absl::Status CheckPromises(const Replay& replay, const ReplicatedState& state,
                           uint32_t group_count);

}  // namespace trireme

#endif  // TRIREME_REPLICATION_RESTORE_H_
