#include "replication/restore.h"

#include "absl/strings/str_cat.h"
#include "storage/status_macros.h"

namespace trireme {
namespace {

raft::Entry EntryFrom(const ReplayedGroup::EntryHeader& header) {
  raft::Entry entry;
  entry.index = header.index;
  entry.term = header.term;
  entry.type = static_cast<raft::EntryType>(header.type);
  entry.payload_crc = header.payload_crc;
  entry.payload_bytes = header.payload_bytes;
  return entry;
}

}  // namespace

RestoredGroup RestoreGroup(const ReplayedGroup& replayed,
                           const AppliedPosition& applied) {
  RestoredGroup restored;
  raft::Restored& core = restored.core;
  core.hard_state = {replayed.hard_state.term, replayed.hard_state.vote,
                     replayed.hard_state.recovering};
  // What is applied is committed, and its log may be gone: an installed state
  // is ahead of the log, and a trimmed log begins anywhere below it.
  core.base_index = core.applied = applied.index;
  core.base_term = applied.term;
  const auto& entries = replayed.entries;
  const LogIndex end = entries.empty() ? replayed.trim : entries.back().index;
  if (entries.empty() || end < applied.index) {
    // Entries are applied only once they are durable here. So a log that ends
    // below what its entries built has lost them; only a state that was
    // installed may be ahead.
    restored.damaged = end < applied.index && applied.installed < applied.index;
    return restored;
  }
  if (entries.front().index > applied.index + 1) {
    restored.damaged = true;
    return restored;
  }
  auto first = entries.begin();
  if (first->index <= applied.index) {
    const auto at_applied = first + (applied.index - first->index);
    if (at_applied->term != applied.term) {
      // A tail from before an installed state; the state replaced it.
      restored.obsolete = true;
      return restored;
    }
    // The first entry's predecessor is trimmed and its term forgotten; the
    // first entry itself takes its place as the base.
    if (first->index == 1) {
      core.base_index = core.base_term = 0;
    } else {
      core.base_index = first->index;
      core.base_term = first->term;
      ++first;
    }
  }
  for (; first != entries.end(); ++first) {
    core.entries.push_back(EntryFrom(*first));
  }
  return restored;
}

absl::Status CheckPromises(const Replay& replay, const ReplicatedState& state,
                           uint32_t group_count) {
  RETURN_IF_ERROR(replay.damage);
  for (uint32_t i = 0; i < group_count; ++i) {
    const auto group = replay.groups.find(GroupId(i));
    if (group == replay.groups.end()) continue;
    const AppliedPosition applied = state.Applied(GroupId(i));
    if (RestoreGroup(group->second, applied).damaged) {
      return absl::DataLossError(absl::StrCat(
          "the log of group ", i, " does not meet its state, which stands at ",
          applied.index, ": entries that were synced are gone"));
    }
  }
  return absl::OkStatus();
}

}  // namespace trireme
