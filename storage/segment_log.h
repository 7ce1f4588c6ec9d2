// SegmentLog is the write-ahead log of one node: the entries and hard states
// of all its replication groups in one stream of frames over preallocated,
// recycled 64 MiB files (design.md D3, docs/storage-format.md).
//
// Owned by the node's GroupLoop. Write() runs on the log-writer thread; all
// else on the loop thread, Read() beside a running Write() included. After a
// crash, Open() replays what was synced; a torn tail is cut, damage in the
// middle is reported.
#ifndef TRIREME_STORAGE_SEGMENT_LOG_H_
#define TRIREME_STORAGE_SEGMENT_LOG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/file_system.h"
#include "storage/ids.h"
#include "storage/payload.h"

namespace trireme {

// One entry as the log stores it. `type` is opaque here.
struct LogEntry {
  GroupId group;
  LogIndex index = 0;
  Term term = 0;
  uint8_t type = 0;
  uint32_t payload_crc = 0;  // CRC32C of payload, given by the caller.
  Payload payload;           // Null means empty.
};

// A group's term, vote and flags; the newest one wins at replay.
struct LogHardState {
  GroupId group;
  Term term = 0;
  NodeId vote;
  bool recovering = false;
};

// What one turn of the loop writes: one pwrite, one fdatasync.
struct LogBatch {
  std::vector<LogHardState> hard_states;
  // Per group contiguous. An entry at or below the group's last index
  // truncates that group's log from there first.
  std::vector<LogEntry> entries;

  bool empty() const { return hard_states.empty() && entries.empty(); }
};

struct SegmentLogOptions {
  uint64_t segment_bytes = 64u << 20;
  // Recycled files kept ready beyond the one being written.
  int spare_segments = 2;
};

// What Open() found for one group.
struct ReplayedGroup {
  LogHardState hard_state;
  struct EntryHeader {
    LogIndex index = 0;
    Term term = 0;
    uint8_t type = 0;
    uint32_t payload_crc = 0;
    uint32_t payload_bytes = 0;
  };
  std::vector<EntryHeader> entries;  // Contiguous, ascending.
};

struct Replay {
  absl::flat_hash_map<GroupId, ReplayedGroup> groups;
  // Not OK when frames before the torn tail are damaged (DataLoss, naming file
  // and offset): frames that were once synced may be missing from any group,
  // so every group of this node must recover from its peers.
  absl::Status damage;
  uint64_t bytes_read = 0;
};

class SegmentLog {
 public:
  // Opens or creates the log in `directory`. Errors are I/O errors; damaged
  // content is not one, see Replay::damage.
  static absl::StatusOr<std::unique_ptr<SegmentLog>> Open(
      FileSystem* file_system, const std::string& directory,
      const SegmentLogOptions& options, Replay* replay);
  ~SegmentLog();

  // Log-writer thread: makes the batch durable. An error is final.
  absl::Status Write(const LogBatch& batch);

  // Loop thread, after Write() of the batch has returned: makes its entries
  // visible to Read() and to the rules of truncation.
  void Publish(const LogBatch& batch);

  // The entry's payload, read back and verified. NotFound when trimmed or
  // never published; DataLoss when its bytes are damaged.
  absl::StatusOr<Payload> Read(GroupId group, LogIndex index) const;

  // The group no longer needs entries up to `index`. Files that nobody needs
  // are recycled when the next segment is started.
  void Trim(GroupId group, LogIndex index);

  // Bytes of files that hold entries someone needs.
  uint64_t live_bytes() const;
  // Fsyncs and bytes since Open(), for metrics and benchmarks.
  uint64_t syncs() const;
  uint64_t bytes_written() const;
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_SEGMENT_LOG_H_
