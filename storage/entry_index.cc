#include "storage/entry_index.h"

#include <algorithm>

namespace trireme {

EntryPosition PositionOf(const FrameHeader& header) {
  EntryPosition position;
  position.segment = header.segment;
  position.term = header.term;
  position.offset_words =
      static_cast<uint32_t>(header.offset / kFrameAlignment);
  position.payload_bytes = header.payload_bytes;
  position.payload_crc = header.payload_crc;
  position.type = header.entry_type;
  return position;
}

void EntryIndex::Append(GroupId id, LogIndex index,
                        const EntryPosition& position) {
  Group& group = groups_[id];
  if (index <= group.trim) return;
  const LogIndex next = group.first + group.entries.size();
  if (group.entries.empty() || index < group.first || index > next) {
    group.entries.clear();
    group.first = index;
  } else {
    group.entries.resize(index - group.first);
  }
  group.entries.push_back(position);
}

void EntryIndex::CutAfter(GroupId id, LogIndex last) {
  Group& group = groups_[id];
  const uint64_t kept = last < group.first ? 0 : last - group.first + 1;
  if (kept < group.entries.size()) group.entries.resize(kept);
}

void EntryIndex::Trim(GroupId id, LogIndex index) {
  Group& group = groups_[id];
  group.trim = std::max(group.trim, index);
  while (!group.entries.empty() && group.first <= group.trim) {
    group.entries.pop_front();
    ++group.first;
  }
}

void EntryIndex::Move(GroupId id, LogIndex index,
                      const EntryPosition& position) {
  if (Find(id, index) == nullptr) return;
  Group& group = groups_[id];
  group.entries[index - group.first] = position;
}

const EntryPosition* EntryIndex::Find(GroupId id, LogIndex index) const {
  const auto found = groups_.find(id);
  if (found == groups_.end()) return nullptr;
  const Group& group = found->second;
  if (index < group.first || index - group.first >= group.entries.size())
    return nullptr;
  return &group.entries[index - group.first];
}

// A group's entries lie in ascending segments: a later write only ever
// replaces a tail.
LogIndex EntryIndex::LastBelow(GroupId id, uint64_t segment) const {
  const auto found = groups_.find(id);
  if (found == groups_.end()) return 0;
  const Group& group = found->second;
  const auto first_kept = std::partition_point(
      group.entries.begin(), group.entries.end(),
      [segment](const EntryPosition& at) { return at.segment < segment; });
  const auto below = first_kept - group.entries.begin();
  return below == 0 ? 0 : group.first + static_cast<uint64_t>(below) - 1;
}

uint64_t EntryIndex::OldestSegment(uint64_t none) const {
  uint64_t oldest = none;
  for (const auto& [id, group] : groups_)
    if (!group.entries.empty())
      oldest = std::min(oldest, group.entries.front().segment);
  return oldest;
}

}  // namespace trireme
