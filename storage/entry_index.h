// Where each entry of each replication group lies in the segment log: kept in
// memory, rebuilt by replay, changed by the same rules in both
// (docs/storage-format.md, "Replay"). Not thread-safe.
#ifndef TRIREME_STORAGE_ENTRY_INDEX_H_
#define TRIREME_STORAGE_ENTRY_INDEX_H_

#include <cstdint>
#include <deque>

#include "absl/container/btree_map.h"
#include "storage/ids.h"
#include "storage/log_frame.h"

namespace trireme {

// One entry's frame. Its size bounds the memory of the log: 32 bytes for each
// entry that is not trimmed.
struct EntryPosition {
  uint64_t segment = 0;
  Term term = 0;
  uint32_t offset_words = 0;  // In units of kFrameAlignment.
  uint32_t payload_bytes = 0;
  uint32_t payload_crc = 0;
  uint8_t type = 0;

  uint64_t offset() const { return uint64_t{offset_words} * kFrameAlignment; }
};
static_assert(sizeof(EntryPosition) == 32);

EntryPosition PositionOf(const FrameHeader& header);

class EntryIndex {
 public:
  struct Group {
    LogIndex trim = 0;   // Nothing at or below is kept.
    LogIndex first = 0;  // Of `entries`, when there are any.
    std::deque<EntryPosition> entries;
  };

  // At or below the last index: cuts the tail first. Beyond the last index
  // plus one: forgets what precedes. At or below the trim point: ignored.
  void Append(GroupId group, LogIndex index, const EntryPosition& position);
  // Forgets the entries above `last`.
  void CutAfter(GroupId group, LogIndex last);
  // Forgets the entries up to `index`. Never goes back.
  void Trim(GroupId group, LogIndex index);

  // The entry, if it is kept, now lies elsewhere.
  void Move(GroupId group, LogIndex index, const EntryPosition& position);

  // Null when not kept. Valid until the next change.
  const EntryPosition* Find(GroupId group, LogIndex index) const;
  // The group's last entry in a segment below `segment`; 0: there is none.
  LogIndex LastBelow(GroupId group, uint64_t segment) const;
  // The lowest segment that holds an entry, or `none`.
  uint64_t OldestSegment(uint64_t none) const;
  const absl::btree_map<GroupId, Group>& groups() const { return groups_; }

 private:
  absl::btree_map<GroupId, Group> groups_;
};

}  // namespace trireme

#endif  // TRIREME_STORAGE_ENTRY_INDEX_H_
