// Replays the segment log: finds the whole batches that hang together, tells
// a torn tail from damage, and says where writing goes on
// (docs/storage-format.md, "Replay"). Reads only; SegmentLog acts on the
// result.
#ifndef TRIREME_STORAGE_LOG_REPLAY_H_
#define TRIREME_STORAGE_LOG_REPLAY_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/entry_index.h"
#include "storage/log_batch.h"
#include "storage/segment_scan.h"

namespace trireme {

struct ReplayedLog {
  EntryIndex index;
  absl::flat_hash_map<GroupId, LogHardState> hard_states;
  uint64_t next_batch = 1;
  // Above every id seen, or that of the blank last segment.
  uint64_t next_segment = 1;
  // What the next segment's start says of its predecessor.
  uint64_t previous_segment = 0;
  uint64_t previous_end = 0;

  // The segment that can be written further, when there is one.
  struct Tail {
    uint64_t segment = 0;
    uint64_t last_batch_begin = 0;  // The batch that no later one vouches for.
    uint64_t end = 0;               // Where the next batch goes.
    uint64_t stale_end =
        0;  // Remains of a torn batch lie up to here, if > end.
  };
  std::optional<Tail> tail;
  // The last segment, when it holds no whole batch.
  std::optional<uint64_t> blank;
  bool tail_was_cut = false;

  // OK, or DataLoss: then segments from `first_damaged` on are void, except
  // for the entries of it that the index knows.
  absl::Status damage;
  uint64_t first_damaged = 0;
  // Groups whose entries were dropped though older segments hold some.
  std::vector<GroupId> unfounded;

  // Segments that nobody needs, and those a finished repair has replaced.
  std::vector<uint64_t> unneeded;
  std::vector<uint64_t> superseded;
  uint64_t bytes_read = 0;
};

// `segments` in ascending order of id. A batch in segment `newest` is known to
// have been synced (0: nothing is known), so without it the log is damaged.
absl::StatusOr<ReplayedLog> ReplayLog(std::vector<SegmentFile> segments,
                                      uint64_t newest);

}  // namespace trireme

#endif  // TRIREME_STORAGE_LOG_REPLAY_H_
