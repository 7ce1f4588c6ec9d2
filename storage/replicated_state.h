// The state that committed entries build: the seam between replication and
// storage. StateMachine (RocksDB) in the product, a model in the simulator.
#ifndef TRIREME_STORAGE_REPLICATED_STATE_H_
#define TRIREME_STORAGE_REPLICATED_STATE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/entry_payload.h"
#include "storage/ids.h"
#include "storage/payload.h"
#include "storage/sequence_number.h"

namespace trireme {

struct CommittedEntry {
  GroupId group;
  LogIndex index = 0;
  Term term = 0;
  bool has_payload = true;  // False for entries of the core's own (no-ops).
  Payload payload;          // See entry_payload.h.
};

// What became of one record.
struct RecordFate {
  // kProducerFenced, kStaleProducerNumber, kLimitExceeded: not written.
  absl::Status status = absl::OkStatus();
  SequenceNumber number = {};  // Where it stands.
  bool duplicate = false;      // An earlier try of its producer wrote it there.
};

// What became of a shard batch of an entry.
struct AppliedBatch {
  // Not OK (kShardSealed, kResourceNotFound): it left no trace.
  absl::Status status;
  // Its records that were written, one behind the other from position 0 on:
  // views into the entry's payload, or into `rebuilt`. Maybe none.
  ShardBatch written;
  Payload rebuilt = nullptr;
  // One a record, when some were not written; else empty.
  std::vector<RecordFate> fates = {};
};

// What the state made of an entry; the same on every replica.
struct ApplyResult {
  // Of a command: OK, or a typed error (errors.h); the state is unchanged then.
  absl::Status status;
  // Of a records entry: one a shard batch, in the entry's order. None when the
  // entry had been applied before.
  std::vector<AppliedBatch> batches;
  // Of a records entry: when its records arrived.
  int64_t stamp_ms = 0;
  // Of a command: its reply, a serialized message the proposer understands.
  std::string reply;
};

struct AppliedPosition {
  LogIndex index = 0;
  Term term = 0;
  int64_t stamp_ms = 0;  // The highest stamp applied so far.
  // The last position that was pulled from a peer instead of applied here: up
  // to it, the log need not hold what the state was built from.
  LogIndex installed = 0;
};

// Streams one group's state to a replica that is too far behind
// (design.md D11). Holds a consistent view of the moment it was opened.
class StateSource {
 public:
  virtual ~StateSource() = default;
  // The position the pulled state stands at.
  virtual AppliedPosition position() const = 0;
  // The next chunk (at most about 1 MiB), or "" at the end.
  virtual absl::StatusOr<std::string> Next() = 0;
};

// Thread-safe unless said otherwise. Errors of methods that return Status are
// final: the disk or our own data is broken and the node must stop. The one
// exception is kDiskFull of Apply and InstallChunk: nothing happened, and the
// same call may succeed once there is space. Flush and FinishInstall wait for
// space instead, and fail when the wait is broken off for the node's end.
class ReplicatedState {
 public:
  virtual ~ReplicatedState() = default;

  // Applies the next entry of a group. An entry at or below the group's
  // applied index is skipped. Applier thread only.
  virtual absl::StatusOr<ApplyResult> Apply(const CommittedEntry& entry) = 0;

  // Everything up to here is applied and readable.
  virtual AppliedPosition Applied(GroupId group) const = 0;
  // Everything up to here survives a crash of the machine.
  virtual AppliedPosition Durable(GroupId group) const = 0;
  // Makes all that is applied durable. Blocks.
  virtual absl::Status Flush() = 0;

  // --- catch-up of a lagging or empty replica ---

  // What this replica has of the group, for the source to skip.
  virtual absl::StatusOr<std::string> DescribeHeld(GroupId group) = 0;
  virtual absl::StatusOr<std::unique_ptr<StateSource>> OpenSource(
      GroupId group, absl::string_view held) = 0;
  // Chunks of one source, in order. Until FinishInstall the group's applied
  // position does not move, and a crash leaves nothing half done: pulling
  // again goes on from what is held. No Apply of the group meanwhile.
  // InvalidArgument, and no change: this is not what a source sends.
  // ResourceExhausted: the disk is full. Other errors are final.
  virtual absl::Status InstallChunk(GroupId group, absl::string_view chunk) = 0;
  // The pulled state becomes the group's, durably. FailedPrecondition: the
  // source did not send all of it. Other errors are final.
  virtual absl::Status FinishInstall(GroupId group,
                                     const AppliedPosition& position) = 0;
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_REPLICATED_STATE_H_
