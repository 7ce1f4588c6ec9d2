// What the write-ahead log is given: entries, hard states and cuts of many
// replication groups, made durable together (design.md D3).
#ifndef TRIREME_STORAGE_LOG_BATCH_H_
#define TRIREME_STORAGE_LOG_BATCH_H_

#include <cstdint>
#include <vector>

#include "storage/ids.h"
#include "storage/payload.h"

namespace trireme {

// One entry as the log stores it. `type` is opaque here.
struct LogEntry {
  GroupId group{};
  LogIndex index = 0;
  Term term = 0;
  uint8_t type = 0;
  uint32_t payload_crc = 0;  // CRC32C of payload, given by the caller.
  Payload payload{};         // Null means empty.
};

// A group's term, vote and flags; the newest one wins at replay.
struct LogHardState {
  GroupId group{};
  Term term = 0;
  NodeId vote{};
  bool recovering = false;
};

// The group's entries above `last` are no longer part of its log: for a
// replica whose tail disagrees with a snapshot it has installed (Raft §7),
// when there is no entry yet that would overwrite that tail.
struct LogCut {
  GroupId group{};
  LogIndex last = 0;
};

// What one turn of the loop writes: one pwrite, one fdatasync. After a crash
// it is there as a whole or not at all.
struct LogBatch {
  std::vector<LogHardState> hard_states;
  std::vector<LogCut> cuts;  // Before the entries.
  // Per group contiguous. An entry at or below the group's last index
  // truncates that group's log from there first; one beyond its last index
  // plus one starts the group's log anew (a snapshot was installed).
  std::vector<LogEntry> entries;

  bool empty() const {
    return hard_states.empty() && cuts.empty() && entries.empty();
  }
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_LOG_BATCH_H_
