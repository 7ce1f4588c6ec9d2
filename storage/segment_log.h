// SegmentLog is the write-ahead log of one node: the entries and hard states
// of all its replication groups in one stream of frames over preallocated,
// recycled 64 MiB files (design.md D3, docs/storage-format.md).
//
// Owned by the node's GroupLoop. Write() and PrepareNextSegment() run on the
// log-writer thread; all else on the loop thread, Read() beside a running
// Write() included. After a crash, Open() replays what was synced; a torn tail
// is cut, damage in the middle is reported.
#ifndef TRIREME_STORAGE_SEGMENT_LOG_H_
#define TRIREME_STORAGE_SEGMENT_LOG_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "storage/entry_index.h"
#include "storage/file_system.h"
#include "storage/ids.h"
#include "storage/log_batch.h"
#include "storage/log_frame.h"
#include "storage/log_replay.h"
#include "storage/payload.h"
#include "storage/segment_files.h"

namespace trireme {

struct SegmentLogOptions {
  uint64_t segment_bytes = 64u << 20;  // A multiple of kBatchAlignment.
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
  LogIndex trim = 0;  // Entries up to here were no longer needed.
};

struct Replay {
  absl::flat_hash_map<GroupId, ReplayedGroup> groups;
  // Not OK when frames before the torn tail are damaged (DataLoss, naming file
  // and offset): frames that were once synced may be missing from any group,
  // so every group of this node must recover from its peers. The hard states
  // above then say `recovering`. The same damage is reported at every Open()
  // until a Write() has succeeded: the caller's first batch must hold the hard
  // states, with `recovering` set, of all its groups.
  absl::Status damage;
  // Remains of a batch whose Write() never returned OK were cut off.
  bool tail_was_cut = false;
  uint64_t bytes_read = 0;
};

class SegmentLog {
 public:
  // Opens or creates the log in `directory`. Errors are I/O errors and
  // FailedPrecondition for a newer format; damaged content is neither, see
  // Replay::damage. Needs no free space.
  static absl::StatusOr<std::unique_ptr<SegmentLog>> Open(
      FileSystem* file_system, const std::string& directory,
      const SegmentLogOptions& options, Replay* replay);
  ~SegmentLog();

  // Log-writer thread: makes the batch durable. ResourceExhausted means that
  // there is no space for a new segment: nothing was written and the log stays
  // usable. Any other error is final: every later Write() returns it too.
  // An empty batch is written as a mark, whose presence proves at replay that
  // what precedes it was synced.
  absl::Status Write(const LogBatch& batch);

  // Log-writer thread, when it has nothing to write: readies the next file, so
  // that the Write() that needs it is quick (zeroing 64 MiB takes 33 ms) and
  // does not meet a full disk. Does nothing when one is ready. Optional; the
  // error (ResourceExhausted: the disk is full) is for information.
  absl::Status PrepareNextSegment();

  // Loop thread, after Write() of the batch has returned OK: makes its entries
  // visible to Read() and to the rules of truncation. Once for each batch, in
  // the order of the writes.
  void Publish(const LogBatch& batch);

  // The entry's payload, read back and verified. NotFound when trimmed or
  // never published; DataLoss when its bytes are damaged.
  absl::StatusOr<Payload> Read(GroupId group, LogIndex index) const;

  // The group no longer needs entries up to `index`. Files that nobody needs
  // are recycled when the next segment is started. Durable from then on: until
  // then, replay may bring trimmed entries back.
  void Trim(GroupId group, LogIndex index);

  // For each group whose oldest entry lies in a file that more than `bytes` of
  // newer ones follow: the last index of such entries. A group that is seldom
  // written to holds on to all files since, however little it keeps.
  struct Excess {
    GroupId group;
    LogIndex last = 0;
  };
  std::vector<Excess> FindExcess(uint64_t bytes) const;

  // Bytes of files that hold entries someone needs.
  uint64_t live_bytes() const;
  // Fsyncs and bytes since Open(), for metrics and benchmarks.
  uint64_t syncs() const;
  uint64_t bytes_written() const;

 private:
  // A batch that is written and not published yet.
  struct WrittenBatch {
    uint64_t segment = 0;
    // Of a repair: segments from here up to `segment` are void. 0: none.
    uint64_t replaces_from = 0;
    struct Entry {
      GroupId group;
      LogIndex index = 0;
      EntryPosition position;
    };
    std::vector<Entry> copies{};  // Entries that a repair has rewritten.
    std::vector<LogCut> cuts{};
    std::vector<Entry> entries{};
  };

  SegmentLog(FileSystem* file_system, const std::string& directory,
             const SegmentLogOptions& options);

  absl::Status Recover(Replay* replay);
  absl::Status PutFilesInOrder(const ReplayedLog& replayed,
                               std::vector<SegmentFile> segments);
  absl::Status RefreshTail(const ReplayedLog::Tail& tail);
  void Report(const ReplayedLog& replayed, Replay* replay) const
      ABSL_LOCKS_EXCLUDED(mu_);

  bool HasRoomFor(uint64_t bytes) const;
  absl::Status WriteToNewSegment(const LogBatch& batch);
  absl::Status WriteFrames(const LogBatch& batch, BatchEncoder& encoder,
                           WrittenBatch written) ABSL_LOCKS_EXCLUDED(mu_);
  SegmentStart MakeStart() const ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<std::vector<LogEntry>> CopiesOfDamaged() const
      ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status QuarantineDamaged() ABSL_LOCKS_EXCLUDED(mu_);
  void RecycleBelow(uint64_t oldest) ABSL_LOCKS_EXCLUDED(mu_);
  uint64_t OldestNeeded(uint64_t none) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status Fail(absl::Status status);

  // Owned by the log-writer thread (after Open()).
  SegmentFiles files_;
  SegmentFile current_;       // Without a file: the next batch starts one.
  uint64_t current_end_ = 0;  // Where the next batch goes.
  uint64_t next_batch_ = 1;
  uint64_t next_segment_ = 1;
  uint64_t previous_segment_ = 0;
  uint64_t previous_end_ = 0;
  absl::flat_hash_map<GroupId, LogHardState> hard_states_;  // As written.
  // Damaged segments from here on await the next segment, which replaces them.
  std::optional<uint64_t> first_damaged_;
  std::vector<LogCut> repair_cuts_;  // For that segment.
  absl::Status failure_;             // Final.

  mutable absl::Mutex mu_;
  // Guarded by mu_, which is never held during I/O.
  EntryIndex index_ ABSL_GUARDED_BY(mu_);
  absl::btree_map<uint64_t, SegmentFile> segments_ ABSL_GUARDED_BY(mu_);
  std::deque<WrittenBatch> written_ ABSL_GUARDED_BY(mu_);

  // Written by the log-writer thread, read by any.
  std::atomic<uint64_t> syncs_{0};
  std::atomic<uint64_t> bytes_written_{0};
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_SEGMENT_LOG_H_
